import type { ContractItem } from "@cidadao/domain/contract";
import { appendRow, type Columns, createTable, trimmedColumns } from "./columns.ts";
import { centsOf } from "./contracts.ts";
import { createDictionary, createIdColumn, idInColumn, NONE } from "./dictionary.ts";
import { createTextColumn, pushText, textAt, type TextColumnData, trimmedTexts } from "./text-column.ts";

const kinds = {
  /** Id of the contract's record key, then, in an opened frame, the contract's row. */
  contract: "int",
  source: "int",
  description: "int",
  scheme: "int",
  classification: "int",
  unitOfMeasure: "int",
  retrievedAt: "int",
  sample: "int",
  quantity: "number",
  unitPrice: "number",
} as const;

export type ItemData = {
  columns: Columns<typeof kinds>;
  sourceIds: TextColumnData;
  contractIds: TextColumnData;
  numbers: TextColumnData;
  complements: TextColumnData;
  urls: TextColumnData;
  texts: readonly string[];
};

/** Items of contracts by column; those of contract row r are `start[r]` to `start[r + 1]`, in the order of their ids. */
export type Items = {
  size: number;
  start: Int32Array;
  contract: Int32Array;
  description: Int32Array;
  scheme: Int32Array;
  classification: Int32Array;
  unitOfMeasure: Int32Array;
  quantity: Float64Array;
  /** Cents, or NaN. */
  unitPrice: Float64Array;
  text(id: number): string | null;
  textsSize: number;
  complementText(index: number): string | null;
  at(index: number): ContractItem;
};

/** Items as they are folded. `keyOf` gives the id of their contract's record key. */
export type ItemBuilder = ReturnType<typeof createItemBuilder>;

export function createItemBuilder(keyOf: (source: string, sourceId: string) => number) {
  const texts = createDictionary();
  return {
    keyOf,
    table: createTable(kinds),
    texts,
    ids: {
      source: createIdColumn(texts),
      description: createIdColumn(texts),
      scheme: createIdColumn(texts),
      classification: createIdColumn(texts),
      unitOfMeasure: createIdColumn(texts),
      retrievedAt: createIdColumn(texts),
      sample: createIdColumn(texts),
    },
    last: { source: "", contractId: "", key: NONE },
    sourceIds: createTextColumn(),
    contractIds: createTextColumn(),
    numbers: createTextColumn(),
    complements: createTextColumn(),
    urls: createTextColumn(),
  };
}

export function addItem(builder: ItemBuilder, item: ContractItem): void {
  const { table, ids, last } = builder;
  const row = appendRow(table);
  const { columns } = table;
  const { provenance } = item;
  if (item.contractId !== last.contractId || provenance.source !== last.source) {
    last.source = provenance.source;
    last.contractId = item.contractId;
    last.key = builder.keyOf(provenance.source, item.contractId);
  }
  columns.contract[row] = last.key;
  columns.source[row] = idInColumn(ids.source, provenance.source);
  columns.description[row] = idInColumn(ids.description, item.description);
  columns.scheme[row] = idInColumn(ids.scheme, item.classificationScheme);
  columns.classification[row] = idInColumn(ids.classification, item.classificationId);
  columns.unitOfMeasure[row] = idInColumn(ids.unitOfMeasure, item.unitOfMeasure);
  columns.retrievedAt[row] = idInColumn(ids.retrievedAt, provenance.retrievedAt);
  columns.sample[row] = idInColumn(ids.sample, provenance.sample);
  columns.quantity[row] = item.quantity ?? Number.NaN;
  columns.unitPrice[row] = item.unitPriceCents ?? Number.NaN;
  pushText(builder.sourceIds, provenance.sourceId);
  pushText(builder.contractIds, item.contractId);
  pushText(builder.numbers, item.number);
  pushText(builder.complements, item.complement);
  pushText(builder.urls, provenance.url);
}

export function itemData(builder: ItemBuilder): ItemData {
  return {
    columns: trimmedColumns(builder.table),
    sourceIds: trimmedTexts(builder.sourceIds),
    contractIds: trimmedTexts(builder.contractIds),
    numbers: trimmedTexts(builder.numbers),
    complements: trimmedTexts(builder.complements),
    urls: trimmedTexts(builder.urls),
    texts: builder.texts.texts,
  };
}

