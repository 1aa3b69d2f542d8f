import type { Sanction, SanctionList } from "@cidadao/domain/sanction";
import type { Answer } from "../define-source.ts";
import { SAMPLE_HEADER } from "../outbound.ts";
import { readSanctions } from "../portal-transparencia/wire.ts";
import { idText, isAbsent } from "../reading.ts";
import { identifySupplier, rawText, sphereOf } from "../terms.ts";
import type { Complain } from "./complaints.ts";
import { type CsvHeader, csvHeader, type CsvRow, plain, readCsvRows } from "./csv-rows.ts";
import {
  type Batch,
  batchBuilder,
  type BatchBuilder,
  fileUrl,
  isNew,
  provenanceOf,
  type ReadContext,
  rowFields,
} from "./define-file-format.ts";
import { readJsonRecords } from "./json-records.ts";
import type { OpenedFile } from "./open-text.ts";
import { period } from "../published-fields.ts";
import { fingerprint, seenRecords } from "./seen.ts";

/**
 * Lists of sanctions: the Portal's CEIS and CNEP as CSV or as the API answers them, the short CEIS of 2020, and the
 * Minas Gerais list of cases under Lei 12.846.
 */
export async function* readSanctionFiles(files: OpenedFile[], context: ReadContext): AsyncGenerator<Batch> {
  const out = batchBuilder();
  const isUnseen = seenRecords();
  for (const file of files) {
    const input = { out, context, file, complain: out.complainOf(file), isUnseen };
    const start = (await file.head())
      .subarray(0, 1000)
      .toString("latin1")
      .replace(/^\u00ef\u00bb\u00bf/, "")
      .trimStart();
    yield* start.startsWith("[") || start.startsWith("{") ? readJson(input) : readCsv(input);
  }
  if (!out.isEmpty()) yield out.take();
}

type Input = {
  out: BatchBuilder;
  context: ReadContext;
  file: OpenedFile;
  complain: Complain;
  isUnseen: ReturnType<typeof seenRecords>;
};

const PORTAL = "portal-transparencia";
const DOWNLOADS = "https://portaldatransparencia.gov.br/download-de-dados";
const RECORDS = "https://portaldatransparencia.gov.br/sancoes/consulta";

async function* readJson({ out, context, file, complain, isUnseen }: Input): AsyncGenerator<Batch> {
  const readers = { ceis: readSanctions("ceis"), cnep: readSanctions("cnep") };
  const headers: Answer["headers"] =
    context.sample === null ? {} : { [SAMPLE_HEADER]: encodeURIComponent(context.sample) };
  const retrievedAt = context.retrievedAt(file);
  for await (const records of readJsonRecords(file, complain)) {
    for (const { line, value } of records) {
      // Only CNEP has fines.
      const list: SanctionList = "valorMulta" in value || /cnep/i.test(file.name) ? "cnep" : "ceis";
      const reading = readers[list]({ rows: [value], headers, retrievedAt, fromCache: false, next: null });
      for (const { reason } of reading.rejects) complain("unusable-record", { line, reason });
      for (const { field, reason } of reading.complaints) complain("odd-field", { line, field, reason });
      for (const record of reading.records) {
        if (isNew(isUnseen(record.provenance.sourceId, JSON.stringify(value)), line, complain))
          out.batch.sanctions.push(record);
      }
    }
    if (out.isFull()) yield out.take();
  }
}

/** What the lists call the same thing; the first name that a file has is taken. */
const COLUMNS = {
  code: ["CPF ou CNPJ do Sancionado", "cnpjcpf", "CPF/CNPJ", "cnpj"],
  name: ["Nome do Sancionado", "Razão Social - Cadastro Receita", "nome", "empresa_processada"],
  id: ["Código da Sanção"],
  list: ["Cadastro"],
  kind: ["Categoria da Sanção", "Tipo Sanção", "tipo", "decisao"],
  start: ["Data Início Sanção"],
  end: ["Data Final Sanção", "Data Fim Sanção", "data_final"],
  body: ["Órgão Sancionador", "nome_do_orgao", "orgao_instaurador"],
  state: ["UF Órgão Sancionador", "uf"],
  sphere: ["Esfera Órgão Sancionador"],
  scope: ["Abrangência da Sanção", "Abrangência definida em decisão judicial"],
  basis: ["Fundamentação Legal", "conuta"],
} as const;
type Column = keyof typeof COLUMNS;

