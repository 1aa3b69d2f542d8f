import { TENDER_PREFIX } from "../portal-transparencia/tender.ts";
import { expectedText, NOT_INFORMED, supplierFields } from "../published-fields.ts";
import { idText, withoutLabel } from "../reading.ts";
import { methodOf } from "../terms.ts";
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
import { readRoles, type RoleFile } from "./read-roles.ts";
import { compactMap, fingerprint } from "./seen.ts";

/**
 * The names of the columns come from the publisher's dictionary, not from a recorded file: where the dictionary and
 * those who read the files differ, both names are taken.
 */
export const portalLicitacoes = defineFileFormat({
  id: "portal-licitacoes",
  title: "Licitações do Portal da Transparência (CSV)",
  description:
    "Arquivos *_Licitação.csv, *_ItemLicitação.csv, *_ParticipantesLicitação.csv e *_EmpenhosRelacionados.csv do pacote " +
    "mensal de licitações (https://portaldatransparencia.gov.br/download-de-dados/licitacoes). Colunas do dicionário de " +
    "dados e de programas públicos que os leem, sem arquivo gravado. Do valor do item, que é um total, não se calcula " +
    "preço.",
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
const PARTICIPANT_CODES = ["Código Participante", "CNPJ Participante"] as const;

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
    open: (opened) => openRows({ ...opened, out, context, known }),
    readers,
  });
}

type Common = RoleFile<Role> & {
  out: BatchBuilder;
  context: ReadContext;
  known: ReturnType<typeof compactMap>;
};
type Input = Common & { cell: CellReader; methodCode: string; methodName: string; participant: string; url: string };

const COLUMNS = {
  tenders: {
    required: [...KEY, "Código Órgão"],
    optional: ["Objeto", "Nome UG", "Código Órgão Superior", "Nome Órgão Superior", "Nome Órgão"],
  },
  items: { required: [...KEY, "Código Item Compra"], optional: ["Descrição", "Quantidade Item"] },
  participants: { required: [...KEY], optional: ["Código Item Compra", "Nome Participante", "Flag Vencedor"] },
  commitments: {
    required: [...KEY, "Código Empenho"],
    optional: ["Data Emissão Empenho", "Observação Empenho", "Valor Empenho (R$)"],
  },
};

const readers: Record<Role, (row: CsvRow, input: Input) => void> = {
  tenders: readTender,
  items: readItem,
  participants: readTenderer,
  commitments: readCommitment,
};

function openRows(common: Common): Input | null {
  const { header, role } = common;
  const { columns } = header;
  const present = (names: readonly string[]) => names.find((name) => columns.includes(plain(name))) ?? names[0]!;
  const [methodCode, methodName] = [present(METHOD_CODES), present(METHOD_NAMES)];
  const participant = present(PARTICIPANT_CODES);
  const { required, optional } = COLUMNS[role];
  const asked = {
    required: [...required, methodCode, ...(role === "participants" ? [participant] : [])],
    optional: [...optional, methodName],
  };
  const cell = cellReader(header, asked, common.complain);
  const month = /(?<!\d)(20\d{2}(?:0[1-9]|1[0-2]))(?!\d)/.exec(common.file.name)?.[1];
  const url = month === undefined ? DOWNLOADS : `${DOWNLOADS}/${month}`;
  return cell === null ? null : { ...common, cell, methodCode, methodName, participant, url };
}

/** Numbers of procedures are unique within a unit and a method; the file has no id of its own. */
function tenderIdOf({ cells }: CsvRow, { cell, methodCode }: Input): string | null {
  const parts = ["Código UG", methodCode, "Número Licitação"].map((column) => idText(cell(cells, column)));
  return parts.includes(null) ? null : `${TENDER_PREFIX}${parts.join("-")}`;
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
  const { out, context, file, cell, complain, isUnseenRow, url } = input;
  const contractId = knownTenderOf(row, "orphan-item", input);
  if (contractId === null) return;
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

/** A row for each item that somebody bid for. */
function readTenderer(row: CsvRow, input: Input): void {
  const { line, cells } = row;
  const { out, context, file, cell, complain, isUnseen, url, participant } = input;
  const tenderId = knownTenderOf(row, "orphan-tenderer", input);
  if (tenderId === null) return;
  const itemNumber = idText(cell(cells, "Código Item Compra"));
  const fields = rowFields(tenderId, line, complain);
  const name = fields.text("Nome Participante", cell(cells, "Nome Participante"));
  const party = supplierFields(fields, { field: participant, code: cell(cells, participant), name });
  if (party.supplierId === "unknown") {
    return complain("unusable-record", { line, reason: "neither code nor name of who took part" });
  }
  const sourceId = [tenderId, "participante", party.supplierId, ...(itemNumber === null ? [] : [itemNumber])].join("/");
  if (!isNew(isUnseen(sourceId, cells.join("\u001f")), line, complain)) return;
  const won = plain(cell(cells, "Flag Vencedor") ?? "");
  out.batch.tenderers.push({
    provenance: provenanceOf(context, file, { source: SOURCE, sourceId, url }),
    tenderId,
    itemNumber,
    kind: party.supplierKind,
    taxId: party.supplierTaxId,
    name: party.supplierName,
    isWinner: won === "sim" ? true : won === "nao" ? false : null,
  });
}

function readCommitment(row: CsvRow, input: Input): void {
  const { line, cells } = row;
  const { out, context, file, cell, complain, isUnseen, url } = input;
  const contractId = knownTenderOf(row, "orphan-commitment", input);
  if (contractId === null) return;
  const code = idText(cell(cells, "Código Empenho"));
  if (code === null) return complain("unusable-record", { line, reason: "no code of the commitment" });
  const sourceId = `${contractId}/empenho/${code}`;
  if (!isNew(isUnseen(sourceId, cells.join("\u001f")), line, complain)) return;
  const fields = rowFields(sourceId, line, complain);
  out.batch.commitments.push({
    provenance: provenanceOf(context, file, { source: SOURCE, sourceId, url }),
    contractId,
    code,
    issuedOn: fields.date("Data Emissão Empenho", cell(cells, "Data Emissão Empenho")),
    note: fields.text("Observação Empenho", cell(cells, "Observação Empenho")),
    amountCents: fields.money("Valor Empenho (R$)", cell(cells, "Valor Empenho (R$)")),
  });
}

type Orphan = "orphan-item" | "orphan-tenderer" | "orphan-commitment";

function knownTenderOf(row: CsvRow, orphan: Orphan, input: Input): string | null {
  const id = tenderIdOf(row, input);
  if (id !== null && input.known.get(fingerprint([id])) !== undefined) return id;
  input.complain(orphan, { line: row.line, reason: "its procedure was read from none of the files" });
  return null;
}
