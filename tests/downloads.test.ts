import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { gunzipSync } from "node:zlib";
import { lastCompleteRun } from "@cidadao/database/ingest-runs";
import { localDay } from "@cidadao/operations/local-day";
import {
  type PortalDownloadsServer,
  startPortalDownloads,
} from "@cidadao/testing/portal-downloads/start-portal-downloads";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cidadao } from "./support/cidadao.ts";
import { noLimit } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const january = ["202401_Compras.csv", "202401_ItemCompra.csv", "202401_TermoAditivo.csv"];
const sample = "compras de janeiro de 2024";
const today = localDay(new Date());
const compact = (day: string) => day.replaceAll("-", "");

/** Derived: as the lists are published, with the columns that both have, in Windows-1252. */
function sanctionsCsv(list: string, rows: string[][]): Buffer {
  const header = [
    "CADASTRO",
    "CÓDIGO DA SANÇÃO",
    "CPF OU CNPJ DO SANCIONADO",
    "NOME DO SANCIONADO",
    "CATEGORIA DA SANÇÃO",
    "DATA INÍCIO SANÇÃO",
    "DATA FINAL SANÇÃO",
    "ÓRGÃO SANCIONADOR",
    "UF ÓRGÃO SANCIONADOR",
    "ESFERA ÓRGÃO SANCIONADOR",
  ];
  const lines = [header, ...rows.map((cells) => [list, ...cells])].map((cells) =>
    cells.map((cell) => `"${cell}"`).join(";"),
  );
  return Buffer.from(lines.join("\n"), "latin1");
}
const sanction = (id: number) => [
  String(id),
  "00.000.000/0001-91",
  "AÇÃO LTDA",
  "Impedimento",
  "01/01/2024",
  "31/12/2024",
  "ÓRGÃO",
  "DF",
  "FEDERAL",
];

const db = await openTestStore();
let server: PortalDownloadsServer;
let environment: Record<string, string>;

beforeAll(async () => {
  const csvOf = (name: string) => gunzipSync(readFileSync(`data/portal-compras-202401/${name}.gz`));
  server = await startPortalDownloads({
    sample,
    published: {
      "compras/202401": Object.fromEntries(january.map((name) => [name, csvOf(name)])),
      "compras/202402": Buffer.from("<!DOCTYPE html><title>Manutenção</title>"),
      "compras/202403": { "202403_Compras.csv": Buffer.alloc(64 * 1024 * 1024, 0x20) },
      [`ceis/${compact(today)}`]: {
        "ceis.csv": sanctionsCsv(
          "CEIS",
          Array.from({ length: 5_000 }, (_, id) => sanction(id + 1)),
        ),
      },
      "ceis/20240131": {
        "20240131_CEIS.csv": sanctionsCsv(
          "CEIS",
          Array.from({ length: 5_000 }, (_, id) => sanction(id + 1)),
        ),
      },
      // Derived: what the TCE-RS publishes for a year, of which no file is recorded.
      "contrato/ano/2024.csv": {
        "contrato.csv": Buffer.from(
          "CD_ORGAO,NR_LICITACAO,ANO_LICITACAO,CD_TIPO_MODALIDADE,NR_CONTRATO,ANO_CONTRATO,TP_INSTRUMENTO,VL_CONTRATO\n" +
            "53100,36,2024,PRE,15,2024,C,3489.30\n",
        ),
      },
      [`cnep/${compact(today)}`]: { "cnep.csv": sanctionsCsv("CNEP", [sanction(7)]) },
    },
  });
  environment = {
    PATH: process.env["PATH"] ?? "",
    SUPABASE_URL: db.supabaseUrl,
    SUPABASE_SERVICE_ROLE_KEY: db.serviceRoleKey,
    DATABASE_URL: db.databaseUrl,
    PORTAL_DOWNLOADS_URL: server.url,
    PORTAL_DOWNLOADS_HOSTS: server.filesHost,
    TCE_RS_DOWNLOADS_URL: server.filesUrl,
  };
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});
beforeEach(() => db.sql("truncate agencies, suppliers, contracts, sanctions, ingest_runs cascade"));

