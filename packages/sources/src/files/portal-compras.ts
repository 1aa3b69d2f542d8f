import type { Contract } from "@cidadao/domain/contract";
import { idText, withoutLabel } from "../reading.ts";
import { methodOf } from "../terms.ts";
import { type CellReader, cellReader } from "./csv-columns.ts";
import { type CsvHeader, type CsvRow, headerOf } from "./csv-rows.ts";
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
import { contractValue, expectedText, NOT_INFORMED, period, supplierFields } from "../published-fields.ts";
import { readRoles, type RoleFile } from "./read-roles.ts";
import { compactMap, fingerprint, fingerprintNumber } from "./seen.ts";

export const portalCompras = defineFileFormat({
  id: "portal-compras",
  title: "Compras do Portal da Transparência (CSV)",
  description:
    "Arquivos *_Compras.csv, *_ItemCompra.csv e *_TermoAditivo.csv do pacote mensal de compras " +
    "(https://portaldatransparencia.gov.br/download-de-dados/compras). Informe os três juntos.",
  attribution: "Portal da Transparência / CGU, compras",
  recognises: (head) => roleOf(headerOf(head.split("\n", 1)[0] ?? "")) !== null,
  read,
});

const SOURCE = "portal-transparencia";
const DOWNLOADS = "https://portaldatransparencia.gov.br/download-de-dados/compras";

type Role = "contracts" | "items" | "amendments";
const ROLES: readonly Role[] = ["contracts", "items", "amendments"];

const COLUMNS = {
  contracts: {
    required: ["Número do Contrato", "Código Órgão", "Código UG", "Código Contratado"],
    optional: [
      "Objeto",
      "Fundamento Legal",
      "Modalidade Compra",
      "Código Órgão Superior",
      "Nome Órgão Superior",
      "Nome Órgão",
      "Nome UG",
      "Data Assinatura Contrato",
      "Data Publicação DOU",
      "Data Início Vigência",
      "Data Fim Vigência",
      "Nome Contratado",
      "Valor Inicial Compra",
      "Valor Final Compra",
    ],
  },
  items: {
    required: ["Código UG", "Número Contrato", "Código Item Compra"],
    optional: ["Descrição Item Compra", "Descrição Complementar Item Compra", "Quantidade Item", "Valor Item"],
  },
  amendments: {
    required: ["Código UG", "Número Contrato", "Número Termo Aditivo"],
    optional: ["Data Publicação", "Objeto"],
  },
} as const satisfies Record<Role, { required: string[]; optional: string[] }>;

function roleOf({ columns }: CsvHeader): Role | null {
  const has = (...names: string[]) => names.some((name) => columns.includes(name));
  const isOfProcedures = has("numero licitacao") && !has("numero do contrato", "numero contrato");
  if (isOfProcedures) return null;
  if (has("codigo item compra", "descricao item compra")) return "items";
  if (has("numero termo aditivo")) return "amendments";
  return has("numero do contrato", "codigo contratado", "valor inicial compra") ? "contracts" : null;
}

function read(files: OpenedFile[], context: ReadContext): AsyncGenerator<Batch> {
  const out = batchBuilder();
  const [known, names] = [knownContracts(), readNames()];
  return readRoles(files, out, {
    roles: ROLES,
    roleOf,
    otherwise: "contracts",
    isWindows1252: true,
    open(opened) {
      const { role, file, header, complain } = opened;
      const cell = cellReader(header, COLUMNS[role], complain);
      if (cell === null) return null;
      return { ...opened, out, context, cell, known, names, url: downloadUrl(file) };
    },
    readers,
  });
}

type Input = RoleFile<Role> & {
  out: BatchBuilder;
  context: ReadContext;
  cell: CellReader;
  known: ReturnType<typeof knownContracts>;
  names: ReturnType<typeof readNames>;
  url: string;
};

const readers: Record<Role, (row: CsvRow, input: Input) => void> = {
  contracts: readContract,
  items: readItem,
  amendments: readAmendment,
};

function readContract(
  { line, cells }: CsvRow,
  { out, context, file, cell, complain, known, isUnseen, names, url }: Input,
): void {
  const number = idText(cell(cells, "Número do Contrato"));
  const unitCode = idText(cell(cells, "Código UG"));
  if (number === null || unitCode === null) {
    return complain("unusable-record", { line, reason: "no contract number, or no managing unit" });
  }
  const fields = rowFields(`${unitCode}-${number}`, line, complain);
  const text = (column: string) => fields.text(column, cell(cells, column));
  const nameText = (column: string) => names.text(cell(cells, column), () => text(column));
  const date = (column: string) => ({ field: column, value: cell(cells, column) });
  const supplier = supplierFields(fields, {
    field: "Código Contratado",
    code: cell(cells, "Código Contratado"),
    name: text("Nome Contratado"),
  });
  const signedOn = fields.date("Data Assinatura Contrato", cell(cells, "Data Assinatura Contrato"));
  const initialValueCents = contractValue(fields, "Valor Inicial Compra", cell(cells, "Valor Inicial Compra"));
  const mark = fingerprint([supplier.supplierId, signedOn ?? "", String(initialValueCents ?? "")]);
  const sourceId = `${unitCode}-${number}-${mark}`;
  if (!isNew(isUnseen(sourceId, cells.join("\u001f")), line, complain)) return;
  known.add(unitCode, number, mark);

  const agencyCode = expectedText(fields, "Código Órgão", cell(cells, "Código Órgão"), NOT_INFORMED);
  const contract: Contract = {
    provenance: provenanceOf(context, file, { source: SOURCE, sourceId, url }),
    number,
    object: withoutLabel(text("Objeto"), "Objeto"),
    ...methodOf(fields, cell(cells, "Modalidade Compra")),
    legalBasis: withoutLabel(text("Fundamento Legal"), "Fundamento Legal"),
    agencyCode,
    agencyName: nameText("Nome Órgão") ?? `Órgão ${agencyCode}`,
    parentAgencyCode: nameText("Código Órgão Superior"),
    parentAgencyName: nameText("Nome Órgão Superior"),
    unitCode,
    unitName: nameText("Nome UG") ?? `UG ${unitCode}`,
    ...supplier,
    buyerSphere: "federal",
    signedOn,
    publishedOn: fields.date("Data Publicação DOU", cell(cells, "Data Publicação DOU")),
    ...period(fields, date("Data Início Vigência"), date("Data Fim Vigência")),
    initialValueCents,
    currentValueCents: fields.money("Valor Final Compra", cell(cells, "Valor Final Compra")),
  };
  out.batch.contracts.push(contract);
}

