import { readFileSync } from "node:fs";
import { startStateCourts, type StateCourtsServer } from "@cidadao/testing/state-courts/start-state-courts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cidadao } from "./support/cidadao.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
let server: StateCourtsServer;
const fixture = (file: string): unknown => JSON.parse(readFileSync(`packages/sources/src/${file}`, "utf8"));

beforeAll(async () => {
  server = await startStateCourts({
    data: {
      ibge: fixture("ibge/fixtures/derived-municipios.json") as unknown[],
      rioDeJaneiro: (fixture("tce-rj/fixtures/derived-contratos.json") as { Contratos: Record<string, unknown>[] })
        .Contratos,
    },
  });
});
afterAll(async () => {
  await server.stop();
  await db[Symbol.asyncDispose]();
});

const ingest = (source: string) =>
  cidadao(["ingest", source, "--from", "2024-01-01", "--to", "2024-12-31"], {
    environment: {
      PATH: process.env["PATH"] ?? "",
      SUPABASE_URL: db.supabaseUrl,
      SUPABASE_SERVICE_ROLE_KEY: db.serviceRoleKey,
      DATABASE_URL: db.databaseUrl,
      ...server.environment,
    },
  });

test("what a described source gives is stored with where it came from, and what cannot be read is kept apart", async () => {
  expect(await ingest("tce-rj")).toMatchObject({ code: 0 });
  expect(
    await db.sql("select number, buyer_state, supplier_kind from contracts where source = 'tce-rj' order by number"),
  ).toEqual([
    { number: "2", buyer_state: "RJ", supplier_kind: "person" },
    { number: "CT-001/2024", buyer_state: "RJ", supplier_kind: "company" },
  ]);
  expect(await db.sql("select reason from quarantined_records where source = 'tce-rj' order by reason")).toEqual([
    { reason: "no municipality (Ente)" },
    { reason: "no number (NumeroContrato)" },
  ]);
});

test("a list of municipalities that is too short is stored, and not taken for the whole", async () => {
  const run = await ingest("ibge");
  expect(run.code).toBe(1);
  expect(run.stdout).toMatch(/vieram 3 registros, e são esperados ao menos 5570/);
  expect(await db.sql("select code, name, state from municipalities order by code limit 1")).toEqual([
    { code: "2611606", name: "Recife", state: "PE" },
  ]);
});
