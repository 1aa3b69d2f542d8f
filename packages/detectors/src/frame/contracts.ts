import { type Contract, directAwardKinds, procurementMethods, supplierKinds } from "@cidadao/domain/contract";
import { recordKey } from "@cidadao/domain/provenance";
import { governmentSpheres } from "@cidadao/domain/sanction";
import type { Columns } from "./columns.ts";
import { dateOf } from "./days.ts";
import { NONE } from "./dictionary.ts";
import { textAt, type TextColumnData } from "./text-column.ts";

export const contractColumns = {
  key: "int",
  source: "int",
  agency: "int",
  agencyName: "int",
  parentAgency: "int",
  parentAgencyName: "int",
  unit: "int",
  unitName: "int",
  /** Who sells: the tax id where there is one, else the source's own id. */
  supplier: "int",
  supplierId: "int",
  supplierTaxId: "int",
  supplierName: "int",
  methodDetails: "int",
  legalBasis: "int",
  retrievedAt: "int",
  sample: "int",
  category: "int",
  buyerState: "int",
  method: "byte",
  awardKind: "byte",
  supplierKind: "byte",
  buyerSphere: "byte",
  signedOn: "int",
  publishedOn: "int",
  startsOn: "int",
  endsOn: "int",
  initialValue: "number",
  currentValue: "number",
  estimatedValue: "number",
  /** 1 where the publisher keeps the object secret. */
  isWithheld: "byte",
} as const;

/** Zero stands for nothing in byte columns; the words follow in their order. */
export const NOTHING = 0;

export const methodCodes = codesOf(procurementMethods);
export const awardKindCodes = codesOf(directAwardKinds);
export const supplierKindCodes = codesOf(supplierKinds);
export const sphereCodes = codesOf(governmentSpheres);

/** Plain data that crosses to another thread by structured clone. */
export type ContractData = {
  columns: Columns<typeof contractColumns>;
  numbers: TextColumnData;
  objects: TextColumnData;
  urls: TextColumnData;
  /** Ids at the source: of the contracts, and of contracts that other records name. */
  keys: TextColumnData;
  texts: { codes: readonly string[]; names: readonly string[]; suppliers: readonly string[] };
  /** Records that came more than once; the latest reading of each was kept. */
  repeated: number;
};

/** Contracts by column. Ids are those of the dictionaries, days are days since 1970, `NONE` is nothing, money is cents or NaN. */
export type Contracts = Columns<typeof contractColumns> & {
  size: number;
  /** Number of different codes, names and suppliers: the length of a table by id. */
  codesSize: number;
  namesSize: number;
  suppliersSize: number;
  data: ContractData;
};

export function openContracts(data: ContractData): Contracts {
  const { columns, texts } = data;
  return {
    ...columns,
    supplierKind: kindsOf(columns, texts.suppliers.length),
    size: columns.key.length,
    codesSize: texts.codes.length,
    namesSize: texts.names.length,
    suppliersSize: texts.suppliers.length,
    data,
  };
}

/*
 * Readers are functions of the whole and a row, never closures over one frame: the engine throws away code that was
 * compiled for a closure when its frame is gone, and compiles it again for the next.
 */

export function keyText({ data }: Contracts, row: number): string {
  return recordKey({
    source: data.texts.codes[data.columns.source[row]!]!,
    sourceId: textAt(data.keys, data.columns.key[row]!)!,
  });
}

export function numberText({ data }: Contracts, row: number): string {
  return textAt(data.numbers, row)!;
}

/** What the contract buys, in the publisher's words. */
export function objectText({ data }: Contracts, row: number): string | null {
  return textAt(data.objects, row);
}

export function codeText({ data }: Contracts, id: number): string {
  return data.texts.codes[id] ?? "";
}

export function nameText({ data }: Contracts, id: number): string {
  return data.texts.names[id] ?? "";
}

export function supplierText({ data }: Contracts, id: number): string {
  return data.texts.suppliers[id] ?? "";
}

export function contractAt({ data }: Contracts, row: number): Contract {
  return readContract(data, row);
}

/** Where the records of one supplier disagree about its kind, the one that comes first in the list of kinds holds for all. */
function kindsOf({ supplier, supplierKind }: ContractData["columns"], suppliers: number): Uint8Array {
  const kinds = new Uint8Array(suppliers);
  let disagree = false;
  for (let row = 0; row < supplier.length; row++) {
    const [kind, known] = [supplierKind[row]!, kinds[supplier[row]!]!];
    if (known === kind) continue;
    disagree ||= known !== NOTHING;
    if (known === NOTHING || kind < known) kinds[supplier[row]!] = kind;
  }
  return disagree ? supplierKind.map((_, row) => kinds[supplier[row]!]!) : supplierKind;
}

export function readContract(
  { columns, numbers, objects, urls, keys, texts }: Omit<ContractData, "repeated">,
  row: number,
): Contract {
  const { codes, names, suppliers } = texts;
  return {
    provenance: {
      source: textOf(codes, columns.source[row]!)!,
      sourceId: textAt(keys, columns.key[row]!)!,
      url: textAt(urls, row)!,
      retrievedAt: textOf(codes, columns.retrievedAt[row]!)!,
      sample: textOf(codes, columns.sample[row]!),
    },
    number: textAt(numbers, row)!,
    object: textAt(objects, row),
    procurementMethod: procurementMethods[columns.method[row]! - 1]!,
    procurementMethodDetails: textOf(codes, columns.methodDetails[row]!),
    directAwardKind: directAwardKinds[columns.awardKind[row]! - 1] ?? null,
    legalBasis: textOf(names, columns.legalBasis[row]!),
    agencyCode: textOf(codes, columns.agency[row]!)!,
    agencyName: textOf(names, columns.agencyName[row]!)!,
    parentAgencyCode: textOf(codes, columns.parentAgency[row]!),
    parentAgencyName: textOf(names, columns.parentAgencyName[row]!),
    unitCode: textOf(codes, columns.unit[row]!)!,
    unitName: textOf(names, columns.unitName[row]!)!,
    supplierId: textOf(suppliers, columns.supplierId[row]!)!,
    supplierKind: supplierKinds[columns.supplierKind[row]! - 1]!,
    supplierTaxId: textOf(suppliers, columns.supplierTaxId[row]!),
    supplierName: textOf(names, columns.supplierName[row]!)!,
    buyerSphere: governmentSpheres[columns.buyerSphere[row]! - 1] ?? null,
    buyerState: textOf(codes, columns.buyerState[row]!),
    signedOn: dateOf(columns.signedOn[row]!),
    publishedOn: dateOf(columns.publishedOn[row]!),
    startsOn: dateOf(columns.startsOn[row]!),
    endsOn: dateOf(columns.endsOn[row]!),
    initialValueCents: centsOf(columns.initialValue[row]!),
    currentValueCents: centsOf(columns.currentValue[row]!),
    category: textOf(codes, columns.category[row]!),
    estimatedValueCents: centsOf(columns.estimatedValue[row]!),
  };
}

function textOf(texts: readonly string[], id: number): string | null {
  return id === NONE ? null : texts[id]!;
}

export function centsOf(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function codesOf<const Word extends string>(words: readonly Word[]): Record<Word, number> {
  return Object.fromEntries(words.map((word, index) => [word, index + 1])) as Record<Word, number>;
}
