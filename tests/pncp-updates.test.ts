import { readPncpUpdates } from "@cidadao/operations/pncp-updates";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { pncp } from "@cidadao/sources/pncp/source";
import { generateContracts, noRecords } from "@cidadao/testing/pncp/records";
import { type PncpServer, startPncp } from "@cidadao/testing/pncp/start-pncp";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noLimit } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
const http = createHttpClient({ userAgent: "cidadao-tests" });
const PER_DAY = 12;
const days = Array.from({ length: 14 }, (_, index) => `2025-06-${String(index + 11).padStart(2, "0")}`);
const records = { ...noRecords, contracts: generateContracts({ days, perDay: PER_DAY }) };

let server: PncpServer;
beforeAll(async () => {
  server = await startPncp({ records });
});
beforeEach(async () => {
  await server.setFaults({});
  server.requests.reset();
  await db.sql(
    `truncate agencies, suppliers, contracts, ingest_runs, ingest_cursors, source_responses, quarantined_records,
       record_changes cascade`,
  );
});
afterAll(async () => {
  await http.close();
  await server.stop();
  await db[Symbol.asyncDispose]();
});

/** A run of the slot at noon of a day, by a worker whose clock says the same. */
function runOn(day: string) {
  const slot = `${day}T15:00:00.000Z`;
  const environment = { PNCP_CONSULTA_URL: server.consultaUrl, PNCP_URL: server.detailUrl, PNCP_PER_MINUTE: "1000000" };
  const outbound = { http, ...openSharedLimits(null), cache: createMemoryCache(), cacheTtlSeconds: 0 };
  const opened = pncp.open(environment, outbound);
  const context = { store: db.store, pncp: opened, clock: { now: () => Date.parse(slot) } };
  return readPncpUpdates(context, { slot }, noLimit, () => Promise.resolve());
}
const stored = async () => (await db.sql<{ rows: number }>("select count(*)::int as rows from contracts"))[0]!.rows;
const asksOf = (day: string) => server.requests.count({ params: { dataInicial: day.replaceAll("-", "") } });

describe("the updates of the PNCP", () => {
  test("come in from a week before the first run on, and then from the last complete run with two days more", async () => {
    expect(await runOn("2025-06-20")).toMatchObject({
      from: "2025-06-13",
      to: "2025-06-20",
      asked: 8,
      answered: 8,
      records: 8 * PER_DAY,
    });
    server.requests.reset();
    expect(await runOn("2025-06-22")).toMatchObject({
      from: "2025-06-18",
      to: "2025-06-22",
      records: 5 * PER_DAY,
      updated: 0,
    });
    expect(await stored()).toBe(10 * PER_DAY);
    expect(asksOf("2025-06-17")).toBe(0);
    const datasets = await db.sql<{ dataset: string }>("select distinct dataset from ingest_runs");
    expect(datasets).toEqual([{ dataset: "contract-updates" }]);
  });

  test("of a day that did not answer make the run fail with the reason, and the next run asks again", async () => {
    await server.setFaults({ rules: [{ fault: { kind: "html" }, query: "dataInicial=20250616", times: 1 }] });
    await expect(runOn("2025-06-20")).rejects.toThrow(/leitura incompleta .*"answered":7.*contratos.*HTML/);
    expect(await stored()).toBe(7 * PER_DAY);
    server.requests.reset();
    const next = await runOn("2025-06-21");
    expect(next).toMatchObject({ from: "2025-06-14", to: "2025-06-21", answered: 8 });
    expect(await stored()).toBe(9 * PER_DAY);
    // What was read three days after its day is settled, and was not asked about again.
    expect(next["settled"]).toBeGreaterThanOrEqual(3);
    expect(server.requests.total()).toBe(8 - Number(next["settled"]));
  });

  test("of a PNCP that is down make the run fail, and the cursor stays", async () => {
    await runOn("2025-06-20");
    await server.setFaults({ rules: [{ fault: { kind: "rate_limited", retryAfter: 3_600 } }] });
    await expect(runOn("2025-06-21")).rejects.toMatchObject({ code: "rate_limited", retryAfterSeconds: 3_600 });
    await server.setFaults({});
    expect(await runOn("2025-06-22")).toMatchObject({ from: "2025-06-18" });
  });

  test("are not asked for where the PNCP is not in use, and the run says so", async () => {
    const context = { store: db.store, pncp: null };
    const slot = "2025-06-20T15:00:00.000Z";
    expect(await readPncpUpdates(context, { slot }, noLimit, () => Promise.resolve())).toEqual({
      off: "SOURCES leaves the PNCP out",
    });
    expect(await db.sql("select 1 from ingest_runs")).toEqual([]);
  });
});
