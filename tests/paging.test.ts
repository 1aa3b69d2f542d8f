import { loadAmendments, loadContracts, loadItems, loadSanctions } from "@cidadao/database/records";
import { ingestRecords } from "./support/ingest-records.ts";
import type { Contract } from "@cidadao/domain/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { agency, contract, noLimit, provenance, sanction, SOURCE, supplier } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
afterAll(() => db[Symbol.asyncDispose]());
const { store } = db;

const [OUR_AGENCY, OTHER_AGENCY] = ["26435", "20101"];
const [OUR_SUPPLIER, OTHER_SUPPLIER] = ["15195707000178", "33000167000101"];
const COUNT = 2_500;
const key = (index: number) => `c${String(index).padStart(5, "0")}`;
/** Every fifth is of the other agency, every seventh of the other supplier. */
const contracts: Contract[] = Array.from({ length: COUNT }, (_, index) => {
  const supplierId = index % 7 === 0 ? OTHER_SUPPLIER : OUR_SUPPLIER;
  const agencyCode = index % 5 === 0 ? OTHER_AGENCY : OUR_AGENCY;
  return contract(key(index), { agencyCode, supplierId, supplierTaxId: supplierId });
});
/** In a window of their own, each named for where its days lie. */
const windows: [string, string | null, string | null][] = [
  ["w1-ends-the-day-before", "2019-01-01", "2019-02-28"],
  ["w2-ends-on-the-first-day", "2019-01-01", "2019-03-01"],
  ["w3-inside", "2019-03-10", "2019-03-20"],
  ["w4-around", "2018-01-01", "2020-01-01"],
  ["w5-starts-on-the-last-day", "2019-03-31", "2020-01-01"],
  ["w6-starts-the-day-after", "2019-04-01", "2020-01-01"],
  ["w7-no-start", null, "2019-03-05"],
  ["w8-no-end", "2019-03-05", null],
  ["w9-no-dates", null, null],
];
const WINDOW_AGENCY = "30000";

beforeAll(async () => {
  const ingest = (table: Parameters<typeof ingestRecords>[1], records: Parameters<typeof ingestRecords>[2]) =>
    ingestRecords(store, table, records, noLimit);
  await ingest("agencies", [agency(OUR_AGENCY), agency(OTHER_AGENCY), agency(WINDOW_AGENCY)]);
  await ingest("suppliers", [supplier(OUR_SUPPLIER), supplier(OTHER_SUPPLIER)]);
  await ingest("contracts", contracts.toReversed());
  const given = { agencyCode: WINDOW_AGENCY, supplierId: OTHER_SUPPLIER, supplierTaxId: OTHER_SUPPLIER };
  await ingest(
    "contracts",
    windows.map(([id, startsOn, endsOn]) => contract(id, { ...given, startsOn, endsOn })),
  );
});

const year = { from: "2024-01-01", to: "2024-12-31" };
const load = (scope: Partial<Parameters<typeof loadContracts>[2]>) =>
  loadContracts(store, SOURCE, { ...year, ...scope }, noLimit);
const ids = (records: { provenance: { sourceId: string } }[]) => records.map((record) => record.provenance.sourceId);
const idsWhere = (keep: (contract: Contract) => boolean) => ids(contracts.filter(keep));

