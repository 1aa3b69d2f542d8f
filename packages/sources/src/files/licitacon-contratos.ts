import type { AmendmentKind } from "@cidadao/domain/contract";
import type { GovernmentSphere } from "@cidadao/domain/sanction";
import { bareTaxId } from "@cidadao/domain/tax-id";
import { buyerFields, contractValue, dayOf, decimalDot, period, supplierFields } from "../published-fields.ts";
import { type FieldReader, idText } from "../reading.ts";
import type { Method } from "../terms.ts";
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

/** The names of the columns and codes come from public programs that read these files, not from a recorded file. */
export const licitaconContratos = defineFileFormat({
  id: "licitacon-contratos",
  title: "Contratos do LicitaCon, TCE-RS (CSV)",
  description:
    "Arquivos contrato.csv, item_con.csv, alteracao.csv e pessoas.csv do pacote anual ou de um órgão " +
    "(https://dados.tce.rs.gov.br/dados/licitacon/contrato/ano/2024.csv.zip). Colunas descritas por programas públicos que " +
    "os leem, sem arquivo gravado. O item não traz descrição, que está no pacote de licitações; a alteração não traz data.",
  attribution: "TCE-RS, dados abertos, LicitaCon",
  recognises: (head) => roleOf(headerOf(head.split("\n", 1)[0] ?? "")) !== null,
  read,
});

export const TCE_RS = "tce-rs";
const SITE = "https://dados.tce.rs.gov.br/dataset?tags=LicitaCon";

type Role = "people" | "contracts" | "items" | "amendments";
/** In the order in which they refer to one another. */
const ROLES: readonly Role[] = ["people", "contracts", "items", "amendments"];

const CONTRACT = ["CD_ORGAO", "NR_CONTRATO", "ANO_CONTRATO", "TP_INSTRUMENTO"] as const;
/** Numbers of contracts begin anew for each of these too, where the contract came from a procedure. */
const PROCEDURE = ["CD_TIPO_MODALIDADE", "NR_LICITACAO", "ANO_LICITACAO"] as const;

const COLUMNS: Record<Role, { required: readonly string[]; optional: readonly string[] }> = {
  people: { required: ["NR_DOCUMENTO", "NM_PESSOA"], optional: [] },
  contracts: {
    required: [...CONTRACT, ...PROCEDURE],
    optional: [
      "NM_ORGAO",
      "DS_OBJETO",
      "TP_DOCUMENTO",
      "NR_DOCUMENTO",
      "DT_ASSINATURA",
      "DT_INICIO_VIGENCIA",
      "DT_FINAL_VIGENCIA",
      "VL_CONTRATO",
      "LINK_LICITACON_CIDADAO",
    ],
  },
  items: { required: [...CONTRACT, ...PROCEDURE, "NR_ITEM"], optional: ["NR_LOTE", "QT_ITENS", "VL_ITEM"] },
  amendments: {
    required: [...CONTRACT, ...PROCEDURE, "SQ_EVENTO", "CD_TIPO_OPERACAO"],
    optional: ["VL_ACRESCIMO", "VL_REDUCAO", "DS_JUSTIFICATIVA"],
  },
};

function roleOf({ columns }: CsvHeader): Role | null {
  const has = (...names: string[]) => names.every((name) => columns.includes(plain(name)));
  if (has("NR_DOCUMENTO", "NM_PESSOA")) return "people";
  if (!has(...CONTRACT)) return null;
  if (has("CD_TIPO_OPERACAO")) return "amendments";
  if (has("VL_CONTRATO")) return "contracts";
  return has("NR_ITEM", "VL_ITEM") ? "items" : null;
}

type Input = RoleFile<Role> & {
  out: BatchBuilder;
  context: ReadContext;
  cell: CellReader;
  names: Map<string, string>;
  known: ReturnType<typeof compactMap>;
};

function read(files: OpenedFile[], context: ReadContext): AsyncGenerator<Batch> {
  const out = batchBuilder();
  const [names, known] = [new Map<string, string>(), compactMap()];
  return readRoles(files, out, {
    roles: ROLES,
    roleOf,
    otherwise: "contracts",
    isWindows1252: false,
    open(opened) {
      const { role, header, complain } = opened;
      const cell = cellReader(header, COLUMNS[role], complain);
      if (cell === null) return null;
      return { ...opened, out, context, cell, names, known };
    },
    readers,
  });
}

const readers: Record<Role, (row: CsvRow, input: Input) => void> = {
  people: readPerson,
  contracts: readContract,
  items: readItem,
  amendments: readAmendment,
};

/** A year has some 100,000; of more than this the rest stay without a name. */
const NAMES_MAX = 500_000;

