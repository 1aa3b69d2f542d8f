import pg from "pg";
import { openBenchStack } from "../bench/stack.ts";
import { runIngestCampaign } from "./ingest-campaign.ts";

const CONTRACTS = 50_000;
const DAYS = 10;
const PAGE_ROWS = 50;
const KILLS = 5;
const FAULT_SHARE = 0.1;
const PER_MINUTE = 900;

/** 50,000 contracts under 10 % faults and five SIGKILLs, by two processes that share one rate. */
export async function chaosIngest(): Promise<boolean> {
  const seed = Number(process.env["CAMPAIGN_SEED"] ?? 20_251_124);
  await using bench = await openBenchStack();
  if (!bench.stack.redisUrl) {
    console.error("no redis-server or valkey-server on the PATH: two processes have no rate to share");
    return false;
  }
  const pool = new pg.Pool({ connectionString: bench.stack.databaseUrl, max: 2 });
  pool.on("error", () => {}); // the server is stopped while connections may be open
  try {
    console.log(`seed ${seed}`);
    const result = await runIngestCampaign({
      environment: bench.environment,
      sql: async <Row extends object>(query: string) => (await pool.query<Row>(query)).rows,
      contracts: CONTRACTS,
      days: DAYS,
      pageRows: PAGE_ROWS,
      kills: KILLS,
      faultShare: FAULT_SHARE,
      perMinute: PER_MINUTE,
      seed,
      say: console.log,
    });
    const checks: [what: string, holds: boolean][] = [
      [`${result.contracts} rows, the same as undisturbed`, result.rowsAreEqual],
      [`${result.kills} kills`, result.kills === KILLS],
      [
        `no page given more than twice (${result.pagesAnsweredTwice} of ${result.pages} twice)`,
        result.answeredMost <= 2,
      ],
      [`at most ${result.perMinuteMax} calls in any minute, of ${PER_MINUTE}`, result.perMinuteMax <= PER_MINUTE],
    ];
    for (const [what, holds] of checks) console.log(`${holds ? "ok     " : "FAILED "} ${what}`);
    console.log(
      `${result.calls} calls, ${result.starts} starts, ${result.seconds.toFixed(0)} s; faults ${JSON.stringify(result.faults)}`,
    );
    return checks.every(([, holds]) => holds);
  } finally {
    await pool.end();
  }
}
