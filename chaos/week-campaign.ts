import { findRun, type ScheduleRun } from "@cidadao/database/schedule-runs";
import type { Store } from "@cidadao/database/store";
import { runDetectors } from "@cidadao/detectors/run-detectors";
import { createModelChain } from "@cidadao/llm/chain";
import { jobCatalogue, type JobName, type QueueName } from "@cidadao/queue/jobs";
import type { Enqueue } from "@cidadao/queue/produce";
import { schedules } from "@cidadao/queue/schedules";
import { parseConfig } from "@cidadao/runtime/config";
import { messageOf } from "@cidadao/runtime/errors";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createLogger } from "@cidadao/runtime/logger";
import { createMemoryPauses } from "@cidadao/runtime/pauses";
import { createMemoryRateLimiter } from "@cidadao/runtime/rate-limit";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { createTelemetry } from "@cidadao/runtime/telemetry";
import { tick } from "@cidadao/scheduler/tick";
import { addDays } from "@cidadao/domain/dates";
import { openCnpj } from "@cidadao/sources/cnpj/source";
import { katanaScan } from "@cidadao/sources/katana-scan/source";
import { pncp } from "@cidadao/sources/pncp/source";
import { sourcesInUse } from "@cidadao/sources/registry";
import { openPortal } from "@cidadao/sources/portal-transparencia/source";
import { startCnpj } from "@cidadao/testing/cnpj/start-cnpj";
import { generateContracts, noRecords } from "@cidadao/testing/pncp/records";
import { startPncp } from "@cidadao/testing/pncp/start-pncp";
import { startDiscordSink } from "@cidadao/testing/discord/start-discord-sink";
import { startKatana } from "@cidadao/testing/katana/start-katana";
import { startPortal } from "@cidadao/testing/portal/start-portal";
import { openAlertTargets } from "@cidadao/channels/open-targets";
import { workerEnvironment } from "@cidadao/worker/config";
import { createHandlers, type WorkerContext } from "@cidadao/worker/handlers";

export type WeekCampaign = {
  store: Store;
  supabaseUrl: string;
  serviceRoleKey: string;
  sql: <Row extends object>(query: string, parameters?: unknown[]) => Promise<Row[]>;
  dataFolder: string;
  /** The priority agencies; `null`: those of the configuration's default. */
  agencies: string[] | null;
  start: Date;
  end: Date;
  /** Virtual time between two looks at the timetable: what comes more often has its slots in between counted as missed. */
  stepMinutes: number;
};

export type ScheduleFigures = {
  schedule: string;
  slots: number;
  runs: number;
  missed: number;
  failed: number;
  /** Rows that its runs are there for, as the table below counts them. */
  rows: number;
  seconds: number;
};
export type WeekFigures = {
  schedules: ScheduleFigures[];
  investigations: { priority: string; outcome: string; count: number }[];
  alerts: { kind: string; status: string; count: number }[];
  messages: number;
  problems: string[];
};

const MINUTE_MS = 60_000;
const PER_MINUTE = "1000000";
const AT_ONCE: Record<QueueName, number> = { investigations: 4, alerts: 4, ingest: 3, maintenance: 2 };
const KEY = "week-of-the-recorded-portal";
/** The company that the probe asks for, in a register that has no other: what it says is made up, and goes away. */
const EXAMPLE_COMPANY = {
  "00000000000191": { cnpj: "00000000000191", razao_social: "EMPRESA DE EXEMPLO", data_inicio_atividade: "2020-01-02" },
};
/** A feed of which no answer is public: one award, too small to be investigated. */
const EXAMPLE_AWARDS = [
  { id: 1, numero: "1", objeto: "Exemplo", valor: 900, orgao: { nome: "Exemplo", codigo: "26435" } },
];
/** Longer than the first window of the job that reads the PNCP. */
const PNCP_DAYS_BEFORE = 10;
/** The day that the probe asks about. */
const PNCP_PROBE_DAY = "2024-07-01";
const never = new AbortController().signal;

/** The rows that show that a job did its work; one without is held to its result alone. */
const WRITTEN: Partial<Record<(typeof schedules)[number]["id"], string>> = {
  "new-contracts": "select count(*)::int as rows from contract_screenings",
  "priority-agencies": "select count(*)::int as rows from investigations where query like 'Contratos recentes%'",
  "katana-monitor": "select count(*)::int as rows from contracts where source = 'katana-scan'",
  "pncp-updates": "select count(*)::int as rows from contracts where source = 'pncp'",
  "sanctions-refresh": "select count(*)::int as rows from sanctions",
  "registrations-refresh": "select count(*)::int as rows from registration_lookups",
  "investigation-metrics": "select count(*)::int as rows from daily_metrics",
  "entity-risk": "select count(*)::int as rows from entity_risks",
  "historical-reanalysis": "select count(*)::int as rows from investigations where query like 'Reanálise%'",
  "coverage-map": "select count(*)::int as rows from coverage_snapshots",
  "source-health": "select count(*)::int as rows from source_probes",
};

