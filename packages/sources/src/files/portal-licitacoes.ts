import { expectedText, NOT_INFORMED } from "../published-fields.ts";
import { idText, withoutLabel } from "../reading.ts";
import { methodOf } from "../terms.ts";
import type { Complain } from "./complaints.ts";
import { type CellReader, cellReader } from "./csv-columns.ts";
import { type CsvHeader, type CsvRow, headerOf, plain } from "./csv-rows.ts";
import {
  type Batch,
  batchBuilder,
  type BatchBuilder,
  defineFileFormat,
  isNew,
  provenanceOf,
  type ReadContext,
  rowFields,
} from "./define-file-format.ts";
import type { OpenedFile } from "./open-text.ts";
import { readRoles, type RoleFile, type RoleReader } from "./read-roles.ts";
import { compactMap, fingerprint } from "./seen.ts";

/**
 * The names of the columns come from the publisher's dictionary, not from a recorded file: where the dictionary and
 * those who read the files differ, both names are taken.
 */
export const portalLicitacoes = defineFileFormat({
  id: "portal-licitacoes",
  title: "Licitações do Portal da Transparência (CSV)",
  description:
    "Arquivos *_Licitação.csv e *_ItemLicitação.csv do pacote mensal de licitações " +
    "(https://portaldatransparencia.gov.br/download-de-dados/licitacoes). Colunas do dicionário de dados, sem arquivo " +
    "gravado. Participantes e empenhos relacionados são contados e não guardados; do valor do item, que é um total, " +
    "não se calcula preço.",
  attribution: "Portal da Transparência / CGU, licitações",
  recognises: (head) => roleOf(headerOf(head.split("\n", 1)[0] ?? "")) !== null,
  read,
});

const SOURCE = "portal-transparencia";
const DOWNLOADS = "https://portaldatransparencia.gov.br/download-de-dados/licitacoes";

type Role = "tenders" | "items" | "participants" | "commitments";
/** In the order in which they refer to one another. */
const ROLES: readonly Role[] = ["tenders", "items", "participants", "commitments"];

const METHOD_CODES = ["Código Modalidade Compra", "Código Modalidade de Compra"] as const;
const METHOD_NAMES = ["Modalidade Compra", "Modalidade de Compra"] as const;
const KEY = ["Número Licitação", "Código UG"] as const;
const UNREAD: Record<"participants" | "commitments", string> = {
  participants: "who took part in a procedure is not stored: no price of a bid is published with it",
  commitments: "commitments (empenhos) of procedures are not stored",
};

function roleOf({ columns }: CsvHeader): Role | null {
  const has = (name: string) => columns.includes(plain(name));
  // Contracts name the procedure that they come from too.
  const isOfContracts = has("Número do Contrato") || has("Número Contrato");
  if (isOfContracts || !has("Número Licitação") || !has("Código UG")) return null;
  if (has("Flag Vencedor")) return "participants";
  if (has("Código Empenho")) return "commitments";
  if (has("Código Item Compra")) return "items";
  return has("Objeto") ? "tenders" : null;
}

function read(files: OpenedFile[], context: ReadContext): AsyncGenerator<Batch> {
  const out = batchBuilder();
  const known = compactMap();
  return readRoles(files, out, {
    roles: ROLES,
    roleOf,
    otherwise: "tenders",
    isWindows1252: true,
    open(opened) {
      const { role } = opened;
      if (role === "participants" || role === "commitments") return countedOnly(UNREAD[role], opened.complain);
      const input = openRows({ ...opened, out, context, known }, role);
      if (input === null) return null;
      return { row: (row) => (role === "tenders" ? readTender : readItem)(row, input) };
    },
  });
}

function countedOnly(reason: string, complain: Complain): RoleReader {
  let count = 0;
  return {
    row: () => void count++,
    end: () => count > 0 && complain("unread-file", { line: null, reason, count }),
  };
}

type Common = RoleFile<Role> & {
  out: BatchBuilder;
  context: ReadContext;
  known: ReturnType<typeof compactMap>;
};
type Input = Common & { cell: CellReader; methodCode: string; methodName: string; url: string };

const COLUMNS = {
  tenders: {
    required: [...KEY, "Código Órgão"],
    optional: ["Objeto", "Nome UG", "Código Órgão Superior", "Nome Órgão Superior", "Nome Órgão"],
  },
  items: { required: [...KEY, "Código Item Compra"], optional: ["Descrição", "Quantidade Item"] },
};