describe("loading contracts", () => {
  test("gives all of more than a thousand, whole and in key order", async () => {
    expect(await load({ agencyCodes: [OUR_AGENCY, OTHER_AGENCY] })).toEqual(contracts);
  });

  test("gives those of the named agencies only", async () => {
    expect(ids(await load({ agencyCodes: [OUR_AGENCY] }))).toEqual(idsWhere((one) => one.agencyCode === OUR_AGENCY));
    expect(await load({ agencyCodes: ["99999"] })).toEqual([]);
  });

  test("gives those of the supplier only, and of supplier and agency together", async () => {
    const agencyCodes = [OUR_AGENCY, OTHER_AGENCY];
    expect(ids(await load({ agencyCodes, supplierCnpj: OUR_SUPPLIER }))).toEqual(
      idsWhere((one) => one.supplierTaxId === OUR_SUPPLIER),
    );
    expect(ids(await load({ agencyCodes: [OTHER_AGENCY], supplierCnpj: OTHER_SUPPLIER }))).toEqual(
      idsWhere((one) => one.agencyCode === OTHER_AGENCY && one.supplierTaxId === OTHER_SUPPLIER),
    );
  });

  test("gives what was in force on some day of the window, a missing date counting as open", async () => {
    const march = { from: "2019-03-01", to: "2019-03-31", agencyCodes: [WINDOW_AGENCY] };
    expect(ids(await load(march))).toEqual(
      windows.map(([id]) => id).filter((id) => id !== "w1-ends-the-day-before" && id !== "w6-starts-the-day-after"),
    );
  });

  test("reads on behind keys that hold the characters PostgREST gives a meaning to", async () => {
    const odd = Array.from({ length: 1_500 }, (_, index) =>
      contract(`x"${String(index).padStart(4, "0")}",\\(a.b)*`, { agencyCode: WINDOW_AGENCY, ...window2030 }),
    );
    await ingestRecords(store, "contracts", odd, noLimit);
    expect(ids(await load({ agencyCodes: [WINDOW_AGENCY], from: "2030-01-01", to: "2030-12-31" }))).toEqual([
      "w8-no-end",
      "w9-no-dates",
      ...ids(odd),
    ]);
  });
});

const window2030 = { startsOn: "2030-01-01", endsOn: "2030-12-31" };

describe("loading the parts of contracts", () => {
  test("gives all items and amendments of the named contracts and of no other", async () => {
    const items = Array.from({ length: 1_500 }, (_, index) => ({
      provenance: provenance(`i${String(index).padStart(5, "0")}`),
      contractId: key(index % 150),
      number: String(index),
      description: "Papel",
      complement: null,
      quantity: 1.5,
      classificationScheme: "CATMAT",
      classificationId: "461878",
      unitOfMeasure: null,
      unitPriceCents: index,
    }));
    const amendments = items.map(({ provenance: { sourceId }, contractId, number }) => ({
      provenance: provenance(sourceId),
      contractId,
      number,
      publishedOn: null,
      object: null,
    }));
    await ingestRecords(store, "contract_items", items, noLimit);
    await ingestRecords(store, "amendments", amendments, noLimit);
    const named = Array.from({ length: 120 }, (_, index) => key(index));
    const ofNamed = (records: { contractId: string; provenance: { sourceId: string } }[]) =>
      ids(records.filter((record) => named.includes(record.contractId))).toSorted();
    expect(ids(await loadItems(store, SOURCE, named, noLimit)).toSorted()).toEqual(ofNamed(items));
    expect(ids(await loadAmendments(store, SOURCE, named, noLimit)).toSorted()).toEqual(ofNamed(amendments));
    expect((await loadItems(store, SOURCE, [key(7)], noLimit))[0]).toEqual(items[7]);
    expect(await loadItems(store, "another-source", named, noLimit)).toEqual([]);
    expect(await loadItems(store, SOURCE, [], noLimit)).toEqual([]);
  });
});

describe("loading sanctions", () => {
  test("finds companies by CNPJ root, other branches included, and never a person", async () => {
    const root = "15195707";
    const sanctions = [
      sanction("s1", `${root}000178`),
      sanction("s2", `${root}000259`),
      sanction("s3", "33000167000101"),
      sanction("s4", "***.195.707-**", { supplierKind: "person" }),
      sanction("s5", `${root}000178`, { supplierKind: "unknown" }),
    ];
    await ingestRecords(store, "sanctions", sanctions, noLimit);
    expect(await loadSanctions(store, [root, root], noLimit)).toEqual(sanctions.slice(0, 2));
    expect(await loadSanctions(store, ["99999999"], noLimit)).toEqual([]);
    expect(await loadSanctions(store, [], noLimit)).toEqual([]);
  });

  test("finds all of more than a thousand, over more roots than one question names", async () => {
    const roots = Array.from({ length: 250 }, (_, index) => String(40_000_000 + index));
    const sanctions = roots.flatMap((root) =>
      Array.from({ length: 12 }, (_, branch) =>
        sanction(`m${root}-${branch}`, `${root}00${String(branch).padStart(4, "0")}`),
      ),
    );
    await ingestRecords(store, "sanctions", sanctions, noLimit);
    const found = await loadSanctions(store, roots.toReversed(), noLimit);
    expect(ids(found).toSorted()).toEqual(ids(sanctions).toSorted());
  });
});
