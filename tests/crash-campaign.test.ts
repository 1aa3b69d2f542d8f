import { expect, test } from "vitest";
import type { ServiceName, ServiceProcess } from "@cidadao/testing/service-process";
import { openSystem, queueKinds, type System } from "./support/system.ts";
import { until } from "./support/until.ts";

const INVESTIGATIONS = Number(process.env["CAMPAIGN_INVESTIGATIONS"] ?? 100);
const KILLS = Number(process.env["CAMPAIGN_KILLS"] ?? 10);
/** So that the kills are spread over the whole campaign. */
const STEP_MAX = Math.floor((1.8 * INVESTIGATIONS) / KILLS) - 4;
const AT_ONCE = 8;
/** What a killed worker held is swept at the next minute, or the one after it where that sweep was killed too. */
const SWEPT_MS_MAX = 180_000;
/** The last thing in a message are the ids of its alerts. */
const ALERT_ID = /· ([0-9a-f-]{36})(?=[" ])/g;
/** What a worker has in its hands: so many messages, each of so many alerts. */
const ALERTS_AT_ONCE = 4 * 10;

/** Small deterministic generator: a failing campaign can be run again from its seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

for (const queue of queueKinds()) {
  test(`with ${KILLS} SIGKILLs over worker, API, scheduler and queue (${queue}), ${INVESTIGATIONS} investigations end once and alert once`, async () => {
    const seed = Number(process.env["CAMPAIGN_SEED"] ?? 20_240_131);
    await using system = await openSystem({
      queue,
      environment: {
        LEASE_SECONDS: "4",
        ENQUEUED_GRACE_SECONDS: "6",
        ALERT_MESSAGES_PER_MINUTE: "1000",
      },
    });
    const services: Record<ServiceName, ServiceProcess> = {
      api: system.start("api"),
      worker: system.start("worker"),
      scheduler: system.start("scheduler"),
    };
    await system.untilReady();

    const agencies = await agencyCodes(system);
    const next = random(seed);
    const posting = postAll(system, agencies);
    const killed: string[] = [];
    const victims =
      queue === "redis"
        ? (["worker", "api", "redis", "worker", "scheduler"] as const)
        : (["worker", "api", "worker", "scheduler", "worker"] as const);
    for (let kill = 0; kill < KILLS; kill++) {
      // The moment of a kill is a state of the work, not a time: so many more investigations have ended.
      const ended = await countFinal(system);
      const target = Math.min(ended + 2 + Math.floor(next() * STEP_MAX), INVESTIGATIONS - 1);
      await until(
        `${target} investigations have ended (kill ${kill})`,
        async () => (await countFinal(system)) >= target,
        SWEPT_MS_MAX,
      );
      const victim = victims[kill % victims.length]!;
      killed.push(victim);
      if (victim === "redis") {
        await system.redis!.kill();
        await system.redis!.start();
        continue;
      }
      await services[victim].kill();
      services[victim] = system.start(victim);
    }
    const opened = await posting;
    await until(
      "every investigation has ended",
      async () => (await countFinal(system)) === INVESTIGATIONS,
      SWEPT_MS_MAX,
    );
    await until(
      "every delivery is settled",
      async () => {
        const [row] = await system.data.sql<{ open: number }>(
          "select count(*)::int as open from alert_deliveries where status in ('pending', 'sending')",
        );
        return row!.open === 0;
      },
      SWEPT_MS_MAX,
    );

    const statuses = await system.data.sql<{ status: string; count: number }>(
      "select status, count(*)::int as count from investigations where origin = 'api' group by status order by status",
    );
    const figures = {
      seed,
      killed: killed.join(" "),
      accepted: new Set(opened).size,
      statuses,
      posts: system.inbox.accepted.length,
    };
    console.log(`crash campaign (${queue}): ${JSON.stringify(figures)}`);

    expect(new Set(opened).size, "accepted ids, one for each key").toBe(INVESTIGATIONS);
    expect(statuses, system.logs().slice(-4_000)).toEqual([{ status: "completed", count: INVESTIGATIONS }]);
    expect(
      await system.data.sql("select investigation_id from reports group by 1 having count(*) > 1"),
      "two reports",
    ).toEqual([]);
    expect(
      await system.data.sql(`select i.id from investigations i where i.origin = 'api' and (
        (select count(*) from anomalies a where a.investigation_id = i.id) <> i.anomalies
        or not exists (select from reports r where r.investigation_id = i.id)
        or (select count(*) from investigation_events e where e.investigation_id = i.id and e.data ->> 'status' = 'completed') <> 1
        or (select max(seq) from investigation_events e where e.investigation_id = i.id) <> i.events)`),
      "an investigation whose result is not whole and single",
    ).toEqual([]);
    expect(
      await system.data.sql("select alert_id, count(*) from alert_deliveries group by 1 having count(*) > 1"),
      "an alert with two deliveries to one target",
    ).toEqual([]);

    // The inbox saw each alert at most once, and every sent one exactly once; a sender that died in between left `unknown`.
    const posted = system.inbox.accepted.flatMap(({ payload }) =>
      [...JSON.stringify(payload).matchAll(ALERT_ID)].map(([, id]) => id!),
    );
    expect(
      posted.filter((alert, index) => posted.indexOf(alert) !== index),
      "alerts posted twice",
    ).toEqual([]);
    const deliveries = await system.data.sql<{ alert_id: string; status: string }>(
      "select alert_id, status from alert_deliveries",
    );
    const ofStatus = (status: string) =>
      deliveries.filter((delivery) => delivery.status === status).map((delivery) => delivery.alert_id);
    const [sent, unknown] = [ofStatus("sent"), ofStatus("unknown")];
    expect(deliveries.length).toBeGreaterThan(0);
    expect(sent.length + unknown.length, "deliveries that are neither sent nor unknown").toBe(deliveries.length);
    expect(
      sent.filter((alert) => !posted.includes(alert)),
      "sent, but never posted",
    ).toEqual([]);
    expect(posted.filter((alert) => !sent.includes(alert) && !unknown.includes(alert))).toEqual([]);
    const workerKills = killed.filter((victim) => victim === "worker").length;
    expect(unknown.length, "no more unknown than a killed worker had in its hands").toBeLessThanOrEqual(
      workerKills * ALERTS_AT_ONCE,
    );
  }, 600_000);
}

async function countFinal(system: System): Promise<number> {
  const [row] = await system.data.sql<{ count: number }>(
    "select count(*)::int as count from investigations where origin = 'api' and status in ('completed', 'failed', 'cancelled')",
  );
  return row!.count;
}

async function agencyCodes(system: System): Promise<string[]> {
  const codes: string[] = [];
  for (let page = 1; ; page++) {
    const answer = await fetch(`${system.portal.url}/orgaos-siafi?pagina=${page}`, {
      headers: { "chave-api-dados": "test-key" },
    });
    const rows = (await answer.json()) as { codigo: string }[];
    if (rows.length === 0) return codes;
    codes.push(...rows.map((row) => row.codigo));
  }
}

/** A client as it should be: its own key, and the same request again until it is answered. */
async function postAll(system: System, agencies: string[]): Promise<string[]> {
  const ids: string[] = Array.from({ length: INVESTIGATIONS });
  let next = 0;
  const lanes = Array.from({ length: AT_ONCE }, async () => {
    while (next < INVESTIGATIONS) {
      const index = next++;
      const scope = { agencyCodes: [agencies[index % agencies.length]!], from: "2024-01-01", to: "2024-01-31" };
      const key = `campaign-${index}`;
      await until(`investigation ${index} is accepted`, async () => {
        const answer = await system.post({ scope }, { "idempotency-key": key }).catch(() => null);
        if (answer?.status !== 202) return false;
        ids[index] = ((await answer.json()) as { id: string }).id;
        return true;
      });
    }
  });
  await Promise.all(lanes);
  return ids;
}
