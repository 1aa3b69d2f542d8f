import { generateContracts, noRecords } from "@cidadao/testing/pncp/records";
import { type PncpServer, startPncp } from "@cidadao/testing/pncp/start-pncp";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cidadao } from "./support/cidadao.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
const PER_DAY = 30;
const records = { ...noRecords, contracts: generateContracts({ days: ["2025-06-23", "2025-06-24"], perDay: PER_DAY }) };
const window = ["--from", "2025-06-23", "--to", "2025-06-24", "--resource", "contracts"];

let server: PncpServer;
beforeAll(async () => {
  server = await startPncp({ records, sample: "amostra gerada para testes" });
});
beforeEach(async () => {
  server.requests.reset();
  await server.setFaults({});
});
afterAll(async () => {
  await server.stop();
  await db[Symbol.asyncDispose]();
});

/** Without Redis: what the command is told to wait for is nobody else's. */
const run = (args: string[], changed: Record<string, string> = {}) =>
  cidadao(args, {
    environment: {
      PATH: process.env["PATH"] ?? "",
      SUPABASE_URL: db.supabaseUrl,
      SUPABASE_SERVICE_ROLE_KEY: db.serviceRoleKey,
      DATABASE_URL: db.databaseUrl,
      PNCP_CONSULTA_URL: server.consultaUrl,
      PNCP_URL: server.detailUrl,
      PNCP_PER_MINUTE: "1000000",
      ...changed,
    },
  });

describe("cidadao ingest", () => {
  test("brings a window in, says what it did and that it is a sample; again it writes nothing", async () => {
    const first = await run(["ingest", "pncp", ...window]);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toContain("2 de 2 consultas lidas até o fim");
    expect(first.stdout).toContain("AMOSTRA    amostra gerada para testes");
    const again = await run(["ingest", "pncp", ...window, "--json"]);
    const summary = JSON.parse(again.stdout) as Record<string, unknown>;
    expect(summary).toMatchObject({ source: "pncp", records: 2 * PER_DAY, inserted: 0, updated: 0, pagesFromCache: 2 });
    expect(server.requests.total()).toBe(2);
    const resumed = await run(["ingest", "pncp", ...window, "--resume"]);
    expect(resumed.stdout).toContain("2 delas já antes");
  });

  test("ends with 1 and names what is missing when a day does not answer", async () => {
    await db.sql("truncate source_responses, ingest_cursors");
    await server.setFaults({ rules: [{ fault: { kind: "html" }, times: 1 }] });
    const partial = await run(["ingest", "pncp", ...window]);
    expect(partial.code).toBe(1);
    expect(partial.stdout).toMatch(/falta +contratos \(publicacao\) de 2025-06-2\d: PNCP: .*página HTML/);
    expect(await run(["ingest", "pncp", ...window, "--resume"])).toMatchObject({ code: 0 });
  });

  describe("--contract", () => {
    const cnpj = "00394460005887";
    const id = `${cnpj}-1-000020/2025`;
    const base = `/orgaos/${cnpj}/compras/2025/20`;
    const item = { numeroItem: 1, descricao: "Papel", quantidade: 100, temResultado: true };
    const result = { numeroItem: 1, sequencialResultado: 1, quantidadeHomologada: 60, valorUnitarioHomologado: 22.9 };
    const purchase = {
      numeroControlePNCP: id,
      anoCompra: 2025,
      sequencialCompra: 20,
      objetoCompra: "Papel",
      modalidadeId: 6,
      modalidadeNome: "Pregão",
      orgaoEntidade: { cnpj, razaoSocial: "ADVOCACIA-GERAL DA UNIAO", esferaId: "F" },
      unidadeOrgao: { codigoUnidade: "1", nomeUnidade: "Unidade", ufSigla: "DF" },
    };
    beforeAll(() =>
      server.setRecords({
        ...records,
        details: { [base]: purchase, [`${base}/itens`]: [item], [`${base}/itens/1/resultados`]: [result] },
      }),
    );
    afterAll(() => server.setRecords(records));

    test("brings all that the source has about one purchase, and again writes nothing", async () => {
      const first = await run(["ingest", "pncp", "--contract", id]);
      expect(first).toMatchObject({ code: 0, stderr: "" });
      expect(first.stdout).toMatch(
        /tenders: 1 registros, [34] linhas novas.*\n.*AMOSTRA.*\nitems: 1 registros, 1 linhas/,
      );
      expect(
        await db.sql("select contract_id, unit_price_cents::int as price from contract_items where contract_id = $1", [
          id,
        ]),
      ).toEqual([{ contract_id: id, price: 2_290 }]);
      const again = await run(["ingest", "pncp", "--contract", id, "--json"]);
      expect(
        again.stdout
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as unknown),
      ).toMatchObject([
        { source: "pncp", resource: "tenders", records: 1, written: 0, missing: [] },
        { source: "pncp", resource: "items", records: 1, written: 0, missing: [] },
      ]);
    });

    test("names what did not come, and keeps what did", async () => {
      await db.sql("truncate source_responses");
      await server.setFaults({ rules: [{ fault: { kind: "html" }, path: `/api/pncp/v1${base}/itens` }] });
      const partial = await run(["ingest", "pncp", "--contract", id]);
      expect(partial.code).toBe(1);
      expect(partial.stdout).toMatch(
        /tenders: 1 registros[^]*falta +items de 00394460005887-1-000020\/2025: PNCP: .*HTML/,
      );
    });

    test.each([
      [`${cnpj}-1-000099/2025`, 1, "knows of no contract"],
      ["900000001", 1, "cannot be asked about a contract with the id 900000001"],
    ])("of %s ends with %i and says that the source %s", async (unknown, code, message) => {
      const refused = await run(["ingest", "pncp", "--contract", unknown]);
      expect(refused.code).toBe(code);
      expect(refused.stderr).toContain(message);
    });
  });

  test.each([
    [[], "name one source: "],
    [["pncp", "--contract", "1", "--from", "2025-06-24", "--resume"], "leave out --from, --resume"],
    [["nenhuma", ...window], "name one source: "],
    [["pncp", "--from", "2025-06-24", "--to", "2025-06-23"], "ends before it begins"],
    [["pncp", "--from", "24/06", "--to", "2025-06-23"], "YYYY-MM-DD"],
    [["pncp", ...window, "--resource", "items"], "no resource items"],
    [["pncp", ...window, "--depth", "1"], "Unknown option"],
  ])("says what is wrong with %j", async (args, message) => {
    const refused = await run(["ingest", ...args]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(message);
    expect(refused.stderr).toContain("Usage: npx cidadao ingest");
  });

  test("names the variable that a source needs and does not have", async () => {
    const refused = await run(["ingest", "portal-transparencia", "--from", "2025-06-23", "--to", "2025-06-24"]);
    expect(refused.code).toBe(78);
    expect(refused.stderr).toContain("TRANSPARENCY_API_KEY: missing");
  });
});

test("cidadao sources tells which are on, and when each was last read whole", async () => {
  await run(["ingest", "pncp", ...window]);
  const listed = await run(["sources"], { PNCP_PER_MINUTE: "77" });
  expect(listed).toMatchObject({ code: 0, stderr: "" });
  const lineOf = (id: string) => listed.stdout.split("\n").find((line) => line.includes(id));
  expect(lineOf("pncp")).toMatch(/on .*20\d\d-\d\d-\d\dT.*77/);
  expect(lineOf("portal-transparencia")).toMatch(/off: TRANSPARENCY_API_KEY is not set.*never/);
});