/** `rowOfKey[id]` is the row of the contract with that key id. Items of unknown contracts are left out. */
export function openItems(data: ItemData, rowOfKey: Int32Array, contracts: number): Items {
  const order = orderByContract(data, rowOfKey, contracts);
  const { columns } = data;
  const pickInt = (column: Int32Array) => pick(column, order.indexes, new Int32Array(order.indexes.length));
  const pickNumber = (column: Float64Array) => pick(column, order.indexes, new Float64Array(order.indexes.length));
  const contract = pickInt(columns.contract);
  for (let index = 0; index < contract.length; index++) contract[index] = rowOfKey[contract[index]!]!;
  return {
    size: order.indexes.length,
    start: order.start,
    contract,
    description: pickInt(columns.description),
    scheme: pickInt(columns.scheme),
    classification: pickInt(columns.classification),
    unitOfMeasure: pickInt(columns.unitOfMeasure),
    quantity: pickNumber(columns.quantity),
    unitPrice: pickNumber(columns.unitPrice),
    text: (id) => data.texts[id] ?? null,
    textsSize: data.texts.length,
    complementText: (index) => textAt(data.complements, order.indexes[index]!),
    at: (index) => itemAt(data, order.indexes[index]!),
  };
}

function pick<Column extends Int32Array | Float64Array>(column: Column, indexes: Int32Array, into: Column): Column {
  for (let index = 0; index < indexes.length; index++) into[index] = column[indexes[index]!]!;
  return into;
}

/** Every item of a builder, whether its contract is known or not: what a merge goes over. */
export function* itemsOf(data: ItemData): Generator<ContractItem> {
  for (let index = 0; index < data.sourceIds.lengths.length; index++) yield itemAt(data, index);
}

function itemAt(data: ItemData, index: number): ContractItem {
  const { columns } = data;
  const text = (id: number) => data.texts[id] ?? null;
  return {
    provenance: {
      source: text(columns.source[index]!)!,
      sourceId: textAt(data.sourceIds, index)!,
      url: textAt(data.urls, index)!,
      retrievedAt: text(columns.retrievedAt[index]!)!,
      sample: text(columns.sample[index]!),
    },
    contractId: textAt(data.contractIds, index)!,
    number: textAt(data.numbers, index)!,
    description: text(columns.description[index]!),
    complement: textAt(data.complements, index),
    quantity: centsOf(columns.quantity[index]!),
    classificationScheme: text(columns.scheme[index]!),
    classificationId: text(columns.classification[index]!),
    unitOfMeasure: text(columns.unitOfMeasure[index]!),
    unitPriceCents: centsOf(columns.unitPrice[index]!),
  };
}

/** A counting sort by contract; within one contract by id, an item that came twice once. */
function orderByContract(data: ItemData, rowOfKey: Int32Array, contracts: number) {
  const { contract } = data.columns;
  const counts = new Int32Array(contracts + 1);
  let known = 0;
  for (const key of contract) {
    const row = rowOfKey[key] ?? NONE;
    if (row === NONE) continue;
    counts[row + 1]!++;
    known++;
  }
  for (let row = 0; row < contracts; row++) counts[row + 1]! += counts[row]!;
  const next = counts.slice();
  const sorted = new Int32Array(known);
  for (let index = 0; index < contract.length; index++) {
    const row = rowOfKey[contract[index]!] ?? NONE;
    if (row !== NONE) sorted[next[row]!++] = index;
  }
  const indexes = new Int32Array(known);
  const start = new Int32Array(contracts + 1);
  let kept = 0;
  for (let row = 0; row < contracts; row++) {
    start[row] = kept;
    const [from, to] = [counts[row]!, counts[row + 1]!];
    if (to - from === 1) {
      indexes[kept++] = sorted[from]!;
    } else if (to > from) {
      for (const index of inOrder(data, sorted.subarray(from, to))) indexes[kept++] = index;
    }
  }
  start[contracts] = kept;
  return { indexes: indexes.subarray(0, kept), start };
}

function inOrder(data: ItemData, indexes: Int32Array): number[] {
  const named = Array.from(indexes, (index) => ({ index, id: textAt(data.sourceIds, index)! }));
  const kept: number[] = [];
  let lastId = "";
  for (const { index, id } of named.sort((a, b) => compareTexts(a.id, b.id))) {
    const last = kept.at(-1);
    const isRepeated = last !== undefined && id === lastId;
    lastId = id;
    if (!isRepeated) kept.push(index);
    else if (isLater(itemAt(data, index), itemAt(data, last))) kept[kept.length - 1] = index;
  }
  return kept;
}

function isLater(item: ContractItem, than: ContractItem): boolean {
  const [left, right] = [item.provenance.retrievedAt, than.provenance.retrievedAt];
  return left === right ? JSON.stringify(item) > JSON.stringify(than) : left > right;
}

export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
