import { type RecordTable } from "@cidadao/database/records";
import { ingestRecords } from "./support/ingest-records.ts";
import { type RecordLines, recordLines } from "@cidadao/database/record-lines";
import type { SourceRecord } from "@cidadao/database/rows";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { agency, contract, noLimit, provenance, sanction, supplier } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
afterAll(() => db[Symbol.asyncDispose]());
const { store } = db;
beforeEach(() => db.sql("truncate agencies, suppliers, sanctions cascade"));

const ingest = (table: RecordTable, records: Parameters<typeof ingestRecords>[2]) =>
  ingestRecords(store, table, records, noLimit);
const agencies = (count: number, name = "Órgão") =>
  Array.from({ length: count }, (_, index) => {
    const code = String(10_000 + index);
    return agency(code, { name: `${name} ${code}` });
  });

describe("ingesting records", () => {
  test("stores what is new, and the same records again write nothing", async () => {
    expect(await ingest("agencies", agencies(50))).toEqual({ inserted: 50, updated: 0, unchanged: 0 });
    const before = await db.sql("select xmin::text, * from agencies order by source_id");
    const readLater = agencies(50).map((record) => ({
      ...record,
      provenance: { ...record.provenance, retrievedAt: "2024-07-01T00:00:00+00:00" },
    }));
    expect(await ingest("agencies", readLater)).toEqual({ inserted: 0, updated: 0, unchanged: 50 });
    expect(await db.sql("select xmin::text, * from agencies order by source_id")).toEqual(before);
  });

  test("updates a record that changed, and only that one", async () => {
    await ingest("agencies", agencies(3));
    const [first, second, third] = agencies(3);
    expect(await ingest("agencies", [first!, { ...second!, name: "Novo nome" }, third!])).toEqual({
      inserted: 0,
      updated: 1,
      unchanged: 2,
    });
    const rows = await db.sql(
      "select source_id, name, changed_at > first_seen_at as changed from agencies order by source_id",
    );
    expect(rows).toEqual([
      { source_id: "10000", name: "Órgão 10000", changed: false },
      { source_id: "10001", name: "Novo nome", changed: true },
      { source_id: "10002", name: "Órgão 10002", changed: false },
    ]);
  });

  test("takes a record that a batch names twice once", async () => {
    expect(await ingest("agencies", [...agencies(2), ...agencies(2)])).toEqual({
      inserted: 2,
      updated: 0,
      unchanged: 0,
    });
  });

  test("cuts more than a thousand records into batches and counts all of them", async () => {
    expect(await ingest("agencies", agencies(2_345))).toEqual({ inserted: 2_345, updated: 0, unchanged: 0 });
    expect(await ingest("agencies", agencies(2_350))).toEqual({ inserted: 5, updated: 0, unchanged: 2_345 });
  });

  test("stores nothing of a batch in which one record is refused", async () => {
    const orphan = { ...agency("1"), name: null };
    await expect(ingest("agencies", [agency("2"), orphan])).rejects.toThrow("storing a page");
    expect(await db.sql("select 1 from agencies")).toEqual([]);
  });

  test("refuses a table that is not one of records", async () => {
    for (const table of ["investigations", "ingest_runs", "agencies; drop table agencies"]) {
      await expect(ingest(table as RecordTable, agencies(1))).rejects.toThrow("does not know the table");
    }
  });

  test("refuses an unmasked CPF of a supplier and of a sanctioned person", async () => {
    await expect(ingest("suppliers", [{ ...supplier("12345678909"), kind: "person" }])).rejects.toThrow("masked");
    await expect(ingest("sanctions", [sanction("s", "12345678909", { supplierKind: "person" })])).rejects.toThrow(
      "masked",
    );
    expect(await ingest("suppliers", [{ ...supplier("***.456.789-**"), kind: "person" }])).toMatchObject({
      inserted: 1,
    });
  });

  test("keeps every table's own columns", async () => {
    await ingest("agencies", [agency("26435")]);
    await ingest("suppliers", [supplier("15195707000178")]);
    await ingest("contracts", [contract("c1")]);
    const items = [
      {
        provenance: provenance("i1"),
        contractId: "c1",
        number: "1",
        description: "Papel",
        complement: null,
        quantity: 12.5,
        unitPriceCents: 199,
      },
    ];
    const amendments = [
      { provenance: provenance("a1"), contractId: "c1", number: "1", publishedOn: "2024-05-01", object: null },
    ];
    expect(await ingest("contract_items", items)).toMatchObject({ inserted: 1 });
    expect(await ingest("amendments", amendments)).toMatchObject({ inserted: 1 });
    expect(await ingest("sanctions", [sanction("s1", "15195707000178")])).toMatchObject({ inserted: 1 });
    expect(await db.sql("select quantity::float, unit_price_cents from contract_items")).toEqual([
      { quantity: 12.5, unit_price_cents: 199 },
    ]);
    expect(await db.sql("select legal_basis from sanctions")).toEqual([{ legal_basis: ["Lei 10520, art. 7"] }]);
  });

  test("keeps any text to the letter, but for the characters that PostgreSQL or the transport cannot carry", async () => {
    const text = fc.string({ unit: "binary", minLength: 1 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { minLength: 1, maxLength: 20 }),
        fc.array(text, { maxLength: 4 }),
        async (names, laws) => {
          await db.sql("truncate agencies, sanctions cascade");
          const records = names.map((name, index) =>
            agency(String(index).padStart(3, "0"), { name, parentName: null }),
          );
          await ingest("agencies", records);
          await ingest("sanctions", [sanction("s", "15195707000178", { legalBasis: laws })]);
          const stored = await db.sql<{ name: string; parent_name: null }>(
            "select name, parent_name from agencies order by source_id",
          );
          // oxlint-disable-next-line no-control-regex
          const kept = (one: string) => one.toWellFormed().replaceAll(/[\0\u001A\u001C\u001E\u001F]/g, "");
          expect(stored).toEqual(names.map((name) => ({ name: kept(name), parent_name: null })));
          expect(await db.sql("select legal_basis from sanctions")).toEqual([{ legal_basis: laws.map(kept) }]);
        },
      ),
      {
        numRuns: 40,
        examples: [
          [
            ["NULL", "\\N", "\t", "\n", "a\\", "\u001A", "a\u001Fb", "a\u001Eb", "a\u001Cb", "a\0b", "\u0001"],
            ['"', "{}", "\\", "a\u001Fb\u001Cc"],
          ],
        ],
      },
    );
  });

  test("refuses a field that its table has no column for, instead of leaving it out", async () => {
    await expect(ingest("agencies", [{ ...agency("1"), colour: "blue" }])).rejects.toThrow("has no column colour");
  });
});