function readPerson({ line, cells }: CsvRow, { cell, names, complain }: Input): void {
  const code = cell(cells, "NR_DOCUMENTO");
  const name = idText(cell(cells, "NM_PESSOA"));
  if (code === null || name === null) return complain("unusable-record", { line, reason: "no document, or no name" });
  if (names.size < NAMES_MAX) names.set(bareTaxId(code), name);
  else complain("unusable-record", { line, reason: `more than ${NAMES_MAX} people: this name was not kept` });
}

function readContract(row: CsvRow, input: Input): void {
  const { line, cells } = row;
  const { out, context, file, complain, names, known, isUnseen } = input;
  const cell = (column: string) => input.cell(cells, column);
  const sourceId = contractIdOf(row, input);
  if (sourceId === null) {
    const reason = "no body, number, year or kind of the instrument";
    return complain("unusable-record", { line, reason });
  }
  if (!isNew(isUnseen(sourceId, cells.join("\u001f")), line, complain)) return;
  known.put(fingerprint([sourceId]), 0, (first) => first);
  const fields = rowFields(sourceId, line, complain);
  const agencyCode = idText(cell("CD_ORGAO"))!;
  const agencyName = fields.text("NM_ORGAO", cell("NM_ORGAO")) ?? `Órgão ${agencyCode}`;
  const code = cell("NR_DOCUMENTO");
  const name = code === null ? null : (names.get(bareTaxId(code)) ?? null);
  out.batch.contracts.push({
    provenance: provenanceOf(context, file, { source: TCE_RS, sourceId, url: pageOf(cell("LINK_LICITACON_CIDADAO")) }),
    number: `${idText(cell("NR_CONTRATO"))}/${idText(cell("ANO_CONTRATO"))}`,
    object: fields.text("DS_OBJETO", cell("DS_OBJETO")),
    ...methodOfCode(fields, idText(cell("CD_TIPO_MODALIDADE"))),
    legalBasis: null,
    ...buyerFields({ code: agencyCode, name: agencyName }),
    ...supplierFields(fields, { field: "NR_DOCUMENTO", code, name, isPerson: cell("TP_DOCUMENTO") === "F" }),
    buyerSphere: sphereOf(agencyName),
    buyerState: "RS",
    signedOn: fields.date("DT_ASSINATURA", dayOf(cell("DT_ASSINATURA"))),
    publishedOn: null,
    ...period(
      fields,
      { field: "DT_INICIO_VIGENCIA", value: dayOf(cell("DT_INICIO_VIGENCIA")) },
      { field: "DT_FINAL_VIGENCIA", value: dayOf(cell("DT_FINAL_VIGENCIA")) },
    ),
    initialValueCents: contractValue(fields, "VL_CONTRATO", decimalDot(cell("VL_CONTRATO"))),
    currentValueCents: null,
  });
}

function readItem(row: CsvRow, input: Input): void {
  const { line, cells } = row;
  const { out, context, file, complain } = input;
  const cell = (column: string) => input.cell(cells, column);
  const contractId = contractOf(row, "orphan-item", input);
  if (contractId === null) return;
  const [lot, item] = [idText(cell("NR_LOTE")), idText(cell("NR_ITEM"))];
  if (item === null) return complain("unusable-record", { line, reason: "no number of the item" });
  const mark = fingerprint(cells);
  if (!isNew(input.isUnseenRow(mark), line, complain)) return;
  const number = lot === null ? item : `${lot}/${item}`;
  const sourceId = `${contractId}/${number}-${mark}`;
  const fields = rowFields(sourceId, line, complain);
  out.batch.items.push({
    provenance: provenanceOf(context, file, { source: TCE_RS, sourceId, url: SITE }),
    contractId,
    number,
    description: null,
    complement: null,
    quantity: fields.quantity("QT_ITENS", decimalDot(cell("QT_ITENS"))),
    classificationScheme: null,
    classificationId: null,
    unitPriceCents: fields.money("VL_ITEM", decimalDot(cell("VL_ITEM"))),
  });
}

function readAmendment(row: CsvRow, input: Input): void {
  const { line, cells } = row;
  const { out, context, file, complain } = input;
  const cell = (column: string) => input.cell(cells, column);
  const contractId = contractOf(row, "orphan-amendment", input);
  if (contractId === null) return;
  const [event, operation] = [idText(cell("SQ_EVENTO")), idText(cell("CD_TIPO_OPERACAO"))];
  if (event === null) return complain("unusable-record", { line, reason: "no number of the event" });
  const mark = fingerprint(cells);
  if (!isNew(input.isUnseenRow(mark), line, complain)) return;
  const sourceId = `${contractId}/alteracao-${event}-${mark}`;
  const fields = rowFields(sourceId, line, complain);
  out.batch.amendments.push({
    provenance: provenanceOf(context, file, { source: TCE_RS, sourceId, url: SITE }),
    contractId,
    number: event,
    publishedOn: null,
    object: fields.text("DS_JUSTIFICATIVA", cell("DS_JUSTIFICATIVA")),
    kind: kindOf(fields, operation),
    increaseCents: fields.money("VL_ACRESCIMO", decimalDot(cell("VL_ACRESCIMO"))),
    decreaseCents: fields.money("VL_REDUCAO", decimalDot(cell("VL_REDUCAO"))),
  });
}

