import { type Contract, directAwardKinds, procurementMethods, supplierKinds } from "@cidadao/domain/contract";
import { recordKey } from "@cidadao/domain/provenance";
import { governmentSpheres } from "@cidadao/domain/sanction";
import { createTable, type Columns } from "./columns.ts";
import { dateOf, dayOf } from "./days.ts";
import { createRecordKeys } from "./record-keys.ts";
import { createTextColumn, textAt, type TextColumnData } from "./text-column.ts";
import { isWithheld } from "../text.ts";
import { columnFollowing, columnOf, createDictionary, type Dictionary, NONE } from "./dictionary.ts";

const kinds = {
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
const NOTHING = 0;

export const methodCodes = codesOf(procurementMethods);
export const awardKindCodes = codesOf(directAwardKinds);
export const supplierKindCodes = codesOf(supplierKinds);
export const sphereCodes = codesOf(governmentSpheres);

/** The dictionaries of a frame: codes of agencies, units and methods, names, record keys. */
export type ContractTexts = {
  codes: Dictionary;
  names: Dictionary;
  suppliers: Dictionary;
};

/** Plain data that crosses to another thread by structured clone. */
export type ContractData = {
  columns: Columns<typeof kinds>;
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
export type Contracts = Columns<typeof kinds> & {
  size: number;
  /** The contract's number, and what it buys. */
  numberText: (row: number) => string;
  objectText: (row: number) => string | null;
  codeText: (id: number) => string;
  nameText: (id: number) => string;
  keyText: (row: number) => string;
  supplierText: (id: number) => string;
  /** Number of different codes, names and suppliers: the length of a table by id. */
  codesSize: number;
  namesSize: number;
  suppliersSize: number;
  at: (row: number) => Contract;
  /** Row of a record key; `NONE` where there is no such contract. */
  rowOf(key: string): number;
};

export type ContractBuilder = {
  readonly size: number;
  add(contract: Contract): void;
  /** Id of a contract's record key, whether it has come yet or not. */
  keyOf: (source: string, sourceId: string) => number;
  data(): ContractData;
};

export function createContractBuilder(): ContractBuilder {
  const table = createTable(kinds);
  const texts: ContractTexts = {
    codes: createDictionary(),
    names: createDictionary(),
    suppliers: createDictionary(),
  };
  const column = {
    source: columnOf(texts.codes),
    agency: columnFollowing(texts.codes),
    agencyName: columnFollowing(texts.names),
    parentAgency: columnFollowing(texts.codes),
    parentAgencyName: columnFollowing(texts.names),
    unit: columnOf(texts.codes),
    unitName: columnFollowing(texts.names),
    supplierName: columnFollowing(texts.names),
    methodDetails: columnFollowing(texts.codes),
    legalBasis: columnOf(texts.names),
    retrievedAt: columnOf(texts.codes),
    sample: columnOf(texts.codes),
    category: columnOf(texts.codes),
    buyerState: columnOf(texts.codes),
  };
  const [numbers, objects, urls] = [createTextColumn(), createTextColumn(), createTextColumn()];
  const keys = createRecordKeys();
  const rows: number[] = [];
  let repeated = 0;

  const write = (row: number, key: number, contract: Contract): void => {
    const { suppliers } = texts;
    const columns = table.columns;
    const { provenance } = contract;
    columns.key[row] = key;
    columns.source[row] = column.source(provenance.source);
    const unit = column.unit(contract.unitCode);
    const agency = column.agency(unit, contract.agencyCode);
    columns.agency[row] = agency;
    columns.agencyName[row] = column.agencyName(agency, contract.agencyName);
    columns.parentAgency[row] = column.parentAgency(agency, contract.parentAgencyCode);
    columns.parentAgencyName[row] = column.parentAgencyName(agency, contract.parentAgencyName);
    columns.unit[row] = unit;
    columns.unitName[row] = column.unitName(unit, contract.unitName);
    const taxId = suppliers.idOf(contract.supplierTaxId);
    const supplierId = contract.supplierId === contract.supplierTaxId ? taxId : suppliers.idOf(contract.supplierId);
    columns.supplier[row] = taxId === NONE ? supplierId : taxId;
    columns.supplierId[row] = supplierId;
    columns.supplierTaxId[row] = taxId;
    columns.supplierName[row] = column.supplierName(supplierId, contract.supplierName);
    columns.legalBasis[row] = column.legalBasis(contract.legalBasis);
    columns.retrievedAt[row] = column.retrievedAt(provenance.retrievedAt);
    columns.sample[row] = column.sample(provenance.sample);
    columns.category[row] = column.category(contract.category);
    columns.buyerState[row] = column.buyerState(contract.buyerState);
    const method = methodCodes[contract.procurementMethod];
    columns.method[row] = method;
    columns.methodDetails[row] = column.methodDetails(method, contract.procurementMethodDetails);
    columns.awardKind[row] = contract.directAwardKind === null ? NOTHING : awardKindCodes[contract.directAwardKind];
    columns.supplierKind[row] = supplierKindCodes[contract.supplierKind];
    columns.buyerSphere[row] = contract.buyerSphere ? sphereCodes[contract.buyerSphere] : NOTHING;
    columns.signedOn[row] = dayOf(contract.signedOn);
    columns.publishedOn[row] = dayOf(contract.publishedOn);
    columns.startsOn[row] = dayOf(contract.startsOn);
    columns.endsOn[row] = dayOf(contract.endsOn);
    columns.initialValue[row] = contract.initialValueCents ?? Number.NaN;
    columns.currentValue[row] = contract.currentValueCents ?? Number.NaN;
    columns.estimatedValue[row] = contract.estimatedValueCents ?? Number.NaN;
    columns.isWithheld[row] = Number(isWithheld(contract.object));
  };

  const data = (): ContractData => ({
    columns: table.trimmed(),
    numbers: numbers.data(),
    objects: objects.data(),
    urls: urls.data(),
    keys: keys.data(),
    texts: { codes: texts.codes.texts, names: texts.names.texts, suppliers: texts.suppliers.texts },
    repeated,
  });

  return {
    get size() {
      return table.size;
    },
    add(contract) {
      const { source, sourceId } = contract.provenance;
      const key = keys.idOf(column.source(source), sourceId);
      const known = rows[key];
      if (known === undefined || known === NONE) {
        const row = table.append();
        rows[key] = row;
        write(row, key, contract);
        numbers.push(contract.number);
        objects.push(contract.object);
        urls.push(contract.provenance.url);
        return;
      }
      repeated++;
      // Asked of the columns as they stand: a copy of all for every repeated record would be quadratic.
      const stored = contractAt(
        {
          columns: table.columns,
          numbers: numbers.live(),
          objects: objects.live(),
          urls: urls.live(),
          keys: keys.live(),
          texts: {
            codes: texts.codes.texts,
            names: texts.names.texts,
            suppliers: texts.suppliers.texts,
          },
        },
        known,
      );
      if (!isLater(contract, stored)) return;
      write(known, key, contract);
      numbers.set(known, contract.number);
      objects.set(known, contract.object);
      urls.set(known, contract.provenance.url);
    },
    keyOf(source, sourceId) {
      const id = keys.idOf(column.source(source), sourceId);
      rows[id] ??= NONE;
      return id;
    },
    data,
  };
}

export function openContracts(data: ContractData): Contracts {
  const { columns, numbers, objects, texts } = data;
  let rowByKey: Map<string, number> | null = null;
  const keyText = (row: number): string =>
    recordKey({ source: texts.codes[columns.source[row]!]!, sourceId: textAt(data.keys, columns.key[row]!)! });
  return {
    ...columns,
    supplierKind: kindsOf(columns, texts.suppliers.length),
    size: columns.key.length,
    numberText: (row) => textAt(numbers, row)!,
    objectText: (row) => textAt(objects, row),
    codeText: (id) => texts.codes[id] ?? "",
    nameText: (id) => texts.names[id] ?? "",
    keyText,
    supplierText: (id) => texts.suppliers[id] ?? "",
    codesSize: texts.codes.length,
    namesSize: texts.names.length,
    suppliersSize: texts.suppliers.length,
    at: (row) => contractAt(data, row),
    rowOf(key) {
      rowByKey ??= new Map(Array.from(columns.key, (_, row) => [keyText(row), row]));
      return rowByKey.get(key) ?? NONE;
    },
  };
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

function contractAt(
  { columns, numbers, objects, urls, keys, texts }: Omit<ContractData, "repeated">,
  row: number,
): Contract {
  const code = (id: number) => texts.codes[id] ?? null;
  const name = (id: number) => texts.names[id] ?? null;
  const supplier = (id: number) => texts.suppliers[id] ?? null;
  return {
    provenance: {
      source: code(columns.source[row]!)!,
      sourceId: textAt(keys, columns.key[row]!)!,
      url: textAt(urls, row)!,
      retrievedAt: code(columns.retrievedAt[row]!)!,
      sample: code(columns.sample[row]!),
    },
    number: textAt(numbers, row)!,
    object: textAt(objects, row),
    procurementMethod: procurementMethods[columns.method[row]! - 1]!,
    procurementMethodDetails: code(columns.methodDetails[row]!),
    directAwardKind: directAwardKinds[columns.awardKind[row]! - 1] ?? null,
    legalBasis: name(columns.legalBasis[row]!),
    agencyCode: code(columns.agency[row]!)!,
    agencyName: name(columns.agencyName[row]!)!,
    parentAgencyCode: code(columns.parentAgency[row]!),
    parentAgencyName: name(columns.parentAgencyName[row]!),
    unitCode: code(columns.unit[row]!)!,
    unitName: name(columns.unitName[row]!)!,
    supplierId: supplier(columns.supplierId[row]!)!,
    supplierKind: supplierKinds[columns.supplierKind[row]! - 1]!,
    supplierTaxId: supplier(columns.supplierTaxId[row]!),
    supplierName: name(columns.supplierName[row]!)!,
    buyerSphere: governmentSpheres[columns.buyerSphere[row]! - 1] ?? null,
    buyerState: code(columns.buyerState[row]!),
    signedOn: dateOf(columns.signedOn[row]!),
    publishedOn: dateOf(columns.publishedOn[row]!),
    startsOn: dateOf(columns.startsOn[row]!),
    endsOn: dateOf(columns.endsOn[row]!),
    initialValueCents: centsOf(columns.initialValue[row]!),
    currentValueCents: centsOf(columns.currentValue[row]!),
    category: code(columns.category[row]!),
    estimatedValueCents: centsOf(columns.estimatedValue[row]!),
  };
}

/** Of two readings of one record the later counts; of two at the same moment the one whose text sorts last. */
function isLater(contract: Contract, than: Contract): boolean {
  const [left, right] = [contract.provenance.retrievedAt, than.provenance.retrievedAt];
  if (left !== right) return left > right;
  const builder = createContractBuilder();
  builder.add(contract);
  return JSON.stringify(contractAt(builder.data(), 0)) > JSON.stringify(than);
}

export function centsOf(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function codesOf<const Word extends string>(words: readonly Word[]): Record<Word, number> {
  return Object.fromEntries(words.map((word, index) => [word, index + 1])) as Record<Word, number>;
}
