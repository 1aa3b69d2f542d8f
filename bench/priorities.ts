import { fileURLToPath } from "node:url";
import { raiseAlert } from "@cidadao/database/alerts";
import { openStore } from "@cidadao/database/store";
import { freePort } from "@cidadao/embedded/bound-process";
import { startDiscordSink } from "@cidadao/testing/discord/start-discord-sink";
import { startPortal } from "@cidadao/testing/portal/start-portal";
import { startService } from "@cidadao/testing/service-process";
import pg from "pg";
import { isUp, openBenchStack, queueName, until } from "./stack.ts";

const BACKLOG = 10_000;
const CRITICAL = 10;
const START_MS_MAX = 1_000;
const ALERT_MS_MAX = 2_000;
const QUEUED_TIMEOUT_MS = 180_000;
const KEY = "bench";
const OPERATOR_KEY = "of the bench, and long enough to be taken";
const TARGET_NAME = /discord-[0-9a-f]{12}/;

/** How soon a critical investigation starts once a worker is free, and how soon an alert leaves, with 10,000 ahead. */
export async function benchPriorities(): Promise<boolean> {
  await using bench = await openBenchStack();
  const dataFolder = fileURLToPath(new URL("../data", import.meta.url));
  await using portal = await startPortal({ apiKey: KEY, dataFolder });
  await using inbox = await startDiscordSink();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const environment = {
    ...bench.environment,
    TRANSPARENCY_API_KEY: KEY,
    SOURCES: "portal-transparencia",
    PORTAL_TRANSPARENCIA_URL: portal.url,
    PORTAL_TRANSPARENCIA_PER_MINUTE: "1000000",
    ALERT_WEBHOOKS: inbox.webhookUrl.href,
    ALERT_WEBHOOKS_LOOPBACK: "true",
    ALERT_SEVERITY_MIN: "low",
    WEB_CONCURRENCY: "1",
    PORT: String(port),
    API_SECRET_KEY: OPERATOR_KEY,
  };
  const { supabaseUrl, serviceRoleKey, databaseUrl } = bench.stack;
  const store = openStore({ SUPABASE_URL: supabaseUrl, SUPABASE_SERVICE_ROLE_KEY: serviceRoleKey });
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  const services = [
    startService({ name: "api", environment, output: bench.log("api") }),
    startService({ name: "worker", environment, output: bench.log("worker") }),
  ];
  const never = new AbortController().signal;
  const scope = { agencyCodes: ["26435"], from: "2024-01-01", to: "2024-01-31" };
  const open = async (priority: string) => {
    const answer = await fetch(`${url}/api/v1/investigations`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": OPERATOR_KEY },
      body: JSON.stringify({ scope, priority }),
    });
    return ((await answer.json()) as { id: string }).id;
  };
  try {
    await until("the API", 20_000, () => isUp(`${url}/health/ready`));
    // The first investigation makes the target known by name, from its own alert.
    const first = await open("high");
    await until("a first alert", 30_000, async () => inbox.accepted.length > 0);
    const named = await database.query("select target from alert_deliveries limit 1");
    const { target } = named.rows[0] as { target: string };
    if (!TARGET_NAME.test(target)) throw new Error(`unexpected target ${target}`);
    await database.query(
      `insert into investigations (scope, origin, request_hash, enqueued_at)
       select scope, 'api', 'r', null from investigations, generate_series(1, $2::int) where id = $1`,
      [first, BACKLOG],
    );
    await until("the backlog is on the queue", QUEUED_TIMEOUT_MS, async () => {
      const rows = await database.query(
        "select 1 from investigations where status = 'pending' and enqueued_at is null limit 1",
      );
      return rows.rowCount === 0;
    });
    const starts: number[] = [];
    const leaves: number[] = [];
    for (let round = 0; round < CRITICAL; round++) {
      const id = await open("critical");
      await until("the critical one has started", 60_000, async () => {
        const rows = await database.query("select 1 from investigations where id = $1 and started_at is not null", [
          id,
        ]);
        return rows.rowCount === 1;
      });
      // A worker was free from the end of the one before it, or from the moment it was opened.
      const { rows } = await database.query(
        `select extract(epoch from i.started_at - greatest(i.created_at, (select max(p.completed_at) from investigations p where p.completed_at <= i.started_at))) * 1000 as waited,
                (select count(*) from investigations p where p.started_at > i.created_at and p.started_at < i.started_at and p.priority = 'default')::int as overtaken_by
           from investigations i where i.id = $1`,
        [id],
      );
      const { waited, overtaken_by: overtakenBy } = rows[0] as { waited: string; overtaken_by: number };
      starts.push(Number(waited));
      if (overtakenBy > 1) console.log(`  ${overtakenBy} default ones started before it`);
      const seen = inbox.accepted.length;
      const message = {
        title: `Alerta ${round}`,
        severity: "critical" as const,
        summary: "Medição.",
        notes: [],
        findings: [],
        findingsTotal: 0,
        investigationUrl: null,
        sample: "medição",
      };
      const raisedAt = performance.now();
      const targets = [{ channel: "discord" as const, target, severityMin: null }];
      await raiseAlert(store, { kind: "operations", dedupeKey: `bench-${round}`, message, targets }, never);
      await database.query("update alert_deliveries set enqueued_at = null where status = 'pending'");
      await until("the alert has left", 60_000, async () =>
        inbox.accepted.slice(seen).some(({ payload }) => JSON.stringify(payload).includes(`Alerta ${round}`)),
      );
      leaves.push(performance.now() - raisedAt);
    }
    const { rows } = await database.query(
      "select count(*)::int as waiting from investigations where status = 'pending'",
    );
    const worst = (values: number[]) => Math.max(...values).toFixed(0);
    console.log(
      `With ${(rows[0] as { waiting: number }).waiting} default investigations still waiting, queue in ${queueName(bench.stack)}, ${CRITICAL} rounds`,
    );
    console.log(
      `  a critical one starts at a free worker after at most ${worst(starts)} ms, bound ≤ ${START_MS_MAX} ms`,
    );
    console.log(`  an alert left to the sweep leaves after at most ${worst(leaves)} ms, bound ≤ ${ALERT_MS_MAX} ms`);
    return Math.max(...starts) <= START_MS_MAX && Math.max(...leaves) <= ALERT_MS_MAX;
  } finally {
    await database.end();
    await Promise.all(services.map((service) => service.stop(10_000)));
  }
}
