import { watchDirectAwards } from "@cidadao/operations/katana-monitor";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createLogger } from "@cidadao/runtime/logger";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { katanaScan } from "@cidadao/sources/katana-scan/source";
import { startKatana } from "@cidadao/testing/katana/start-katana";
import { afterAll, describe, expect, test } from "vitest";
import { noLimit } from "./support/records.ts";
import { openSystem } from "./support/system.ts";
import { until } from "./support/until.ts";

const TOKEN = "token-of-the-tests-0123456789";
const SECRET_KEY = "a key of at least thirty-two characters";
const slot = "2024-03-01T13:05:00.000Z";
const http = createHttpClient({ userAgent: "tests" });
const system = await openSystem({ queue: "postgres" });
const { data } = system;
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await http[Symbol.asyncDispose]();
});

const ask = async (where: string) => (await fetch(`${system.url}${where}`)).text();

/** As the feed was seen to send them. */
function award(id: number, given: { valor?: number; codigo?: string; data?: string } = {}) {
  return {
    id: `d-${id}`,
    numero: `${id}/2024`,
    objeto: "Aquisição de material de expediente para o gabinete",
    valor: given.valor ?? 59_000,
    fornecedor: { nome: "EMPRESA DE EXEMPLO", cnpj: "11.222.333/0001-81" },
    orgao: { nome: "ÓRGÃO DE EXEMPLO", codigo: given.codigo ?? "26435" },
    data: given.data ?? "2024-02-05T10:00:00",
  };
}

async function run(all: unknown, given: { token?: string; configured?: boolean } = {}) {
  await using server = await startKatana({ token: TOKEN, all });
  const environment = {
    KATANA_URL: server.url,
    KATANA_TOKEN: given.token ?? TOKEN,
    KATANA_PER_MINUTE: "1000",
  };
  const outbound = { http, ...openSharedLimits(null), cache: createMemoryCache(), cacheTtlSeconds: 0 };
  const context = {
    store: data.store,
    enqueue: async () => {},
    openingPoints: 3,
    logger: createLogger({ process: "test", level: "silent" }),
    katana: given.configured === false ? null : katanaScan.open(environment, outbound),
  };
  return await watchDirectAwards(context, { slot }, noLimit, () => Promise.resolve());
}

const opened = () =>
  data.sql<{ scope: Record<string, unknown>; awards: number }>(
    `select i.scope, (select count(*) from contract_screenings s where s.investigation_id = i.id) as awards
       from investigations i order by i.created_at`,
  );

describe("the direct awards of Katana Scan", () => {
  test("are not asked for where it is not configured, and the run says so", async () => {
    expect(await run([award(1)], { configured: false })).toEqual({ off: expect.stringContaining("KATANA_URL") });
    expect(await data.sql("select 1 from ingest_runs")).toEqual([]);
  });

  test("that did not come make the run fail with the reason, and store nothing", async () => {
    await expect(run([], { token: "another-token" })).rejects.toThrow("O token foi recusado");
    await expect(run({ surprise: true })).rejects.toThrow("não respondeu uma lista");
    expect(await data.sql("select 1 from contracts")).toEqual([]);
  });

  test("are stored and screened once; those that ask for it open one investigation an agency, over what is stored", async () => {
    const first = [award(1), award(2), award(3, { valor: 1_200 }), award(4, { codigo: "52000", valor: 900_000 })];
    expect(await run(first)).toMatchObject({ records: 4, screened: 4, triggering: 3 });
    const scope = { from: "2023-03-01", to: "2024-03-01", storedSource: "katana-scan" };
    expect(await opened()).toEqual([
      { scope: { ...scope, agencyCodes: ["26435"] }, awards: 2 },
      { scope: { ...scope, agencyCodes: ["52000"] }, awards: 1 },
    ]);
    expect(await run(first)).toMatchObject({ records: 4, screened: 0, investigations: [] });
    expect(await run([...first, award(5)])).toMatchObject({ records: 5, screened: 1, triggering: 1 });
    expect(await opened()).toHaveLength(3);
  });
});

test("of a direct award that asks for it, the running system finds what is wrong and alerts, and asks the Portal for no contract", async () => {
  await data.sql("truncate investigations, contracts, contract_screenings, ingest_runs, ingest_cursors cascade");
  const awards = Array.from({ length: 12 }, (_, index) => award(index));
  await using server = await startKatana({ token: TOKEN, all: awards });
  system.start("api", { API_SECRET_KEY: SECRET_KEY });
  await until("the queue is there", async () => (await ask("/health").catch(() => "")).includes('"ready"'));
  const environment = {
    SOURCES: "katana-scan",
    KATANA_URL: server.url,
    KATANA_TOKEN: TOKEN,
    KATANA_PER_MINUTE: "1000",
  };
  system.start("worker", environment);
  const answer = await fetch(`${system.url}/api/v1/schedules/katana-monitor/run`, {
    method: "POST",
    headers: { "x-api-key": SECRET_KEY },
  });
  expect(answer.status).toBe(202);
  await until("the investigation has ended", async () => {
    const ended = await data.sql("select 1 from investigations where status = 'completed'");
    return ended.length === 1;
  });
  expect(await data.sql("select records, outcome from investigations")).toEqual([
    { records: 12, outcome: "anomalies_found" },
  ]);
  expect(await data.sql("select detector from anomalies")).toEqual([{ detector: "round-number" }]);
  await system.inbox.waitFor(1);
  expect(JSON.stringify(system.inbox.accepted[0]!.payload)).toContain("ÓRGÃO DE EXEMPLO");
  // The sanction lists of its suppliers are asked for, and nothing of its contracts.
  expect(system.portal.requests.total()).toBeGreaterThan(0);
  expect(system.portal.requests.count({ path: "/contratos" })).toBe(0);
});