async function* readCsv(input: Input): AsyncGenerator<Batch> {
  const { out, file } = input;
  // The Portal publishes its lists in Windows-1252.
  const complain: Complain = (kind, about) => kind !== "encoding-fallback" && input.complain(kind, about);
  const header = await csvHeader(file);
  if (header === null) return;
  const find = (column: Column) =>
    COLUMNS[column].map((name) => header.columns.indexOf(plain(name))).find((at) => at !== -1);
  const indexes = new Map((Object.keys(COLUMNS) as Column[]).map((column) => [column, find(column)]));
  for (const column of ["code", "name"] as const) {
    if (indexes.get(column) !== undefined) continue;
    const reason =
      `the file was not read: it has none of the columns ${COLUMNS[column].join(", ")}; ` +
      `its columns are: ${header.columns.join("; ").slice(0, 1000)}`;
    return complain("missing-column", { line: 1, field: COLUMNS[column][0], reason });
  }
  const shape = shapeOf(header, file);
  for await (const rows of readCsvRows(file, header, complain)) {
    for (const row of rows) {
      readRow(row, { ...input, complain, shape, cell: (column) => row.cells[indexes.get(column) ?? -1] ?? null });
    }
    if (out.isFull()) yield out.take();
  }
}

type Shape = { source: string; list: SanctionList; isMinasGerais: boolean };

function shapeOf({ columns }: CsvHeader, file: OpenedFile): Shape {
  const isMinasGerais = columns.includes("empresa_processada");
  const list = isMinasGerais || columns.includes("valor da multa") || /cnep/i.test(file.name) ? "cnep" : "ceis";
  return { source: isMinasGerais ? "cge-mg" : PORTAL, list, isMinasGerais };
}

type RowInput = Input & { shape: Shape; cell: (column: Column) => string | null };

function readRow({ line, cells }: CsvRow, { out, context, file, complain, isUnseen, shape, cell }: RowInput): void {
  const namedList = rawText(cell("list"))?.toLowerCase();
  const list = namedList === "ceis" || namedList === "cnep" ? namedList : shape.list;
  const id = idText(cell("id"));
  const fields = rowFields(`${list}/${id ?? `L${line}`}`, line, complain);
  const { kind: supplierKind, taxId } = identifySupplier(fields, COLUMNS.code[0], rawText(cell("code")), null);
  const name = fields.text(COLUMNS.name[0], cell("name"));
  if (name === null && taxId === null)
    return complain("unusable-record", { line, reason: "neither a code nor a name" });

  const kind = fields.text(COLUMNS.kind[0], cell("kind")) ?? "Não informada";
  const dates = period(
    fields,
    { field: COLUMNS.start[0], value: cell("start") },
    { field: COLUMNS.end[0], value: cell("end") },
  );
  const body = fields.text(COLUMNS.body[0], cell("body")) ?? "Não informado";
  const basis = fields.text(COLUMNS.basis[0], cell("basis"));
  const state = shape.isMinasGerais ? "MG" : (fields.text(COLUMNS.state[0], cell("state"))?.toUpperCase() ?? null);
  const endIsEmpty = isAbsent(cell("end") ?? "");
  const said: Omit<Sanction, "provenance"> = {
    list,
    supplierKind: supplierKind === "company" || supplierKind === "person" ? supplierKind : "unknown",
    taxId,
    name: name ?? "Não informado",
    kind,
    legalBasis: basis === null ? [] : [basis],
    ...dates,
    // An empty date says that there is no end only beside words that say so.
    endKnown: dates.endsOn !== null || (endIsEmpty && /sem prazo/i.test(kind)),
    sanctioningBody: body,
    bodySphere: shape.isMinasGerais ? "state" : sphereOf(cell("sphere")),
    bodyState: state !== null && /^[A-Z]{2}$/.test(state) ? state : null,
    scope: fields.text(COLUMNS.scope[0], cell("scope")),
  };
  // Of what is kept, not of the row: a hash of a whole CPF would give it away.
  const sourceId = `${list}/${id ?? fingerprint([JSON.stringify(said)])}`;
  const content = id === null && !shape.isMinasGerais ? "" : cells.join("\u001f");
  if (!isNew(isUnseen(`${shape.source}/${sourceId}`, content), line, complain)) return;
  const url = shape.isMinasGerais
    ? fileUrl(file, line)
    : id !== null && /^\d{1,12}$/.test(id)
      ? `${RECORDS}/${id}`
      : `${DOWNLOADS}/${list}`;
  out.batch.sanctions.push({
    provenance: provenanceOf(context, file, { source: shape.source, sourceId, url }),
    ...said,
  });
}