function contractIdOf({ cells }: CsvRow, { cell }: Input): string | null {
  const [agency, number, year, instrument] = CONTRACT.map((column) => idText(cell(cells, column)));
  if (!agency || !number || !year || !instrument) return null;
  const procedure = PROCEDURE.map((column) => idText(cell(cells, column)) ?? "").join("-");
  return `${agency}/${instrument}-${number}-${year}/${procedure}`;
}

function contractOf(row: CsvRow, orphan: "orphan-item" | "orphan-amendment", input: Input): string | null {
  const contractId = contractIdOf(row, input);
  if (contractId !== null && input.known.get(fingerprint([contractId])) !== undefined) return contractId;
  input.complain(orphan, { line: row.line, reason: "its contract was read from none of the files" });
  return null;
}

/** Names of the court for its codes; a call or accreditation is no method of the law and stays unknown. */
const METHODS: Record<string, Method> = {
  CHP: named("Chamamento Público", "unknown"),
  CNC: named("Concorrência", "open"),
  CNS: named("Concurso", "open"),
  CNV: named("Convite", "limited"),
  CPC: named("Chamamento Público Credenciamento", "unknown"),
  CPP: named("Chamada Pública-PNAE", "unknown"),
  ESE: named("Lei 13.303/2016 Eletrônico", "open"),
  EST: named("Lei 13.303/2016 Presencial", "open"),
  LEE: named("Leilão Eletrônico", "open"),
  LEI: named("Leilão Presencial", "open"),
  MAI: named("Manifestação de Interesse", "unknown"),
  PDE: named("Processo de Dispensa Eletrônica", "direct", "waived"),
  PRD: named("Processo de Dispensa", "direct", "waived"),
  PRE: named("Pregão Eletrônico", "open"),
  PRI: named("Processo de Inexigibilidade", "direct", "no_competition"),
  PRP: named("Pregão Presencial", "open"),
  RDC: named("Regime Diferenciado de Contratação - Presencial", "open"),
  RDE: named("Regime Diferenciado de Contratação - Eletrônico", "open"),
  RIN: named("Regras Internacionais", "unknown"),
  RPO: named("Registro de Preço de Outro Órgão", "unknown"),
  TMP: named("Tomada de Preços", "selective"),
};

function named(
  procurementMethodDetails: string,
  procurementMethod: Method["procurementMethod"],
  directAwardKind: Method["directAwardKind"] = null,
): Method {
  return { procurementMethod, procurementMethodDetails, directAwardKind };
}

function methodOfCode(fields: FieldReader, code: string | null): Method {
  const known = code === null ? undefined : METHODS[code];
  if (code !== null && known === undefined) {
    fields.complain("CD_TIPO_MODALIDADE", `unknown method: ${code.slice(0, 60)}`, "unknown-method");
  }
  return known ?? { procurementMethod: "unknown", procurementMethodDetails: code, directAwardKind: null };
}

/** Prices that follow an index or a new balance change no contract: both are put on record without an amendment. */
const ENDORSEMENTS = new Set(["RJP", "REF"]);
/** Of the budget line, the inspector, the way of payment or of delivery, the guarantee: not of what is bought. */
const OTHERS = new Set(["ADO", "AGF", "ANR", "MFP", "MMF", "MRE", "OUT", "SGE"]);
const AMENDMENTS = new Set(["ACA", "ACC", "AVI", "MPE", "PPC", "REN", "RVP", "RVS"]);

function kindOf(fields: FieldReader, operation: string | null): AmendmentKind | null {
  if (operation === null) return null;
  if (ENDORSEMENTS.has(operation)) return "endorsement";
  if (AMENDMENTS.has(operation)) return "amendment";
  if (!OTHERS.has(operation)) fields.complain("CD_TIPO_OPERACAO", `unknown operation: ${operation.slice(0, 60)}`);
  return "other";
}

/** City halls and councils are named so; a body of the state and one of a municipality otherwise look the same. */
function sphereOf(agencyName: string): GovernmentSphere {
  return /^(?:PM|CM) DE /i.test(agencyName) ? "municipal" : "unknown";
}

function pageOf(link: string | null): string {
  const isPage = link !== null && URL.canParse(link) && new URL(link).protocol === "https:" && link.length <= 500;
  return isPage ? link : SITE;
}