function openRows(common: Common, role: "tenders" | "items"): Input | null {
  const { header } = common;
  const { columns } = header;
  const present = (names: readonly string[]) => names.find((name) => columns.includes(plain(name))) ?? names[0]!;
  const [methodCode, methodName] = [present(METHOD_CODES), present(METHOD_NAMES)];
  const { required, optional } = COLUMNS[role];
  const asked = { required: [...required, methodCode], optional: [...optional, methodName] };
  const cell = cellReader(header, asked, common.complain);
  const month = /(?<!\d)(20\d{2}(?:0[1-9]|1[0-2]))(?!\d)/.exec(common.file.name)?.[1];
  const url = month === undefined ? DOWNLOADS : `${DOWNLOADS}/${month}`;
  return cell === null ? null : { ...common, cell, methodCode, methodName, url };
}

/** Numbers of procedures are unique within a unit and a method; the file has no id of its own. */
function tenderIdOf({ cells }: CsvRow, { cell, methodCode }: Input): string | null {
  const parts = ["Código UG", methodCode, "Número Licitação"].map((column) => idText(cell(cells, column)));
  return parts.includes(null) ? null : `licitacao/${parts.join("-")}`;
}

/** A procedure: a contract without supplier, dates of a term and values. */
function readTender(row: CsvRow, input: Input): void {
  const { line, cells } = row;
  const { out, context, file, cell, complain, known, isUnseen, methodName, url } = input;
  const sourceId = tenderIdOf(row, input);
  if (sourceId === null) {
    return complain("unusable-record", { line, reason: "no number of the procedure, unit or code of the method" });
  }
  if (!isNew(isUnseen(sourceId, cells.join("\u001f")), line, complain)) return;
  known.put(fingerprint([sourceId]), 0, (first) => first);
  const fields = rowFields(sourceId, line, complain);
  const text = (column: string) => fields.text(column, cell(cells, column));
  const agencyCode = expectedText(fields, "Código Órgão", cell(cells, "Código Órgão"), NOT_INFORMED);
  const unitCode = idText(cell(cells, "Código UG"))!;
  out.batch.contracts.push({
    provenance: provenanceOf(context, file, { source: SOURCE, sourceId, url }),
    number: idText(cell(cells, "Número Licitação"))!,
    object: withoutLabel(text("Objeto"), "Objeto"),
    ...methodOf(fields, cell(cells, methodName)),
    legalBasis: null,
    agencyCode,
    agencyName: text("Nome Órgão") ?? `Órgão ${agencyCode}`,
    parentAgencyCode: text("Código Órgão Superior"),
    parentAgencyName: text("Nome Órgão Superior"),
    unitCode,
    unitName: text("Nome UG") ?? `UG ${unitCode}`,
    supplierId: `unknown/${sourceId}`,
    supplierKind: "unknown",
    supplierTaxId: null,
    supplierName: NOT_INFORMED,
    buyerSphere: "federal",
    signedOn: null,
    publishedOn: null,
    startsOn: null,
    endsOn: null,
    initialValueCents: null,
    currentValueCents: null,
  });
}

function readItem(row: CsvRow, input: Input): void {
  const { line, cells } = row;
  const { out, context, file, cell, complain, known, isUnseenRow, url } = input;
  const contractId = tenderIdOf(row, input);
  if (contractId === null || known.get(fingerprint([contractId])) === undefined) {
    return complain("orphan-item", { line, reason: "its procedure was read from none of the files" });
  }
  const number = idText(cell(cells, "Código Item Compra"));
  if (number === null) return complain("unusable-record", { line, reason: "no item code" });
  const mark = fingerprint(cells);
  if (!isNew(isUnseenRow(mark), line, complain)) return;
  const sourceId = `${contractId}/${number}-${mark}`;
  const fields = rowFields(sourceId, line, complain);
  out.batch.items.push({
    provenance: provenanceOf(context, file, { source: SOURCE, sourceId, url }),
    contractId,
    number,
    description: fields.text("Descrição", cell(cells, "Descrição")),
    complement: null,
    quantity: fields.quantity("Quantidade Item", cell(cells, "Quantidade Item")),
    classificationScheme: null,
    classificationId: null,
    unitPriceCents: null,
  });
}
