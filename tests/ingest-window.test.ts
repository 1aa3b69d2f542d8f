import { createStoredCache } from "@cidadao/database/source-responses";
import { ingestWindow, type WindowInput } from "@cidadao/operations/ingest-window";
import { AppError } from "@cidadao/runtime/errors";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { pncp } from "@cidadao/sources/pncp/source";
import { portalTransparencia } from "@cidadao/sources/portal-transparencia/source";
import { generateContracts, noRecords } from "@cidadao/testing/pncp/records";
import { type PncpServer, startPncp } from "@cidadao/testing/pncp/start-pncp";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noLimit } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
const http = createHttpClient({ userAgent: "cidadao-tests" });
const days = ["2025-06-20", "2025-06-21", "2025-06-22", "2025-06-23", "2025-06-24"];
const PER_DAY = 120;
const records = { ...noRecords, contracts: generateContracts({ days, perDay: PER_DAY }) };

let server: PncpServer;
beforeAll(async () => {
  server = await startPncp({ records });
});
beforeEach(async () => {
  server.setRecords(records);
  server.requests.reset();
  await server.setFaults({});
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

function ingest(given: Partial<WindowInput> = {}, { cacheTtlSeconds = 0, signal = noLimit } = {}) {
  const environment = {
    PNCP_CONSULTA_URL: server.consultaUrl,
    PNCP_URL: server.detailUrl,
    PNCP_PER_MINUTE: "1000000",
    PNCP_PAGE_ROWS: "50",
  };
  const outbound = { http, ...openSharedLimits(null), cache: createStoredCache(db.store), cacheTtlSeconds };
  const opened = pncp.open(environment, outbound);
  const scope = { from: days[0]!, to: days.at(-1)!, agency: null };
  return ingestWindow(
    { store: db.store },
    { source: pncp, opened, resource: "contracts", scope, resume: false, ...given },
    signal,
  );
}

const count = async (table: string) =>
  (await db.sql<{ rows: number }>(`select count(*)::int as rows from ${table}`))[0]!.rows;
const total = days.length * PER_DAY;

describe("bringing a window in", () => {
  test("stores every record once, and a row says what was read", async () => {
    const summary = await ingest();
    expect(summary).toMatchObject({ asked: 5, answered: 5, records: total, rejected: 0, excluded: 0, missing: [] });
    expect(await count("contracts")).toBe(total);
    const runs = await db.sql("select source, dataset, status, records, pages, pages_from_cache from ingest_runs");
    expect(runs).toEqual([
      { source: "pncp", dataset: "contracts", status: "completed", records: total, pages: 15, pages_from_cache: 0 },
    ]);
  });

  test("again writes not a single row and asks the portal nothing while its answers are kept", async () => {
    await ingest({}, { cacheTtlSeconds: 3_600 });
    const asked = server.requests.total();
    const before = await db.sql("select xmin::text, source_id from contracts order by 2");
    server.requests.reset();
    const again = await ingest({}, { cacheTtlSeconds: 3_600 });
    expect(again).toMatchObject({ records: total, inserted: 0, updated: 0, pages: 15, pagesFromCache: 15 });
    expect(await db.sql("select xmin::text, source_id from contracts order by 2")).toEqual(before);
    expect(asked).toBe(15);
    expect(server.requests.total()).toBe(0);
  });

  test("again without kept answers asks only about days that may still have changed, and writes nothing", async () => {
    const clock = { now: () => Date.parse("2025-06-25T12:00:00Z") };
    const opened = () =>
      pncp.open(
        { PNCP_CONSULTA_URL: server.consultaUrl, PNCP_PER_MINUTE: "1000000", PNCP_PAGE_ROWS: "50" },
        { http, ...openSharedLimits(null), cache: createStoredCache(db.store), cacheTtlSeconds: 0 },
      );
    const input = { source: pncp, resource: "contracts", resume: true };
    const scope = { from: days[0]!, to: days.at(-1)!, agency: null };
    await ingestWindow({ store: db.store, clock }, { ...input, opened: opened(), scope }, noLimit);
    server.requests.reset();
    const again = await ingestWindow({ store: db.store, clock }, { ...input, opened: opened(), scope }, noLimit);
    expect(again).toMatchObject({ settled: 3, answered: 5, inserted: 0, updated: 0, records: 2 * PER_DAY });
    expect(server.requests.total()).toBe(6);
    // Once all of it is settled, nothing is asked at all.
    const later = { now: () => Date.parse("2025-07-25T12:00:00Z") };
    await ingestWindow({ store: db.store, clock: later }, { ...input, opened: opened(), scope }, noLimit);
    server.requests.reset();
    const last = await ingestWindow({ store: db.store, clock: later }, { ...input, opened: opened(), scope }, noLimit);
    expect(last).toMatchObject({ settled: 5, answered: 5, inserted: 0, updated: 0, records: 0, missing: [] });
    expect(server.requests.total()).toBe(0);
  });

  test("keeps what a record said before it changed, and only what changed", async () => {
    await ingest();
    const changed = records.contracts.map((record, index) =>
      index === 7 ? { ...record, json: record.json.replace(/"valorGlobal":[\d.]+/, '"valorGlobal":99') } : record,
    );
    server.setRecords({ ...noRecords, contracts: changed });
    expect(await ingest()).toMatchObject({ inserted: 0, updated: 1 });
    const kept = await db.sql<{ relation: string; was: Record<string, unknown> }>(
      "select relation, was from record_changes",
    );
    expect(kept).toEqual([{ relation: "contracts", was: { current_value_cents: expect.any(Number) as number } }]);
    expect(await ingest()).toMatchObject({ inserted: 0, updated: 0 });
  });

  test("never lets an answer that was read earlier replace one that was read later", async () => {
    await ingest({}, { cacheTtlSeconds: 3_600 });
    const changed = records.contracts.map((record) => ({
      ...record,
      json: record.json.replace(/"valorGlobal":[\d.]+/, '"valorGlobal":99'),
    }));
    server.setRecords({ ...noRecords, contracts: changed });
    expect(await ingest()).toMatchObject({ updated: total });
    expect(await ingest({}, { cacheTtlSeconds: 3_600 })).toMatchObject({ pagesFromCache: 15, updated: 0 });
    expect(await db.sql("select 1 from contracts where current_value_cents <> 9900")).toEqual([]);
  });

  test("puts records that cannot be used aside once, with the reason, and counts them", async () => {
    await server.setFaults({
      rules: [{ page: 1, fault: { kind: "field_value", field: "orgaoEntidade", value: "529.982.247-25" } }],
    });
    const first = await ingest();
    expect(first).toMatchObject({ rejected: 250, quarantined: 250, records: total - 250, missing: [] });
    const aside = await db.sql<{ reason: string; raw: unknown; source: string; dataset: string }>(
      "select reason, raw, source, dataset from quarantined_records",
    );
    expect(aside).toHaveLength(250);
    expect(aside[0]).toMatchObject({
      source: "pncp",
      dataset: "contracts",
      reason: expect.stringContaining("orgaoEntidade"),
    });
    expect(JSON.stringify(aside)).not.toContain("529.982.247-25");
    expect(await ingest()).toMatchObject({ rejected: 250, quarantined: 0 });
  });

  test("says what is missing when a day does not answer, and reads only that when it is resumed", async () => {
    await server.setFaults({ rules: [{ fault: { kind: "html" }, skip: 4, times: 1 }] });
    const first = await ingest();
    expect(first).toMatchObject({ asked: 5, answered: 4 });
    expect(first.missing).toEqual([
      { what: expect.stringMatching(/^contratos/), why: expect.stringContaining("HTML") },
    ]);
    expect(await db.sql("select status from ingest_runs")).toEqual([{ status: "partial" }]);
    const rest = await ingest({ resume: true });
    expect(rest).toMatchObject({ answered: 5, settled: 4, missing: [] });
    expect(await count("contracts")).toBe(total);
    expect([...server.requests.answeredWell().values()].every((times) => times === 1)).toBe(true);
  });

  test("leaves the run open when the source wants to be asked later, and goes on in the same row", async () => {
    await server.setFaults({ rules: [{ fault: { kind: "rate_limited", retryAfter: 600 }, skip: 6 }] });
    const error: unknown = await ingest().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: "rate_limited", retryAfterSeconds: 600 });
    expect(await db.sql("select status, pages from ingest_runs")).toEqual([{ status: "running", pages: 6 }]);
    await server.setFaults({});
    expect(await ingest({ resume: true })).toMatchObject({ records: total, answered: 5, missing: [] });
    expect(await db.sql("select status, pages from ingest_runs")).toEqual([{ status: "completed", pages: 15 }]);
    expect([...server.requests.answeredWell().values()].every((times) => times === 1)).toBe(true);
  });

  test("closes a run that was left open when the window is read anew", async () => {
    const stop = new AbortController();
    await ingest({ onProgress: () => stop.abort(new Error("stopped")) }, { signal: stop.signal }).catch(() => {});
    expect(await db.sql("select status from ingest_runs")).toEqual([{ status: "running" }]);
    await ingest();
    expect(await db.sql("select status from ingest_runs order by started_at")).toEqual([
      { status: "failed" },
      { status: "completed" },
    ]);
  });

  test("of one agency asks once for as many days as the portal takes", async () => {
    const agency = records.contracts[0]!.cnpj;
    const summary = await ingest({ scope: { from: "2025-01-01", to: "2026-12-31", agency } });
    expect(summary.asked).toBe(2);
    expect(summary.records).toBe(records.contracts.filter(({ cnpj }) => cnpj === agency).length);
  });

  test("refuses what a source does not have, or has of one agency only", async () => {
    await expect(ingest({ resource: "items" })).rejects.toMatchObject({ code: "invalid_request" });
    const environment = { TRANSPARENCY_API_KEY: "k", PORTAL_TRANSPARENCIA_URL: server.consultaUrl };
    const outbound = { http, ...openSharedLimits(null), cache: createStoredCache(db.store), cacheTtlSeconds: 0 };
    const opened = portalTransparencia.open(environment, outbound);
    await expect(ingest({ source: portalTransparencia, opened })).rejects.toMatchObject({ code: "invalid_request" });
  });
});
