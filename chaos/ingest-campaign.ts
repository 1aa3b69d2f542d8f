import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { addDays } from "@cidadao/domain/dates";
import { generateContracts, noRecords } from "@cidadao/testing/pncp/records";
import { startPncp } from "@cidadao/testing/pncp/start-pncp";
import type { Fault, FaultRule } from "@cidadao/testing/portal/faults";
import type { LoggedRequest } from "@cidadao/testing/portal/request-log";

export type IngestCampaign = {
  /** Database and Redis, as the services get them. */
  environment: Record<string, string>;
  sql: <Row extends object>(query: string) => Promise<Row[]>;
  contracts: number;
  days: number;
  pageRows: number;
  kills: number;
  /** Of all calls, from 0 to 1. */
  faultShare: number;
  /** Of both processes together. */
  perMinute: number;
  seed: number;
  say: (line: string) => void;
};

export type IngestCampaignResult = {
  contracts: number;
  rowsAreEqual: boolean;
  pages: number;
  calls: number;
  faults: Record<string, number>;
  kills: number;
  starts: number;
  /** Calls of the page that was answered well most often. */
  answeredMost: number;
  pagesAnsweredTwice: number;
  perMinuteMax: number;
  seconds: number;
};

const root = path.resolve(import.meta.dirname, "..");
const FIRST_DAY = "2025-03-03";
const WORKERS = 2;
const STARTS_MAX = 60;
const TIMEOUT_SECONDS = "3";

/** Faults of every kind that a portal has shown; those that break an answer for good are rarer. */
const faults: [fault: Fault, weight: number][] = [
  [{ kind: "rate_limited" }, 3],
  [{ kind: "server_error", status: 500 }, 3],
  [{ kind: "server_error", status: 503 }, 3],
  [{ kind: "reset" }, 3],
  [{ kind: "reset_in_body" }, 3],
  [{ kind: "stall_before_headers" }, 1],
  [{ kind: "stall_in_body" }, 1],
  [{ kind: "slow_drip" }, 1],
  [{ kind: "truncated_json" }, 1],
  [{ kind: "html" }, 1],
  [{ kind: "gzip_bomb" }, 0.5],
  [{ kind: "duplicate_page" }, 0.5],
];

/**
 * Reads the same window twice: whole and undisturbed, and then by two processes under faults, which are killed and
 * started again. Both have to leave the same rows.
 */
export async function runIngestCampaign(campaign: IngestCampaign): Promise<IngestCampaignResult> {
  const startedMs = performance.now();
  const days = Array.from({ length: campaign.days }, (_, index) => addDays(FIRST_DAY, index));
  const perDay = campaign.contracts / campaign.days;
  let onRequest: (request: LoggedRequest) => void = () => {};
  await using server = await startPncp({
    records: { ...noRecords, contracts: generateContracts({ days, perDay }) },
    pageRowsMax: campaign.pageRows,
    onRequest: (request) => onRequest(request),
  });
  const environment = {
    ...campaign.environment,
    PNCP_CONSULTA_URL: server.consultaUrl,
    PNCP_URL: server.detailUrl,
    PNCP_PAGE_ROWS: String(campaign.pageRows),
    PNCP_TIMEOUT_SECONDS: TIMEOUT_SECONDS,
  };

  const whole = startIngest({ ...environment, PNCP_PER_MINUTE: "1000000" }, [days[0]!, days.at(-1)!]);
  if ((await whole.exited) !== 0) throw new Error(`the undisturbed reading failed: ${whole.output()}`);
  const expected = await storedRows(campaign);
  campaign.say(`undisturbed: ${expected.length} rows in ${server.requests.total()} calls`);

  await campaign.sql(
    "truncate contracts, suppliers, agencies, ingest_runs, ingest_cursors, source_responses, quarantined_records cascade",
  );
  server.requests.reset();
  await server.setFaults({ rules: faultRules(campaign.faultShare), seed: campaign.seed });

  const disturbed = { ...environment, PNCP_PER_MINUTE: String(campaign.perMinute) };
  const daysEach = Math.ceil(days.length / WORKERS);
  const pagesOfDay = Math.ceil(perDay / campaign.pageRows);
  const workers = Array.from({ length: WORKERS }, (_, index) => {
    const own = days.slice(index * daysEach, (index + 1) * daysEach);
    const kills = Math.floor((campaign.kills + WORKERS - 1 - index) / WORKERS);
    const worker = keepIngesting(disturbed, [own[0]!, own.at(-1)!]);
    return { ...worker, killing: killAtPages(worker, { days: own, pages: own.length * pagesOfDay, kills }, campaign) };
  });
  onRequest = (request) => workers.forEach(({ killing }) => killing.see(request));
  const starts = (await Promise.all(workers.map((worker) => worker.finished))).reduce((sum, one) => sum + one, 0);
  const kills = workers.reduce((sum, { killing }) => sum + killing.kills(), 0);

  const answered = [...server.requests.answeredWell().values()];
  const counts: Record<string, number> = {};
  for (const { fault } of server.requests.list()) if (fault) counts[fault] = (counts[fault] ?? 0) + 1;
  const rows = await storedRows(campaign);
  return {
    contracts: rows.length,
    rowsAreEqual: rows.length === campaign.contracts && JSON.stringify(rows) === JSON.stringify(expected),
    pages: days.length * pagesOfDay,
    calls: server.requests.total(),
    faults: counts,
    kills,
    starts,
    answeredMost: Math.max(...answered),
    pagesAnsweredTwice: answered.filter((times) => times === 2).length,
    perMinuteMax: server.requests.perMinuteMax(),
    seconds: (performance.now() - startedMs) / 1_000,
  };
}

