import { buildApp } from "@cidadao/api/app";
import { findCoverageSnapshot } from "@cidadao/database/coverage-snapshots";
import { createAdmission } from "@cidadao/operations/admit";
import { type MappedSource, recordCoverage } from "@cidadao/operations/record-coverage";
import { AppError } from "@cidadao/runtime/errors";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createLogger } from "@cidadao/runtime/logger";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { createTelemetry } from "@cidadao/runtime/telemetry";
import { portalTransparencia } from "@cidadao/sources/portal-transparencia/source";
import { startPortal } from "@cidadao/testing/portal/start-portal";
import { afterAll, beforeEach, expect, test } from "vitest";
import { noLimit } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
const portal = await startPortal({ apiKey: "key", dataFolder: "data" });
const http = createHttpClient({ userAgent: "tests" });
const { store } = db;
const app = await buildApp({
  store,
  enqueue: async () => {},
  admit: createAdmission({ store, limits: { waitingMax: 10, waitSecondsMax: 10 } }),
  queueIsReady: () => true,
  queueDepths: async () => null,
  queues: () => null,
  stopping: noLimit,
  corsOrigins: [],
  secretKey: null,
  feedbackSecret: null,
  targetRules: { ALERT_SIGNED_WEBHOOK_HOSTS: [], ALERT_WEBHOOKS_LOOPBACK: "false" },
  logger: createLogger({ process: "api", level: "silent" }),
  telemetry: createTelemetry({ process: "api" }),
});
afterAll(async () => {
  await app.close();
  await http[Symbol.asyncDispose]();
  await portal[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});
beforeEach(() => db.sql("truncate coverage_snapshots"));

type Shown = { name: string; url: string; status: string; error?: string };
type Map = {
  last_update?: string;
  summary: Record<string, number>;
  states: Record<string, { status: string; apis: Shown[] }>;
  national: Shown[];
  cache_info: { cached: boolean; note: string };
};

async function readMap(): Promise<Map> {
  const answer = await app.inject("/api/v1/transparency/coverage/map/");
  expect(answer.statusCode).toBe(200);
  return answer.json<Map>();
}

/** The real source on the recorded portal, as a worker opens it. */
function openPortal(): MappedSource {
  const environment = { TRANSPARENCY_API_KEY: "key", PORTAL_TRANSPARENCIA_URL: portal.url };
  const outbound = { http, ...openSharedLimits(null), cache: createMemoryCache(), cacheTtlSeconds: 0 };
  return { ...portalTransparencia, ...portalTransparencia.open(environment, outbound) };
}

const ofState = (code: string, probe: MappedSource["probe"]): MappedSource => ({
  id: code.toLowerCase(),
  name: `Tribunal de Contas ${code}`,
  address: `https://${code.toLowerCase()}.example`,
  coverage: { states: [code] },
  resources: { contracts: {}, tenders: {} },
  probeRecordsMin: 5,
  probe,
});
const well = () => Promise.resolve({ records: 9, sample: null });

test("the map of the states says that nothing was asked until something was", async () => {
  const map = await readMap();
  expect(map.cache_info).toMatchObject({ cached: false, note: expect.stringContaining("ainda") });
  expect(map.summary).toMatchObject({ total_states: 27, states_with_apis: 0, total_apis: 0 });
});

test("the map of the states shows how each source answered, and none that was not asked", async () => {
  const failing = (code: ConstructorParameters<typeof AppError>[0]) => () =>
    Promise.reject(new AppError(code, `it said ${code}`));
  const probedSources = [
    openPortal(),
    ofState("SP", well),
    ofState("CE", () => Promise.resolve({ records: 4, sample: null })),
    ofState("RJ", failing("source_unavailable")),
    ofState("RS", failing("deadline_exceeded")),
    ofState("BA", failing("source_refused")),
    { ...ofState("XX", well), coverage: { states: [] } },
  ];
  const result = await recordCoverage({ store, probedSources, sourcesOff: ["Fonte sem chave"] }, noLimit);
  expect(result).toMatchObject({ off: ["Fonte sem chave"] });
  const map = await readMap();
  const states = Object.entries(map.states).filter(([, { apis }]) => apis.length > 0);
  expect(states.map(([code, { status, apis }]) => [code, status, apis[0]!.status, apis[0]!.error ?? null])).toEqual([
    ["BA", "unhealthy", "error", "it said source_refused"],
    ["CE", "degraded", "partial", "gave 4 rows, at least 5 expected"],
    ["RJ", "unhealthy", "down", "it said source_unavailable"],
    ["RS", "unhealthy", "timeout", "it said deadline_exceeded"],
    ["SP", "healthy", "operational", null],
  ]);
  expect(map.national).toMatchObject([{ name: "Portal da Transparência", url: portal.url, status: "operational" }]);
  expect(map.summary).toMatchObject({ states_with_apis: 5, states_working: 1, total_apis: 6 });
  expect(map.cache_info).toMatchObject({ cached: true, last_update: map.last_update });
  expect(map.cache_info.note).toContain("Fonte sem chave");
  // The portal of the tests is a recording, and the map says so.
  expect(map.cache_info.note).toContain("Respostas gravadas");
});

test("the newest answers count, and those of three months ago are forgotten", async () => {
  const record = (probe: MappedSource["probe"]) =>
    recordCoverage({ store, probedSources: [ofState("SP", probe)], sourcesOff: [] }, noLimit);
  await record(() => Promise.reject(new Error("nobody there")));
  await db.sql("update coverage_snapshots set taken_at = now() - interval '91 days'");
  expect((await readMap()).cache_info.note).toContain("antiga");
  await record(well);
  expect((await readMap()).states["SP"]).toMatchObject({ status: "healthy" });
  expect(await db.sql("select count(*) as kept from coverage_snapshots")).toEqual([{ kept: 1 }]);
});

test("a measuring that is interrupted stores nothing", async () => {
  const stop = new AbortController();
  const probe: MappedSource["probe"] = (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error));
      stop.abort(new Error("the worker stops"));
    });
  const recording = recordCoverage({ store, probedSources: [ofState("SP", probe)], sourcesOff: [] }, stop.signal);
  await expect(recording).rejects.toThrow("the worker stops");
  expect(await findCoverageSnapshot(store, noLimit)).toBeNull();
});