describe("batches that meet", () => {
  const write = (table: string, records: SourceRecord[]) => writeLines(table, recordLines(records));
  const writeLines = (table: string, { columns, constants, lines }: RecordLines) =>
    db.sql<{ inserted: number; updated: number }>("select * from ingest_lines($1, $2, $3, $4)", [
      table,
      columns,
      constants,
      lines,
    ]);

  test("in opposite orders do not deadlock, and store each record once", async () => {
    for (let round = 0; round < 8; round++) {
      const batch = agencies(400, `Rodada ${round}`);
      const orders = [batch, batch.toReversed(), batch.slice(100), batch.slice(0, 300).toReversed()];
      const counts = (await Promise.all(orders.map((order) => write("agencies", order)))).flat();
      const written = counts.reduce((sum, { inserted, updated }) => sum + inserted + updated, 0);
      expect(written).toBe(400);
    }
    expect(await db.sql("select 1 from agencies")).toHaveLength(400);
  });

  test("do not deadlock when one updates the agencies and suppliers that the other's contracts name", async () => {
    await ingest("agencies", agencies(300));
    await ingest(
      "suppliers",
      agencies(300).map(({ code }) => supplier(code)),
    );
    for (let round = 0; round < 8; round++) {
      const codes = agencies(300).map(({ code }) => code);
      const contracts = codes
        .toReversed()
        .map((code, index) =>
          contract(`c${round}-${String(index).padStart(3, "0")}`, { agencyCode: code, supplierId: code }),
        );
      await Promise.all([
        write("contracts", contracts),
        write("agencies", agencies(300, `Rodada ${round}`)),
        write(
          "suppliers",
          codes.map((code) => ({ ...supplier(code), name: `Rodada ${round}` })),
        ),
      ]);
    }
    expect(await db.sql("select 1 from contracts")).toHaveLength(2_400);
  });
});
