import type { Amendment, Contract } from "@cidadao/domain/contract";
import type { Dataset } from "@cidadao/domain/dataset";
import { recordKey, type Provenance } from "@cidadao/domain/provenance";
import type { Registration } from "@cidadao/domain/registration";
import { type Sanction, type SanctionList, sanctionLists } from "@cidadao/domain/sanction";
import { addContract, contractData, contractKeyOf, createContractBuilder } from "./contract-builder.ts";
import { contractAt, type ContractData, type Contracts, keyText, openContracts } from "./contracts.ts";
import { NONE } from "./dictionary.ts";
import {
  addItem,
  compareTexts,
  createItemBuilder,
  itemData,
  type ItemData,
  type Items,
  itemsOf,
  openItems,
} from "./items.ts";

/**
 * What detectors read: contracts and items by column, the smaller kinds as records. A frame of a million contracts
 * takes some hundred bytes a contract; the texts of the records themselves come on top.
 */
export type Frame = {
  contracts: Contracts;
  items: Items;
  amendments: Amendments;
  sanctions: readonly Sanction[];
  sanctionListsRead: readonly SanctionList[];
  registrations: Registrations;
};

export type Amendments = {
  size: number;
  contracts: Contracts;
  /** By the key of their contract. */
  byContract: ReadonlyMap<string, readonly Amendment[]>;
};

/** Those of the contract in `row`, in the order of their ids. */
export function amendmentsOf({ size, contracts, byContract }: Amendments, row: number): readonly Amendment[] {
  return size === 0 ? NO_AMENDMENTS : (byContract.get(keyText(contracts, row)) ?? NO_AMENDMENTS);
}

const NO_AMENDMENTS: readonly Amendment[] = [];

export type Registrations = {
  size: number;
  of(cnpj: string): Registration | null;
  all: readonly Registration[];
};

/** Plain data: what one slice of a dataset comes to. It crosses between threads and processes by structured clone. */
export type FrameData = {
  contracts: ContractData;
  items: ItemData;
  amendments: Amendment[];
  sanctions: Sanction[];
  sanctionListsRead: SanctionList[];
  registrations: Registration[];
};

export type FrameBuilder = {
  readonly size: number;
  /** Folds more records in; a record that came before is kept once, in its latest reading. */
  add(records: Partial<Dataset>): void;
  /** Folds the slice of another builder in: the same as adding its records. */
  merge(slice: FrameData): void;
  data(): FrameData;
};

/**
 * Folds records of any size and order. Whatever the order and however the records were sliced over builders, the frame
 * opened at the end gives the same answers.
 */
export function createFrameBuilder(): FrameBuilder {
  const contracts = createContractBuilder();
  const items = createItemBuilder((source, sourceId) => contractKeyOf(contracts, source, sourceId));
  const amendments = new Map<string, Amendment>();
  const sanctions = new Map<string, Sanction>();
  const registrations = new Map<string, Registration>();
  const lists = new Set<SanctionList>();
  const add = (records: Partial<Dataset>): void => {
    for (const contract of records.contracts ?? []) addContract(contracts, contract);
    for (const item of records.items ?? []) addItem(items, item);
    for (const amendment of records.amendments ?? []) keepLater(amendments, amendment);
    for (const sanction of records.sanctions ?? []) keepLater(sanctions, sanction);
    for (const registration of records.registrations ?? []) keepLater(registrations, registration);
    for (const list of records.sanctionListsRead ?? []) lists.add(list);
  };
  return {
    get size() {
      return contracts.table.size;
    },
    add,
    merge(slice) {
      for (const contract of contractsOf(slice.contracts)) addContract(contracts, contract);
      for (const item of itemsOf(slice.items)) addItem(items, item);
      const { amendments, sanctions, registrations, sanctionListsRead } = slice;
      add({ amendments, sanctions, registrations, sanctionListsRead });
    },
    data: () => ({
      contracts: contractData(contracts),
      items: itemData(items),
      amendments: [...amendments.values()],
      sanctions: [...sanctions.values()],
      sanctionListsRead: sanctionLists.filter((list) => lists.has(list)),
      registrations: [...registrations.values()],
    }),
  };
}

export function openFrame(data: FrameData): Frame {
  const contracts = openContracts(data.contracts);
  const rowOfKey = new Int32Array(data.contracts.keys.lengths.length).fill(NONE);
  for (let row = 0; row < contracts.size; row++) rowOfKey[contracts.key[row]!] = row;
  return {
    contracts,
    items: openItems(data.items, rowOfKey, contracts.size),
    amendments: openAmendments(data.amendments, contracts),
    sanctions: data.sanctions.toSorted(byKey),
    sanctionListsRead: data.sanctionListsRead,
    registrations: openRegistrations(data.registrations),
  };
}

export function frameOf(dataset: Dataset): Frame {
  const builder = createFrameBuilder();
  builder.add(dataset);
  return openFrame(builder.data());
}

function* contractsOf(data: ContractData): Generator<Contract> {
  const contracts = openContracts(data);
  for (let row = 0; row < contracts.size; row++) yield contractAt(contracts, row);
}

function openAmendments(amendments: Amendment[], contracts: Contracts): Amendments {
  const byContract = Map.groupBy(amendments.toSorted(byKey), ({ provenance, contractId }) =>
    recordKey({ source: provenance.source, sourceId: contractId }),
  );
  return { size: amendments.length, contracts, byContract };
}

function openRegistrations(registrations: Registration[]): Registrations {
  const all = registrations.toSorted(byKey);
  const byCnpj = new Map(all.map((registration) => [registration.cnpj, registration]));
  return { size: all.length, all, of: (cnpj) => byCnpj.get(cnpj) ?? null };
}

function keepLater<Record extends { provenance: Provenance }>(records: Map<string, Record>, record: Record): void {
  const key = recordKey(record.provenance);
  const stored = records.get(key);
  const order = stored ? compareTexts(stored.provenance.retrievedAt, record.provenance.retrievedAt) : -1;
  if (order < 0 || (order === 0 && JSON.stringify(record) > JSON.stringify(stored))) records.set(key, record);
}

function byKey(a: { provenance: Provenance }, b: { provenance: Provenance }): number {
  return compareTexts(recordKey(a.provenance), recordKey(b.provenance));
}