/**
 * The whole timetable over some virtual days: the scheduler's own tick at a virtual time, the worker's own handlers, a real
 * database, the recorded portals. Everything that is due is worked off before the clock goes on. What was written by
 * then is dated at the virtual time, so that jobs that look back find it in their window.
 */
export async function runWeekCampaign(given: WeekCampaign): Promise<WeekFigures> {
  const { store, sql } = given;
  await using resources = new AsyncDisposableStack();
  const portal = resources.use(await startPortal({ apiKey: KEY, dataFolder: given.dataFolder }));
  const register = await startCnpj({ companies: { opencnpj: EXAMPLE_COMPANY, minhareceita: {}, brasilapi: {} } });
  resources.defer(() => register.stop());
  const days = daysBetween(addDays(dayOf(given.start), -PNCP_DAYS_BEFORE), dayOf(given.end));
  const records = { ...noRecords, contracts: generateContracts({ days: [...days, PNCP_PROBE_DAY], perDay: 20 }) };
  const pncpServer = resources.use(await startPncp({ records }));
  const katana = await startKatana({ token: KEY, all: EXAMPLE_AWARDS });
  resources.defer(() => katana.stop());
  const inbox = resources.use(await startDiscordSink());
  const http = resources.use(createHttpClient({ userAgent: "cidadao-chaos" }));
  const environment = {
    SUPABASE_URL: given.supabaseUrl,
    SUPABASE_SERVICE_ROLE_KEY: given.serviceRoleKey,
    DATABASE_URL: "postgres://none",
    TRANSPARENCY_API_KEY: KEY,
    SOURCES: "portal-transparencia,pncp,cnpj",
    PNCP_CONSULTA_URL: pncpServer.consultaUrl,
    PNCP_URL: pncpServer.detailUrl,
    PNCP_PER_MINUTE: PER_MINUTE,
    PORTAL_TRANSPARENCIA_URL: portal.url,
    PORTAL_TRANSPARENCIA_PER_MINUTE: PER_MINUTE,
    OPENCNPJ_URL: register.openCnpjUrl,
    MINHARECEITA_URL: register.minhaReceitaUrl,
    BRASILAPI_URL: register.brasilApiUrl,
    KATANA_URL: katana.url,
    KATANA_TOKEN: KEY,
    KATANA_PER_MINUTE: PER_MINUTE,
    CNPJ_PER_MINUTE: PER_MINUTE,
    ALERT_WEBHOOKS: inbox.webhookUrl.href,
    ALERT_WEBHOOKS_LOOPBACK: "true",
    ALERT_MESSAGES_PER_MINUTE: "1000",
    ...(given.agencies ? { WATCHED_AGENCIES: given.agencies.join(",") } : {}),
  };
  const config = parseConfig(workerEnvironment, environment);
  const targets = resources.use(openAlertTargets(config));
  const outbound = {
    http,
    limiter: () => createMemoryRateLimiter({ perMinute: Number(PER_MINUTE) }),
    pauses: createMemoryPauses(),
    cache: createMemoryCache(),
    cacheTtlSeconds: 0,
  };

  let now = given.start;
  const queue = createQueue();
  const logger = createLogger({ process: "week", level: "silent" });
  const context: WorkerContext = {
    store,
    portal: openPortal(config, outbound),
    enqueue: queue.enqueue,
    queueIsReady: () => true,
    storeIsJustBack: () => false,
    detect: async (dataset, detectors) => runDetectors(dataset, detectors === null ? {} : { detectors }),
    explain: { models: createModelChain([]), logger },
    targets: targets.list,
    openTarget: targets.open,
    alertTargets: targets.list.map(({ channel, target, severityMin }) => ({ channel, target, severityMin })),
    groupMax: 10,
    messagesPerMinute: config.ALERT_MESSAGES_PER_MINUTE,
    sendLeaseSeconds: 60,
    quietHours: null,
    alertSeverityMin: config.ALERT_SEVERITY_MIN,
    publicUrl: null,
    feedbackSecret: null,
    leaseSeconds: config.LEASE_SECONDS,
    graceSeconds: config.ENQUEUED_GRACE_SECONDS,
    watchedAgencies: config.WATCHED_AGENCIES,
    openingPoints: config.OPENING_POINTS,
    probedSources: sourcesInUse(config.SOURCES, environment).map((source) => ({
      ...source,
      ...source.open(environment, outbound),
    })),
    sourcesOff: [],
    cnpj: openCnpj(config, outbound),
    tcu: null,
    katana: katanaScan.open(environment, outbound),
    pncp: pncp.open(environment, outbound),
    queueDepths: async () => queue.depths(),
    clock: () => now,
    logger,
    telemetry: createTelemetry({ process: "week" }),
  };
  const handlers = createHandlers(context, { pause: () => {}, resume: () => {} });
  const ticking = {
    store,
    enqueue: queue.enqueue,
    queueIsReady: () => true,
    clock: () => now,
    graceSeconds: 120,
    logger,
  };
  const figures = new Map(schedules.map(({ id }) => [id, { slots: 0, runs: 0, missed: 0, failed: 0, seconds: 0 }]));
  const problems: string[] = [];

  for (; now <= given.end; now = new Date(now.getTime() + given.stepMinutes * MINUTE_MS)) {
    await tick(ticking, schedules, never);
    const handled = await queue.drain(handlers);
    problems.push(...handled.problems);
    for (const run of handled.runs) {
      const row = await findRun(store, run, never);
      const sum = figures.get(run.scheduleId)!;
      sum.runs++;
      sum.slots += 1 + (row?.missed ?? 0);
      sum.missed += row?.missed ?? 0;
      sum.seconds += secondsOf(row);
      if (row?.status === "completed") continue;
      sum.failed++;
      problems.push(`${run.scheduleId} ${run.slot} ended as ${row?.status ?? "nothing"}: ${row?.problem ?? ""}`);
    }
    // Rows carry the database's time, which has hardly moved.
    const at = now.toISOString();
    await sql(
      `update investigations set created_at = $1, started_at = $1, completed_at = $1 where created_at > now() - interval '1 day'`,
      [at],
    );
    await sql("update anomalies set created_at = $1 where created_at > now() - interval '1 day'", [at]);
  }

  const table: ScheduleFigures[] = [];
  for (const { id } of schedules) {
    const question = WRITTEN[id];
    const rows = question === undefined ? 0 : (await sql<{ rows: number }>(question))[0]!.rows;
    const sum = figures.get(id)!;
    if (sum.runs > 0 && question !== undefined && rows === 0) problems.push(`${id} ran and wrote nothing`);
    table.push({ schedule: id, ...sum, rows });
  }
  const open = await sql("select 1 from investigations where status not in ('completed', 'failed', 'cancelled')");
  if (open.length > 0) problems.push(`${open.length} investigations have not ended`);
  return {
    schedules: table,
    investigations: await sql(
      `select priority, coalesce(outcome, status) as outcome, count(*)::int from investigations group by 1, 2 order by 1, 2`,
    ),
    alerts: await sql(
      `select a.kind, d.status, count(*)::int from alerts a join alert_deliveries d on d.alert_id = a.id group by 1, 2 order by 1, 2`,
    ),
    messages: inbox.accepted.length,
    problems,
  };
}