function faultRules(share: number): FaultRule[] {
  const weights = faults.reduce((sum, [, weight]) => sum + weight, 0);
  let left = 1;
  return faults.map(([fault, weight]) => {
    // A rule is asked only when those before it have not struck.
    const probability = (share * weight) / weights / left;
    left -= (share * weight) / weights;
    return { fault, path: "/api/consulta", probability };
  });
}

type Running = { child: ChildProcess; exited: Promise<number | null>; output: () => string };

function startIngest(environment: Record<string, string>, [from, to]: [string, string]): Running {
  const args = ["apps/cli/src/main.ts", "ingest", "pncp", "--resource", "contracts"];
  const child = spawn(process.execPath, [...args, "--from", from, "--to", to, "--resume"], {
    cwd: root,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, exited, output: () => said.join("") };
}

type Worker = { finished: Promise<number>; kill: () => boolean };

/** Starts the command again whenever it was killed or could not read everything, as an operator would. */
function keepIngesting(environment: Record<string, string>, window: [string, string]): Worker {
  let running: Running | null = null;
  const work = async () => {
    for (let starts = 1; starts <= STARTS_MAX; starts++) {
      running = startIngest(environment, window);
      const { exited, output } = running;
      const code = await exited;
      running = null;
      if (code === 0) return starts;
      if (code !== null && code !== 1) throw new Error(`ingest ended with ${code}: ${output()}`);
    }
    throw new Error(`not complete after ${STARTS_MAX} starts`);
  };
  const kill = () => {
    const isKilled = running?.child.kill("SIGKILL") ?? false;
    running = null;
    return isKilled;
  };
  return { finished: work(), kill };
}

type Killing = { see: (request: LoggedRequest) => void; kills: () => number };

/**
 * Kills a worker each time that it asks for so many more of its own pages: while the page is on its way, so that there
 * is always one left to read. The moment is a state of the work, not a time.
 */
function killAtPages(
  worker: Worker,
  plan: { days: string[]; pages: number; kills: number },
  { say }: IngestCampaign,
): Killing {
  const days = new Set(plan.days.map((day) => day.replaceAll("-", "")));
  const given = new Set<string>();
  let kills = 0;
  const see = ({ params, fault }: LoggedRequest) => {
    const day = params["dataInicial"] ?? "";
    if (fault !== null || !days.has(day)) return;
    given.add(`${day} ${params["pagina"]}`);
    const target = Math.floor((plan.pages * (kills + 1)) / (plan.kills + 1));
    if (kills === plan.kills || given.size < target || !worker.kill()) return;
    kills++;
    say(`SIGKILL ${kills} of ${plan.kills} of the worker from ${plan.days[0]} at page ${target} of ${plan.pages}`);
  };
  return { see, kills: () => kills };
}

function storedRows({ sql }: IngestCampaign): Promise<{ source_id: string; content_hash: string }[]> {
  return sql("select source_id, content_hash from contracts order by source_id");
}