const download = (id: string, ...periods: string[]) =>
  cidadao(["import", "--download", id, ...periods.flatMap((period) => ["--period", period])], { environment });
const counted = async (table: string) =>
  (await db.sql<{ count: number }>(`select count(*)::int from ${table}`))[0]!.count;
const lastRun = async () => (await db.sql("select * from ingest_runs order by started_at desc limit 1"))[0]!;
const leftOvers = () => readdirSync(tmpdir()).filter((name) => name.startsWith("cidadao-download-"));

describe("npx cidadao import --download", () => {
  test("brings a published month in whole, labelled as the sample that it is, and again writes nothing", async () => {
    const first = await download("compras", "2024-01");
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(await counted("contracts")).toBe(3808);
    expect(await lastRun()).toMatchObject({
      source: "portal-transparencia",
      dataset: "download:compras",
      status: "completed",
      sample,
    });
    const [one] = await db.sql("select sample, url, object from contracts where object like '%ç%' limit 1");
    expect(one).toMatchObject({ sample, url: expect.stringMatching(/download-de-dados\/compras\/202401$/) as string });

    expect(await download("compras", "2024-01")).toMatchObject({ code: 0 });
    expect(await lastRun()).toMatchObject({ inserted: 0, updated: 0 });
    expect(leftOvers()).toEqual([]);
  });

  test("brings a year of the contracts of Rio Grande do Sul in, under the court's own name", async () => {
    expect(await download("licitacon", "2024")).toMatchObject({ code: 0 });
    expect(await lastRun()).toMatchObject({ source: "tce-rs", dataset: "download:licitacon", status: "completed" });
    expect(await db.sql("select source, number, buyer_state, initial_value_cents from contracts")).toEqual([
      { source: "tce-rs", number: "15/2024", buyer_state: "RS", initial_value_cents: 348_930 },
    ]);
  });

  test.each([
    ["a web page instead of a zip", "2024-02", /uma página HTML/],
    ["a zip that would grow without end", "2024-03", /cresceria mais de 200 vezes/],
    ["a month of which nothing is published", "2031-01", /nada foi publicado/],
  ])("fails with the reason on %s, and leaves nothing behind", async (_, period, why) => {
    const { code, stderr } = await download("compras", period);
    expect(code).toBe(1);
    expect(stderr).toMatch(why);
    expect(await counted("contracts")).toBe(0);
    expect(leftOvers()).toEqual([]);
  });

  test("refuses a period that is none before it asks for anything", async () => {
    const asked = server.requests.total();
    expect(await download("compras", "2024-01", "2024-1")).toMatchObject({ code: 1 });
    expect(await cidadao(["import", "--download", "nada", "--period", "2024-01"], { environment })).toMatchObject({
      code: 2,
    });
    expect(server.requests.total()).toBe(asked);
  });

  test("counts today's whole list of sanctions as its reading, and neither an old one nor a short one", async () => {
    const complete = (list: string) => lastCompleteRun(db.store, "portal-transparencia", list, noLimit);
    expect(await download("ceis", "2024-01-31")).toMatchObject({ code: 0 });
    expect(await complete("ceis")).toBeNull();
    expect(await download("ceis", today)).toMatchObject({ code: 0 });
    expect(await complete("ceis")).toMatchObject({ sample });
    expect(await counted("sanctions where list = 'ceis' and source = 'portal-transparencia'")).toBe(5_000);

    const short = await download("cnep", today);
    expect(short.code).toBe(1);
    expect(short.stdout).toMatch(/FALTA cnep: vieram 1 registros, e são esperados ao menos 500/);
    expect(await complete("cnep")).toBeNull();
    expect(await counted("sanctions where list = 'cnep'")).toBe(1);
  });
});
