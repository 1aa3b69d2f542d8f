import { ingestRecords } from "./support/ingest-records.ts";
import { computeDailyMetrics, computeEntityRisks } from "@cidadao/database/scheduled-work";
import { completeInvestigation } from "@cidadao/database/investigations";
import type { Severity } from "@cidadao/domain/severity";
import { cleanUp } from "@cidadao/operations/cleanup";
import { summariseCritical } from "@cidadao/operations/critical-summary";
import { checkHealth } from "@cidadao/operations/health-check";
import { reanalyseHistory } from "@cidadao/operations/historical-reanalysis";
import { screenNewContracts } from "@cidadao/operations/new-contracts";
import { refreshSanctions } from "@cidadao/operations/sanctions-refresh";
import { probeSources } from "@cidadao/operations/source-health";
import { findCommunities } from "@cidadao/operations/supplier-networks";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createLogger } from "@cidadao/runtime/logger";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { createPortalContext } from "@cidadao/sources/portal-transparencia/client";
import { tcu } from "@cidadao/sources/tcu/source";
import { startPortal } from "@cidadao/testing/portal/start-portal";
import { startStateCourts } from "@cidadao/testing/state-courts/start-state-courts";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { agency, contract, finding, noLimit, openRunning, resultOf, sanction, supplier } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
const portalServer = await startPortal({ apiKey: "key", dataFolder: "data" });
const http = createHttpClient({ userAgent: "tests" });
afterAll(async () => {
  await http[Symbol.asyncDispose]();
  await portalServer[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});
const { store } = db;
/** As a worker has it that was just started: nothing is remembered of calls that failed. */
const openPortal = () =>
  createPortalContext({
    outbound: {
      http,
      ...openSharedLimits(null),
      cache: createMemoryCache(),
      cacheTtlSeconds: 0,
    },
    baseUrl: portalServer.url,
    apiKey: "key",
    rate: { perMinute: 1_000_000 },
  });
const context = {
  store,
  portal: openPortal(),
  enqueue: async () => {},
  alertTargets: [{ channel: "discord" as const, target: "main", severityMin: null }],
  openingPoints: 3,
  logger: createLogger({ process: "test", level: "silent" }),
};
const ignore = () => Promise.resolve();
const TABLES =
  "investigations, alerts, alert_targets, alert_findings, schedule_runs, contracts, suppliers, agencies, sanctions, ingest_runs, " +
  "ingest_cursors, contract_screenings, sanction_matches, entity_risks, supplier_communities, source_probes, daily_metrics, watches";
beforeEach(async () => {
  await db.sql(`truncate ${TABLES} cascade`);
  await portalServer.setFaults({});
});

/** A completed investigation with these findings. */
async function investigated(findings: { subject: string; severity?: Severity; score?: number }[]): Promise<string> {
  const running = await openRunning(store);
  const given = findings.map(({ subject, ...rest }) => finding(subject, rest));
  await completeInvestigation(store, running, resultOf(given), noLimit);
  return running.id;
}
const alerts = () =>
  db.sql<{ message: { title: string; notes: string[]; findings: unknown[] } }>(
    "select message from alerts where kind = 'digest' order by created_at, message ->> 'title'",
  );

describe("the digest of the day", () => {
  const slot = new Date().toISOString();
  const at = (table: string, column: string, hoursAgo: number, where: string) =>
    db.sql(`update ${table} set ${column} = $1::timestamptz - make_interval(mins => $2) where ${where}`, [
      slot,
      hoursAgo * 60,
    ]);

  test("tells of its own window only, once, and of every alert that did not surely arrive", async () => {
    await investigated([{ subject: "in", severity: "critical" }]);
    await investigated([{ subject: "before", severity: "critical" }]);
    await investigated([{ subject: "milder", severity: "high", score: 0.8 }]);
    await at("anomalies", "created_at", 1, "true");
    await at("anomalies", "created_at", 24.1, "subject_id = 'before'");
    await db.sql("update alert_deliveries set status = 'unknown', problem = 'its sender died', settled_at = $1", [
      slot,
    ]);
    await at("alert_deliveries", "settled_at", 2, "true");
    const [old] = await db.sql<{ id: string }>("select id from alert_deliveries limit 1");
    await at("alert_deliveries", "settled_at", 30, `id = '${old!.id}'`);

    expect(await summariseCritical(context, { slot }, noLimit)).toMatchObject({
      critical: 1,
      troubledAlerts: 2,
      told: 1,
    });
    const [digest] = await alerts();
    expect(digest!.message.findings).toHaveLength(1);
    expect(digest!.message.notes).toHaveLength(2);
    expect(digest!.message.notes[0]).toMatch(/^Talvez já enviado, sem confirmação: alerta .* \(its sender died\)$/);
    expect(await summariseCritical(context, { slot }, noLimit)).toMatchObject({ critical: 1, told: 0 });
    expect(await alerts()).toHaveLength(1);
  });

  test("is several messages when one cannot hold it, and none when there is nothing to tell", async () => {
    expect(await summariseCritical(context, { slot: "2024-01-01T11:00:00Z" }, noLimit)).toMatchObject({ messages: 0 });
    await investigated(Array.from({ length: 23 }, (_, index) => ({ subject: `s${index}` })));
    await at("anomalies", "created_at", 1, "true");
    expect(await summariseCritical(context, { slot }, noLimit)).toMatchObject({ critical: 23, messages: 3, told: 3 });
    const shown = (await alerts()).map(({ message }) => [message.title, message.findings.length]);
    expect(shown).toEqual(
      [1, 2, 3].map((part) => [`Resumo do dia: 23 indícios críticos (${part} de 3)`, part < 3 ? 10 : 3]),
    );
  });
});

test("the figures of a day count that day of São Paulo, and the same day again is one row", async () => {
  await investigated([{ subject: "a" }, { subject: "b", severity: "high", score: 0.8 }]);
  await db.sql(
    "update investigations set created_at = '2024-02-02T02:30:00Z', completed_at = '2024-02-02T02:59:00Z', started_at = '2024-02-02T02:58:00Z'",
  );
  await db.sql("update anomalies set created_at = '2024-02-02T02:59:00Z'");
  for (let again = 0; again < 2; again++) {
    expect(await computeDailyMetrics(store, "2024-02-01", noLimit)).toMatchObject({
      opened: 1,
      completed: 1,
      failed: 0,
      successShare: 1,
      secondsMean: 60,
      anomalies: { critical: 1, high: 1 },
    });
  }
  expect(await computeDailyMetrics(store, "2024-02-02", noLimit)).toMatchObject({
    opened: 0,
    completed: 0,
    successShare: null,
  });
  expect(await db.sql("select day from daily_metrics order by day")).toHaveLength(2);
});

async function storeContracts(contracts: ReturnType<typeof contract>[]): Promise<void> {
  await ingestRecords(
    store,
    "agencies",
    [...new Set(contracts.map((one) => one.agencyCode))].map((code) => agency(code)),
    noLimit,
  );
  await ingestRecords(
    store,
    "suppliers",
    [...new Set(contracts.map((one) => one.supplierId))].map((id) => supplier(id)),
    noLimit,
  );
  await ingestRecords(store, "contracts", contracts, noLimit);
}
const of = (id: string, agencyCode: string, supplierId: string) =>
  contract(id, { agencyCode, supplierId, supplierTaxId: supplierId });

test("the risk of a supplier is the sum of its parts, and goes with its findings", async () => {
  const partners = Array.from({ length: 12 }, (_, index) =>
    of(`c${index}`, `2${String(index).padStart(4, "0")}`, "15195707000178"),
  );
  await storeContracts(partners);
  await ingestRecords(store, "sanctions", [sanction("s1", "15195707000178", { endsOn: null })], noLimit);
  await investigated([{ subject: "a" }, { subject: "b" }]);
  await investigated([{ subject: "c" }]);
  expect(await computeEntityRisks(store, noLimit)).toEqual({ suppliers: 1, agencies: 1, gone: 0 });
  const [risk] = await db.sql<{ risk_tenths: number; parts: { points: object } }>(
    "select * from entity_risks where kind = 'supplier'",
  );
  // 0.3 × 2 + min(3 × 3 / 2, 3) + 12 / 10 + 2
  expect(risk).toMatchObject({
    risk_tenths: 68,
    parts: {
      investigations: 2,
      findings: 3,
      degree: 12,
      sanctioned: true,
      points: { investigations: 0.6, findings: 3, degree: 1.2, sanction: 2 },
    },
  });
  await db.sql("truncate investigations cascade");
  expect(await computeEntityRisks(store, noLimit)).toEqual({ suppliers: 0, agencies: 0, gone: 2 });
});

test("suppliers that win at the same agencies are a community, and those that meet once are not", async () => {
  const [a, b, c, d] = ["15195707000178", "11222333000181", "00000000000191", "33000167000101"] as const;
  const agencies = ["20001", "20002", "20003"];
  await storeContracts([
    ...[a, b].flatMap((id) => agencies.map((code) => of(`${id}-${code}`, code, id))),
    of("c1", "20001", c),
    ...[d].flatMap((id) => agencies.slice(0, 2).map((code) => of(`${id}-${code}`, code, id))),
  ]);
  expect(await findCommunities(context, noLimit)).toMatchObject({ links: 1, communities: 1, tooLarge: 0 });
  expect(await db.sql("select id, suppliers, agencies, contracts from supplier_communities")).toEqual([
    { id: b, suppliers: [b, a], agencies, contracts: 6 },
  ]);
});

describe("the sanction lists", () => {
  const slot = "2024-06-01T06:30:00Z";

  test("that came short make the run fail, and what came is checked against the suppliers all the same, told once", async () => {
    await storeContracts([of("c1", "26435", "15195707000178"), of("c2", "26435", "11222333000181")]);
    await ingestRecords(
      store,
      "sanctions",
      [
        sanction("now", "15195707000178"),
        sanction("over", "11222333000181", { endsOn: "2024-01-31" }),
        sanction("other", "33000167000101"),
      ],
      noLimit,
    );
    const shrunk = { path: "/ceis", fault: { kind: "field_missing", field: "id" }, skip: 5 } as const;
    for (let again = 0; again < 2; again++) {
      await portalServer.setFaults({ rules: [shrunk] });
      await expect(refreshSanctions(context, { slot }, noLimit)).rejects.toThrow(/lista CEIS: vieram \d+ registros/);
    }
    const [told, ...more] = await alerts();
    expect(more).toEqual([]);
    expect(told!.message.title).toContain("1 novas sanções");
    expect(JSON.stringify(told)).toContain("15.195.707/0001-78");
    expect(await db.sql("select sanction_id from sanction_matches")).toEqual([{ sanction_id: "now" }]);
  });

  test("of the recorded sample are whole, and say that they are a sample", async () => {
    expect(await refreshSanctions(context, { slot }, noLimit)).toMatchObject({
      lists: { cnep: 1 },
      newMatches: 0,
      sample: expect.stringContaining("amostra gravada"),
    });
  });

  test("are followed by the registers that bar nobody, and one that did not come makes the run fail at its end", async () => {
    await portalServer.setFaults({ rules: [{ path: "/cepim", fault: { kind: "html" } }] });
    await expect(refreshSanctions(context, { slot }, noLimit)).rejects.toThrow(/registro de CEPIM: .*HTML/);
    expect(await db.sql("select dataset, status from ingest_runs order by dataset")).toEqual([
      { dataset: "ceis", status: "completed" },
      { dataset: "cepim", status: "failed" },
      { dataset: "cnep", status: "completed" },
      { dataset: "leniency", status: "completed" },
    ]);
  });

  test("have the declarations of the TCU beside them where it is in use; a list of it that shrank makes the run fail", async () => {
    const row = {
      nome: "A",
      cpf_cnpj: "11.222.333/0001-81",
      deliberacao: "AC-1/2024-PL",
      data_transito_julgado: null,
      data_final: "2030-01-01T03:00:00Z",
    };
    const rows = Array.from({ length: 40 }, (_, id) => ({ ...row, processo: `${id}/2024` }));
    await using whole = await startStateCourts({ data: { tcu: rows } });
    await using short = await startStateCourts({ data: { tcu: rows.slice(0, 5) } });
    const outbound = { http, ...openSharedLimits(null), cache: createMemoryCache(), cacheTtlSeconds: 0 };
    const refreshWith = ({ environment }: { environment: Record<string, string> }) => {
      const opened = tcu.open({ ...environment, TCU_PER_MINUTE: "1000000" }, outbound);
      return refreshSanctions({ ...context, tcu: opened }, { slot }, noLimit);
    };
    expect(await refreshWith(whole)).toMatchObject({ lists: { tcu: 40 } });
    await expect(refreshWith(short)).rejects.toThrow(/inidôneos do TCU: vieram 5 registros/);
    expect(await db.sql("select count(*)::int from sanctions where list = 'tcu'")).toEqual([{ count: 40 }]);
  });

  test("that did not come at all make the run fail with the reason", async () => {
    await portalServer.setFaults({ rules: [{ path: "/ceis", fault: { kind: "html" } }] });
    await expect(refreshSanctions(context, { slot }, noLimit)).rejects.toThrow(/lista CEIS/);
    expect(await db.sql("select status from ingest_runs where dataset = 'ceis'")).toEqual([{ status: "failed" }]);
  });
});

describe("a probe of the sources", () => {
  const source = (probe: () => Promise<{ records: number; sample: string | null }>) => ({
    ...context,
    probedSources: [{ id: "portal", name: "Portal", probeRecordsMin: 10, probe }],
  });

  test("is stored, and fails when a source is down or gives less than it can", async () => {
    const well = source(async () => ({ records: 15, sample: null }));
    expect(await probeSources(well, noLimit)).toMatchObject({ sources: [{ source: "portal", records: 15 }] });
    const shrunk = source(async () => ({ records: 3, sample: null }));
    await expect(probeSources(shrunk, noLimit)).rejects.toThrow("portal: gave 3 rows");
    const down = source(() => Promise.reject(new Error("HTTP 503")));
    await expect(probeSources(down, noLimit)).rejects.toThrow("portal: HTTP 503");
    expect(await db.sql("select is_up, problem from source_probes order by probed_at")).toEqual([
      { is_up: true, problem: null },
      { is_up: false, problem: "gave 3 rows, at least 10 expected" },
      { is_up: false, problem: "HTTP 503" },
    ]);
  });
});

describe("the look at itself", () => {
  const depths = { investigations: 0, alerts: 0, ingest: 0, maintenance: 0 };
  const check = (queueDepths: () => Promise<typeof depths | null> = async () => depths) =>
    checkHealth({ store, queueDepths }, noLimit);

  test("finds nothing wrong where nothing is", async () => {
    expect(await check()).toMatchObject({ depths, backlog: { waiting: 0 } });
  });

  test("names everything that is wrong", async () => {
    await openRunning(store);
    await db.sql("update investigations set status = 'pending', created_at = now() - interval '2 hours'");
    await db.sql(
      "insert into schedule_runs (schedule_id, slot, job, status) values ('health-check', now() - interval '1 hour', 'health-check', 'completed')",
    );
    await db.sql(
      "insert into schedule_runs (schedule_id, slot, job, status, crashes, problem) values ('cleanup', now(), 'cleanup', 'failed', 4, 'its worker died 4 times')",
    );
    const wrong = check(async () => null);
    await expect(wrong).rejects.toThrow("a fila não responde");
    await expect(wrong).rejects.toThrow("1 investigações esperam");
    await expect(wrong).rejects.toThrow("a agenda health-check está atrasada");
    await expect(wrong).rejects.toThrow("cleanup: its worker died 4 times");
  });
});

test("cleaning up deletes what is old, and keeps what the timetable and the readers go on from", async () => {
  await db.sql(
    `insert into schedule_runs (schedule_id, slot, job, status)
     select 'stuck-sweep', now() - interval '100 days' + n * interval '1 minute', 'stuck-sweep', 'completed' from generate_series(1, 6000) n`,
  );
  await db.sql(
    "insert into schedule_runs (schedule_id, slot, job, status) values ('cleanup', now() - interval '200 days', 'cleanup', 'failed')",
  );
  await db.sql(
    `insert into ingest_runs (source, dataset, scope, status, started_at, finished_at)
     select 's', 'd', '{}', 'completed', now() - n * interval '190 days', now() - n * interval '190 days' from generate_series(1, 2) n`,
  );
  const id = await investigated([{ subject: "a" }]);
  await db.sql("update investigations set completed_at = now() - interval '100 days'");
  expect(await cleanUp(context, noLimit)).toMatchObject({ runs: 5_999, ingests: 1 });
  expect(await db.sql("select schedule_id from schedule_runs order by 1")).toEqual([
    { schedule_id: "cleanup" },
    { schedule_id: "stuck-sweep" },
  ]);
  expect(await db.sql("select phase from investigation_events where investigation_id = $1", [id])).toEqual([
    { phase: "finished" },
  ]);
  expect(await db.sql("select 1 from anomalies")).toHaveLength(1);
});

describe("new contracts", () => {
  // The recorded portal answers for the contracts of January 2024.
  const slot = "2024-01-10T10:10:00Z";
  const screen = (points = 3, at = slot) =>
    screenNewContracts({ ...context, portal: openPortal(), openingPoints: points }, { slot: at }, noLimit, ignore);

  test("are screened once, and open one investigation an agency, whose scope they are in", async () => {
    const first = await screen(6);
    expect(first).toMatchObject({ from: "2024-01-03", to: "2024-01-10" });
    const { contracts, screened, triggering, investigations } = first as Record<string, number> & {
      investigations: string[];
    };
    expect(screened).toBe(contracts);
    expect(triggering).toBeGreaterThan(0);
    expect(investigations.length).toBeGreaterThan(0);
    const outside = await db.sql(
      `select c.source_id from contract_screenings s join contracts c using (source, source_id)
         join investigations i on i.id = s.investigation_id
        where s.points < 6 or not (i.scope -> 'agencyCodes' ? c.agency_code)
           or coalesce(c.starts_on, '-infinity') > (i.scope ->> 'to')::date or coalesce(c.ends_on, 'infinity') < (i.scope ->> 'from')::date`,
    );
    expect(outside).toEqual([]);
    const [sum] = await db.sql<{ bad: number }>(
      "select count(*)::int as bad from contract_screenings s where points <> (select coalesce(sum((x ->> 'points')::int), 0) from jsonb_array_elements(signs) x)",
    );
    expect(sum!.bad).toBe(0);
    // The next window overlaps: nothing is screened or opened twice.
    expect(await screen(6, "2024-01-10T16:10:00Z")).toMatchObject({
      from: "2024-01-08",
      screened: 0,
      investigations: [],
    });
  }, 120_000);

  test("of a watched supplier or agency, and no others, have the points of that", async () => {
    await screen();
    const [supplier] = await db.sql<{ id: string; agency: string }>(
      `select supplier_tax_id as id, min(agency_code) as agency from contracts
        where supplier_kind = 'company' group by 1 order by count(distinct agency_code) desc, 1 limit 1`,
    );
    await db.sql("truncate contract_screenings, ingest_cursors");
    const watching = `insert into watches (subject_kind, subject_id, channel, target, address) values ($1, $2, 'email', 't', 'a')`;
    await db.sql(watching, ["supplier", supplier!.id]);
    await db.sql(watching, ["agency", supplier!.agency]);
    await screen();
    const seen = await db.sql<{ watched: boolean; expected: boolean; contracts: number }>(
      `select s.signs @> '[{"sign": "watched", "points": 3}]' as watched, count(*) as contracts,
              c.supplier_tax_id is not distinct from $1 or c.agency_code = $2 as expected
         from contract_screenings s join contracts c using (source, source_id) group by 1, 3 order by 1`,
      [supplier!.id, supplier!.agency],
    );
    expect(seen.map(({ watched, expected }) => [watched, expected])).toEqual([
      [false, false],
      [true, true],
    ]);
  }, 120_000);

  test("that did not all come make the run fail, what came is screened, and the next run reads the same window", async () => {
    await portalServer.setFaults({
      rules: [{ path: "/contratos", fault: { kind: "server_error", status: 503 }, skip: 30 }],
    });
    await expect(screen(6)).rejects.toThrow(/leitura incompleta .*contratos do órgão/);
    expect(await db.sql("select 1 from ingest_cursors")).toEqual([]);
    await portalServer.setFaults({});
    expect(await screen(6)).toMatchObject({ from: "2024-01-03", to: "2024-01-10" });
    expect(await db.sql("select position from ingest_cursors")).toEqual([{ position: { doneTo: "2024-01-10" } }]);
  }, 180_000);
});

test("the reanalysis goes on where it was cut off, opens no slice twice, and names the slices that failed", async () => {
  const input = { agencyCodes: ["26408", "52000"], slot: "2024-07-07T08:00:00Z" };
  const stop = new AbortController();
  const seen: Record<string, unknown>[] = [];
  const cut = reanalyseHistory(context, input, stop.signal, async (progress) => {
    seen.push(progress);
    if (progress["opened"] === 12) stop.abort(new Error("the worker stops"));
  });
  await expect(cut).rejects.toThrow("the worker stops");
  expect(seen[0]).toMatchObject({ slices: 12, opened: 0 });
  await db.sql(
    "update investigations set status = 'completed', outcome = 'no_anomalies', completed_at = now() where scope ->> 'from' <> '2024-01-01'",
  );
  await db.sql(
    "update investigations set status = 'failed', failure_code = 'poison', completed_at = now() where status = 'pending'",
  );
  await expect(reanalyseHistory(context, input, noLimit, ignore)).rejects.toThrow("2 de 12 fatias falharam");
  const slices = await db.sql("select scope, priority from investigations");
  expect(slices).toHaveLength(12);
  expect(new Set(slices.map(({ scope }) => JSON.stringify(scope))).size).toBe(12);
  expect(new Set(slices.map(({ priority }) => priority))).toEqual(new Set(["low"]));
  await db.sql("update investigations set status = 'completed', outcome = 'partial', failure_code = null");
  expect(await reanalyseHistory(context, input, noLimit, ignore)).toMatchObject({
    slices: 12,
    completed: 12,
    failed: 0,
  });
});
