import type { Contract } from "@cidadao/domain/contract";
import { appendRow, createTable, trimmedColumns } from "./columns.ts";
import {
  awardKindCodes,
  contractColumns,
  type ContractData,
  methodCodes,
  NOTHING,
  readContract,
  sphereCodes,
  supplierKindCodes,
} from "./contracts.ts";
import { dayOf } from "./days.ts";
import {
  createDictionary,
  createIdColumn,
  createOwnedColumn,
  idInColumn,
  idOf,
  idOfOwner,
  NONE,
  withRoomFor,
} from "./dictionary.ts";
import { createRecordKeys, keyIdOf } from "./record-keys.ts";
import { createTextColumn, pushText, setText, trimmedTexts } from "./text-column.ts";
import { isWithheld } from "../text.ts";

/** Contracts as they are folded: the columns of `ContractData` with room to spare, and what finds an id again. */
export type ContractBuilder = ReturnType<typeof createContractBuilder>;

export function createContractBuilder() {
  const codes = createDictionary();
  const names = createDictionary();
  const suppliers = createDictionary();
  return {
    table: createTable(contractColumns),
    texts: { codes, names, suppliers },
    ids: {
      source: createIdColumn(codes),
      agency: createOwnedColumn(codes),
      agencyName: createOwnedColumn(names),
      parentAgency: createOwnedColumn(codes),
      parentAgencyName: createOwnedColumn(names),
      unit: createIdColumn(codes),
      unitName: createOwnedColumn(names),
      supplierName: createOwnedColumn(names),
      methodDetails: createOwnedColumn(codes),
      legalBasis: createIdColumn(names),
      retrievedAt: createIdColumn(codes),
      sample: createIdColumn(codes),
      category: createIdColumn(codes),
      buyerState: createIdColumn(codes),
    },
    numbers: createTextColumn(),
    objects: createTextColumn(),
    urls: createTextColumn(),
    keys: createRecordKeys(),
    /** By id of the record key; `NONE` for a key of which no contract has come. */
    rows: new Int32Array(ROWS_MIN).fill(NONE),
    repeated: 0,
  };
}

const ROWS_MIN = 256;

/** A record that came before is kept once, in its latest reading. */
export function addContract(builder: ContractBuilder, contract: Contract): void {
  const key = contractKeyOf(builder, contract.provenance.source, contract.provenance.sourceId);
  const known = builder.rows[key]!;
  if (known !== NONE) {
    addAgain(builder, known, contract);
    return;
  }
  const row = appendRow(builder.table);
  builder.rows[key] = row;
  builder.table.columns.key[row] = key;
  write(builder, row, contract);
  pushText(builder.numbers, contract.number);
  pushText(builder.objects, contract.object);
  pushText(builder.urls, contract.provenance.url);
}

/** Id of a contract's record key, whether it has come yet or not. */
export function contractKeyOf(builder: ContractBuilder, source: string, sourceId: string): number {
  const key = keyIdOf(builder.keys, idInColumn(builder.ids.source, source), sourceId);
  if (key >= builder.rows.length) builder.rows = withRoomFor(builder.rows, key);
  return key;
}

export function contractData(builder: ContractBuilder): ContractData {
  const { codes, names, suppliers } = builder.texts;
  return {
    columns: trimmedColumns(builder.table),
    numbers: trimmedTexts(builder.numbers),
    objects: trimmedTexts(builder.objects),
    urls: trimmedTexts(builder.urls),
    keys: trimmedTexts(builder.keys.sourceIds),
    texts: { codes: codes.texts, names: names.texts, suppliers: suppliers.texts },
    repeated: builder.repeated,
  };
}

function addAgain(builder: ContractBuilder, row: number, contract: Contract): void {
  builder.repeated++;
  const { table, numbers, objects, urls, keys, texts } = builder;
  const { codes, names, suppliers } = texts;
  // Asked of the columns as they stand: a copy of all for every repeated record would be quadratic.
  const stored = readContract(
    {
      columns: table.columns,
      numbers,
      objects,
      urls,
      keys: keys.sourceIds,
      texts: { codes: codes.texts, names: names.texts, suppliers: suppliers.texts },
    },
    row,
  );
  if (!isLater(contract, stored)) return;
  write(builder, row, contract);
  setText(numbers, row, contract.number);
  setText(objects, row, contract.object);
  setText(urls, row, contract.provenance.url);
}

function write({ table, texts, ids }: ContractBuilder, row: number, contract: Contract): void {
  const { columns } = table;
  const { provenance } = contract;
  columns.source[row] = idInColumn(ids.source, provenance.source);
  const unit = idInColumn(ids.unit, contract.unitCode);
  const agency = idOfOwner(ids.agency, unit, contract.agencyCode);
  columns.agency[row] = agency;
  columns.agencyName[row] = idOfOwner(ids.agencyName, agency, contract.agencyName);
  columns.parentAgency[row] = idOfOwner(ids.parentAgency, agency, contract.parentAgencyCode);
  columns.parentAgencyName[row] = idOfOwner(ids.parentAgencyName, agency, contract.parentAgencyName);
  columns.unit[row] = unit;
  columns.unitName[row] = idOfOwner(ids.unitName, unit, contract.unitName);
  const taxId = idOf(texts.suppliers, contract.supplierTaxId);
  const supplierId =
    contract.supplierId === contract.supplierTaxId ? taxId : idOf(texts.suppliers, contract.supplierId);
  columns.supplier[row] = taxId === NONE ? supplierId : taxId;
  columns.supplierId[row] = supplierId;
  columns.supplierTaxId[row] = taxId;
  columns.supplierName[row] = idOfOwner(ids.supplierName, supplierId, contract.supplierName);
  columns.legalBasis[row] = idInColumn(ids.legalBasis, contract.legalBasis);
  columns.retrievedAt[row] = idInColumn(ids.retrievedAt, provenance.retrievedAt);
  columns.sample[row] = idInColumn(ids.sample, provenance.sample);
  columns.category[row] = idInColumn(ids.category, contract.category);
  columns.buyerState[row] = idInColumn(ids.buyerState, contract.buyerState);
  const method = methodCodes[contract.procurementMethod];
  columns.method[row] = method;
  columns.methodDetails[row] = idOfOwner(ids.methodDetails, method, contract.procurementMethodDetails);
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
}

/** Of two readings of one record the later counts; of two at the same moment the one whose text sorts last. */
function isLater(contract: Contract, than: Contract): boolean {
  const [left, right] = [contract.provenance.retrievedAt, than.provenance.retrievedAt];
  if (left !== right) return left > right;
  const builder = createContractBuilder();
  addContract(builder, contract);
  return JSON.stringify(readContract(contractData(builder), 0)) > JSON.stringify(than);
}
