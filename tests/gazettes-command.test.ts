import { type QueridoDiarioServer, startQueridoDiario } from "@cidadao/testing/querido-diario/start-querido-diario";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cidadao } from "./support/cidadao.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
const edition = {
  territory_id: "3304557",
  territory_name: "Rio de Janeiro",
  state_code: "RJ",
  date: "2024-02-05",
  edition: "220",
  is_extra_edition: false,
  url: "https://data.example.org/220.pdf",
  txt_url: "https://data.example.org/220.txt",
  excerpts: ["extrato de contrato com EMPRESA DE EXEMPLO"],
};

let server: QueridoDiarioServer;
beforeAll(async () => {
  server = await startQueridoDiario({ gazettes: [edition, { ...edition, date: "" }] });
});
afterAll(async () => {
  await server.stop();
  await db[Symbol.asyncDispose]();
});

const run = (...args: string[]) =>
  cidadao(["gazettes", ...args], {
    environment: {
      PATH: process.env["PATH"] ?? "",
      SUPABASE_URL: db.supabaseUrl,
      SUPABASE_SERVICE_ROLE_KEY: db.serviceRoleKey,
      DATABASE_URL: db.databaseUrl,
      QUERIDO_DIARIO_URL: server.url,
      QUERIDO_DIARIO_PER_MINUTE: "1000000",
    },
  });

describe("cidadao gazettes", () => {
  test("shows where the words were found, and how many editions could not be read", async () => {
    const found = await run("EMPRESA DE EXEMPLO", "--to", "2024-02-29");
    expect(found).toMatchObject({ code: 0, stderr: "" });
    expect(found.stdout).toContain("https://data.example.org/220.pdf");
    expect(found.stdout).toContain("1 de 2 diários; 1 ilegíveis");
    const json = await run("EMPRESA", "DE", "EXEMPLO", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({ total: 2, unread: 1, gazettes: [{ publishedOn: "2024-02-05" }] });
  });

  test("ends with 1 and the reason when the source does not answer", async () => {
    await server.setFaults({ rules: [{ fault: { kind: "html" } }] });
    const failed = await run("EMPRESA DE OUTRA PERGUNTA");
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("Querido Diário");
  });

  test.each([
    [[], "say what to search for"],
    [["X", "--from", "05/02"], "--from is a day"],
    [["X", "--from", "2024-02-02", "--to", "2024-02-01"], "ends before it begins"],
    [["X", "--city", "rio"], "--city is an IBGE code"],
    [["X", "--limit", "0"], "--limit is a number"],
  ])("says what is wrong with %j", async (args, message) => {
    const refused = await run(...args);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(message);
  });
});
