import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { importFiles } from "@cidadao/operations/import-files";
import { readFilesWhole } from "@cidadao/sources/files/read-files";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { cidadao } from "./support/cidadao.ts";
import { noLimit } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
const folder = mkdtempSync(path.join(tmpdir(), "cidadao-import-"));
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await db[Symbol.asyncDispose]();
});
beforeEach(() => db.sql("truncate agencies, suppliers, contracts, sanctions, ingest_runs cascade"));

const january = ["202401_Compras.csv.gz", "202401_ItemCompra.csv.gz", "202401_TermoAditivo.csv.gz"].map(
  (name) => `data/portal-compras-202401/${name}`,
);
const retrievedAt = "2024-02-15T12:00:00Z";
const counted = (table: string) => db.sql<{ count: number }>(`select count(*)::int from ${table}`);
const lastRun = async () => (await db.sql("select * from ingest_runs order by started_at desc limit 1"))[0]!;

describe("importing files", () => {
  test("stores every record that was read, and the same files again write nothing", async () => {
    const { batch } = await readFilesWhole({ paths: january, retrievedAt });
    const first = await importFiles(db, { paths: january, retrievedAt }, noLimit);
    const records = batch.contracts.length + batch.items.length + batch.amendments.length;
    expect(first).toMatchObject({ records, updated: 0 });
    expect(first.inserted).toBeGreaterThan(records);
    expect(await counted("contracts")).toEqual([{ count: batch.contracts.length }]);
    expect(await counted("contract_items")).toEqual([{ count: batch.items.length }]);
    expect(await counted("amendments")).toEqual([{ count: batch.amendments.length }]);
    const one = batch.contracts.find(({ object }) => object?.includes("ç"))!;
    const { source, sourceId } = one.provenance;
    const stored = await db.sql(
      "select object, initial_value_cents, signed_on, buyer_sphere from contracts where source = $1 and source_id = $2",
      [source, sourceId],
    );
    expect(stored).toEqual([
      {
        object: one.object,
        initial_value_cents: one.initialValueCents,
        signed_on: one.signedOn,
        buyer_sphere: "federal",
      },
    ]);

    const again = await importFiles(db, { paths: january, retrievedAt }, noLimit);
    expect(again).toMatchObject({ records, inserted: 0, updated: 0 });
  });

  test("stores who bid for what and the commitments of procedures, each once", async () => {
    const ofTender = ["Número Licitação", "Código UG", "Código Modalidade Compra"];
    const tender = ["000012024", "110001", "5"];
    const write = (name: string, ...rows: string[][]) => {
      const file = path.join(folder, name);
      writeFileSync(file, Buffer.from(rows.map((row) => `"${row.join('";"')}"\n`).join(""), "latin1"));
      return file;
    };
    const paths = [
      write("202401_Licitação.csv", [...ofTender, "Objeto", "Código Órgão"], [...tender, "Água", "20101"]),
      write(
        "202401_ParticipantesLicitação.csv",
        [...ofTender, "Código Item Compra", "Código Participante", "Nome Participante", "Flag Vencedor"],
        [...tender, "1", "00000000000191", "BANCO", "SIM"],
        [...tender, "1", "33000167000101", "PETRÓLEO", "NÃO"],
        [...tender, "2", "33000167000101", "PETRÓLEO", "NÃO"],
      ),
      write(
        "202401_EmpenhosRelacionados.csv",
        [...ofTender, "Código Empenho", "Data Emissão Empenho", "Observação Empenho", "Valor Empenho (R$)"],
        [...tender, "110001000012024NE000007", "15/01/2024", "Água", "1.000,00"],
      ),
    ];
    // A procedure, its agency and its supplier, who is not known yet.
    const first = await importFiles(db, { paths, retrievedAt }, noLimit);
    expect(first).toMatchObject({ records: 5, inserted: 7, read: { tenderers: 3, commitments: 1 } });
    expect(
      await db.sql(
        "select item_number, tax_id, is_winner from tenderers where tender_id = 'licitacao/110001-5-000012024' order by 1, 2",
      ),
    ).toEqual([
      { item_number: "1", tax_id: "00000000000191", is_winner: true },
      { item_number: "1", tax_id: "33000167000101", is_winner: false },
      { item_number: "2", tax_id: "33000167000101", is_winner: false },
    ]);
    expect(await db.sql("select issued_on, amount_cents::int as cents from commitments")).toEqual([
      { issued_on: "2024-01-15", cents: 100_000 },
    ]);
    const again = await importFiles(db, { paths, retrievedAt }, noLimit);
    expect(again).toMatchObject({ records: 5, inserted: 0, updated: 0 });
  });

  test("leaves a run that says what came, from where, and which lines made no sense", async () => {
    const { read } = await importFiles(db, { paths: january, sample: "janeiro de 2024" }, noLimit);
    const complaints = read.complaints.reduce((sum, { count }) => sum + count, 0);
    expect(complaints).toBeGreaterThan(0);
    const run = await lastRun();
    expect(run).toMatchObject({
      source: "files",
      status: "completed",
      complaints,
      sample: "janeiro de 2024",
    });
    expect((run["problems"] as { sourceId: string }[])[0]!.sourceId).toMatch(/^202401_\w+\.csv\.gz:\d+$/);
  });

  test("writes what a record refers to before it, however slowly the first batch is written", async () => {
    const agency = { agencyCode: "26435", agencyName: "IFRN", unitCode: "158155", unitName: "IFRN" };
    const supplier = { supplierCnpj: "15.195.707/0001-78", supplierName: "Gráfica" };
    const signed = { signedOn: "2024-01-02", initialValueCents: 100 };
    const count = 5_000;
    const contracts = Array.from({ length: count }, (_, index) => ({ kind: "contract", id: `c${index}`, number: "1" }));
    const items = contracts.map(({ id }, index) => ({ kind: "item", id: `i${index}`, contractId: id, number: "1" }));
    const file = path.join(folder, "referring.jsonl");
    const lines = [...contracts.map((one) => ({ ...one, ...agency, ...supplier, ...signed })), ...items];
    writeFileSync(file, lines.map((line) => JSON.stringify(line)).join("\n"));
    await db.sql(
      `create sequence batch;
       create function first_is_slow() returns trigger language plpgsql
         as 'begin if nextval(''public.batch'') = 1 then perform pg_sleep(1); end if; return null; end';
       create trigger first_is_slow before insert on contracts for each statement execute function first_is_slow()`,
    );
    try {
      expect(await importFiles(db, { paths: [file] }, noLimit)).toMatchObject({ inserted: 2 * count + 2, updated: 0 });
    } finally {
      await db.sql("drop trigger first_is_slow on contracts; drop function first_is_slow; drop sequence batch");
    }
    expect(await importFiles(db, { paths: [file] }, noLimit)).toMatchObject({ inserted: 0, unchanged: 2 * count });
  });

  test("keeps what came before a failure, and ends the run as failed with the reason", async () => {
    await db.sql("alter table amendments add constraint broken check (number <> number)");
    try {
      await expect(importFiles(db, { paths: january }, noLimit)).rejects.toThrow("broken");
    } finally {
      await db.sql("alter table amendments drop constraint broken");
    }
    expect(await lastRun()).toMatchObject({ status: "failed" });
    expect(JSON.stringify((await lastRun())["problems"])).toContain("broken");
    expect(await counted("amendments")).toEqual([{ count: 0 }]);
    await importFiles(db, { paths: january }, noLimit);
    const { batch } = await readFilesWhole({ paths: january });
    expect(await counted("amendments")).toEqual([{ count: batch.amendments.length }]);
  });

  test("says in its run that a file is not there", async () => {
    await expect(importFiles(db, { paths: ["data/nowhere.csv"] }, noLimit)).rejects.toThrow("nowhere.csv");
    expect(await lastRun()).toMatchObject({ status: "failed" });
  });
});

describe("npx cidadao import", () => {
  const environment = {
    PATH: process.env["PATH"] ?? "",
    SUPABASE_URL: db.supabaseUrl,
    SUPABASE_SERVICE_ROLE_KEY: db.serviceRoleKey,
  };

  test("prints what was new, and that nothing was the second time", async () => {
    const first = await cidadao(["import", ...january, "--source", "portal-compras"], { environment });
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toMatch(/contratos lidos\s+│\s+3\d{3}/);
    expect(first.stdout).toMatch(/registros iguais\s+│\s+0/);
    const again = await cidadao(["import", ...january], { environment });
    expect(again.stdout).toMatch(/com órgãos e fornecedores\s+│\s+0/);
  });

  test("says which sources there are when it does not know one, and that a file has nothing in it", async () => {
    const unknown = await cidadao(["import", january[0]!, "--source", "portal"], { environment });
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("portal-compras");
    const empty = path.join(folder, "empty.csv");
    writeFileSync(empty, "");
    expect(await cidadao(["import", empty], { environment })).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("empty-file") as string,
    });
  });
});