function secondsOf(run: ScheduleRun | null): number {
  if (!run?.startedAt || !run.finishedAt) return 0;
  return (Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1_000;
}

type Job = { name: JobName; payload: Parameters<Enqueue>[1] };
type Handlers = ReturnType<typeof createHandlers>;

/** A queue in memory, with the queues and the bounds of a worker. */
function createQueue() {
  const waiting: Record<QueueName, Job[]> = { investigations: [], alerts: [], ingest: [], maintenance: [] };
  let wake = Promise.withResolvers<void>();
  const enqueue: Enqueue = async (name, payload) => {
    waiting[jobCatalogue[name].queue].push({ name, payload });
    wake.resolve();
  };
  /** Works off what waits, and what that puts on the queue, until nothing is left. */
  async function drain(handlers: Handlers) {
    const problems: string[] = [];
    const runs: { scheduleId: string; slot: string }[] = [];
    const working: Record<QueueName, number> = { investigations: 0, alerts: 0, ingest: 0, maintenance: 0 };
    const work = async (name: QueueName, job: Job) => {
      working[name]++;
      if ("scheduleId" in job.payload) runs.push(job.payload);
      const handle = handlers[job.name] as (payload: Job["payload"], signal: AbortSignal) => Promise<void>;
      await handle(job.payload, never).catch((error: unknown) => problems.push(`${job.name}: ${messageOf(error)}`));
      working[name]--;
      wake.resolve();
    };
    for (;;) {
      wake = Promise.withResolvers<void>();
      for (const name of Object.keys(waiting) as QueueName[])
        while (working[name] < AT_ONCE[name] && waiting[name].length > 0) void work(name, waiting[name].shift()!);
      if (Object.values(working).every((count) => count === 0)) return { problems, runs };
      await wake.promise;
    }
  }
  const depths = () => {
    const { investigations, alerts, ingest, maintenance } = waiting;
    const [a, b, c, d] = [investigations.length, alerts.length, ingest.length, maintenance.length];
    return { investigations: a, alerts: b, ingest: c, maintenance: d };
  };
  return { enqueue, drain, depths };
}

function dayOf(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}

function daysBetween(first: string, last: string): string[] {
  const days: string[] = [];
  for (let day = first; day <= last; day = addDays(day, 1)) days.push(day);
  return days;
}