function readItem(row: CsvRow, { out, context, file, cell, complain, known, isUnseenRow, url }: Input): void {
  const { line, cells } = row;
  const contractId = contractOf(row, "orphan-item", { cell, complain, known });
  if (contractId === null) return;
  const number = idText(cell(cells, "Código Item Compra"));
  if (number === null) return complain("unusable-record", { line, reason: "no item code" });
  // A code may come twice with other words. Secret items are all "0": equal ones may be different things.
  const mark = number === SECRET_ITEM ? `L${line}` : fingerprint(cells);
  const rowMark = number === SECRET_ITEM ? fingerprint([contractId, mark]) : mark;
  if (!isNew(isUnseenRow(rowMark), line, complain)) return;
  const sourceId = `${contractId}/${number}-${mark}`;
  const fields = rowFields(sourceId, line, complain);
  out.batch.items.push({
    provenance: provenanceOf(context, file, { source: SOURCE, sourceId, url }),
    contractId,
    number,
    description: fields.text("Descrição Item Compra", cell(cells, "Descrição Item Compra")),
    complement: fields.text("Descrição Complementar Item Compra", cell(cells, "Descrição Complementar Item Compra")),
    quantity: fields.quantity("Quantidade Item", cell(cells, "Quantidade Item")),
    classificationScheme: null,
    classificationId: null,
    unitPriceCents: fields.money("Valor Item", cell(cells, "Valor Item")),
  });
}

const SECRET_ITEM = "0";

function readAmendment(row: CsvRow, { out, context, file, cell, complain, known, isUnseenRow, url }: Input): void {
  const { line, cells } = row;
  const contractId = contractOf(row, "orphan-amendment", { cell, complain, known });
  if (contractId === null) return;
  const number = idText(cell(cells, "Número Termo Aditivo"));
  if (number === null) return complain("unusable-record", { line, reason: "no amendment number" });
  const mark = fingerprint(cells);
  if (!isNew(isUnseenRow(mark), line, complain)) return;
  const sourceId = `${contractId}/${number}-${mark}`;
  const fields = rowFields(sourceId, line, complain);
  out.batch.amendments.push({
    provenance: provenanceOf(context, file, { source: SOURCE, sourceId, url }),
    contractId,
    number,
    publishedOn: fields.date("Data Publicação", cell(cells, "Data Publicação")),
    object: withoutLabel(fields.text("Objeto", cell(cells, "Objeto")), "Objetivo"),
    kind: "amendment",
  });
}

function contractOf(
  { line, cells }: CsvRow,
  orphan: "orphan-item" | "orphan-amendment",
  { cell, complain, known }: Pick<Input, "cell" | "complain" | "known">,
): string | null {
  const found = known.find(idText(cell(cells, "Código UG")), idText(cell(cells, "Número Contrato")));
  if (found === "none") complain(orphan, { line, reason: "its contract was read from none of the files" });
  if (found === "several") {
    const reason = "two contracts of the unit share this number: it may belong to either";
    complain("ambiguous-contract-key", { line, reason });
  }
  return found === "none" || found === "several" ? null : found.id;
}

/** Which contract a unit and a number name. The ids are put together again from the mark alone. */
function knownContracts() {
  const marks = compactMap();
  const SEVERAL = -1;
  // The items of a contract follow one another.
  let last: { unit: string | null; number: string | null; found: { id: string } | "several" } | null = null;
  return {
    add(unit: string, number: string, mark: string): void {
      last = null;
      marks.put(fingerprint([unit, number]), fingerprintNumber(mark), () => SEVERAL);
    },
    find(unit: string | null, number: string | null): { id: string } | "none" | "several" {
      if (last !== null && last.unit === unit && last.number === number) return last.found;
      const mark = unit === null || number === null ? undefined : marks.get(fingerprint([unit, number]));
      if (mark === undefined) return "none";
      const id = `${unit}-${number}-${mark.toString(16).padStart(12, "0")}`;
      last = { unit, number, found: mark === SEVERAL ? "several" : { id } };
      return last.found;
    },
  };
}

const NAMES_MAX = 20_000;

/** A few thousand agencies and units name themselves in millions of rows. */
function readNames() {
  const texts = new Map<string, string | null>();
  return {
    text(published: string | null, read: () => string | null): string | null {
      if (published === null) return null;
      const known = texts.get(published);
      if (known !== undefined) return known;
      const text = read();
      if (texts.size < NAMES_MAX) texts.set(published, text);
      return text;
    },
  };
}

/** The month is in the name of the published file, and nowhere else. */
function downloadUrl(file: OpenedFile): string {
  const month = /(?<!\d)(20\d{2}(?:0[1-9]|1[0-2]))(?!\d)/.exec(file.name)?.[1];
  return month === undefined ? DOWNLOADS : `${DOWNLOADS}/${month}`;
}
