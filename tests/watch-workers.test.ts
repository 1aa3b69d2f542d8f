import { openAlertTargets } from "@cidadao/channels/open-targets";
import { raiseAlert } from "@cidadao/database/alerts";
import { noteWorker, readWorkerSilence } from "@cidadao/database/worker-presence";
import { watchWorkers } from "@cidadao/operations/watch-workers";
import { parseConfig } from "@cidadao/runtime/config";
import { createLogger } from "@cidadao/runtime/logger";
import { createTelemetry } from "@cidadao/runtime/telemetry";
import { workerEnvironment } from "@cidadao/worker/config";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { noLimit } from "./support/records.ts";
import { openSystem, queueKinds } from "./support/system.ts";
import { until } from "./support/until.ts";

const GONE_SECONDS = 60;
const system = await openSystem({ queue: "postgres" });
const { data, inbox } = system;
const targets = openAlertTargets(parseConfig(workerEnvironment, system.environment));
afterAll(async () => {
  await targets[Symbol.asyncDispose]();
  await system[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await data.sql("truncate alerts, alert_targets, worker_presence cascade");
  inbox.accepted.length = 0;
  inbox.requests.length = 0;
});

const look = () =>
  watchWorkers(
    {
      store: data.store,
      targets: targets.list,
      openTarget: targets.open,
      queueDepths: async () => ({ investigations: 7, alerts: 1, ingest: 0, maintenance: 2 }),
      goneSeconds: GONE_SECONDS,
      groupMax: 1,
      messagesPerMinute: 1,
      quietHours: null,
      sendLeaseSeconds: 60,
      publicUrl: null,
      feedbackSecret: null,
      logger: createLogger({ process: "test", level: "silent" }),
      telemetry: createTelemetry({ process: "test" }),
    },
    noLimit,
  );
const beat = (worker = "w") => noteWorker(data.store, worker, noLimit);
const silent = (seconds: number, worker = "w") =>
  data.sql("update worker_presence set seen_at = now() - make_interval(secs => $1) where worker = $2", [
    seconds,
    worker,
  ]);
const deliveries = () => data.sql("select status, attempts from alert_deliveries");

describe("the look for workers", () => {
  test("says nothing while one of them gives a sign of life", async () => {
    await beat("a");
    await silent(3_600, "a");
    await beat("b");
    await silent(GONE_SECONDS - 5, "b");
    expect(await look()).toBe(false);
    expect(inbox.requests).toEqual([]);
  });

  test("alerts once when the last of them is silent, however many look and however often", async () => {
    await beat();
    await silent(GONE_SECONDS + 1);
    expect(await Promise.all(Array.from({ length: 6 }, look))).toEqual(Array.from({ length: 6 }, () => true));
    await look();
    expect(inbox.accepted).toHaveLength(1);
    expect(inbox.requests).toHaveLength(1);
    const text = JSON.stringify(inbox.accepted[0]!.payload);
    expect(text).toContain("Nenhum worker está no ar");
    expect(text).toContain("investigations 7");
    expect(await deliveries()).toEqual([{ status: "sent", attempts: 1 }]);
  });

  test("alerts again when they came back and are gone once more", async () => {
    await beat();
    await silent(GONE_SECONDS + 1);
    await look();
    await beat();
    expect(await look()).toBe(false);
    await silent(GONE_SECONDS + 1);
    await look();
    expect(inbox.accepted).toHaveLength(2);
  });

  test("alerts where there never was a worker", async () => {
    expect(await look()).toBe(true);
    expect(await look()).toBe(true);
    expect(inbox.accepted).toHaveLength(1);
  });

  test("sends what another scheduler had raised before it died, and tries again what was refused", async () => {
    await beat();
    await silent(GONE_SECONDS + 1);
    const { seenAt } = await readWorkerSilence(data.store, noLimit);
    const message = {
      title: "De outro",
      severity: "critical" as const,
      summary: "Antes de morrer.",
      notes: [],
      findings: [],
      findingsTotal: 0,
      investigationUrl: null,
      sample: null,
    };
    const dedupeKey = `workers-gone:${seenAt}`;
    await raiseAlert(data.store, { kind: "operations", dedupeKey, message, targets: targets.list }, noLimit);
    inbox.setFaults([{ kind: "status", status: 503 }]);
    await look();
    expect(inbox.accepted).toEqual([]);
    expect(await deliveries()).toEqual([{ status: "pending", attempts: 1 }]);
    await data.sql("update alert_deliveries set run_after = now()");
    await look();
    expect(JSON.stringify(inbox.accepted.map(({ payload }) => payload))).toContain("De outro");
    expect(await deliveries()).toEqual([{ status: "sent", attempts: 2 }]);
  });

  test("forgets workers of yesterday, but never since when none is there", async () => {
    await beat("old");
    await beat("older");
    await silent(90_000, "old");
    await silent(180_000, "older");
    const { silentSeconds } = await readWorkerSilence(data.store, noLimit);
    expect(silentSeconds).toBeGreaterThanOrEqual(90_000);
    await beat("new");
    expect(await data.sql("select worker from worker_presence")).toEqual([{ worker: "new" }]);
  });
});

describe("the running system", () => {
  const [queue] = queueKinds();
  test("tells that its last worker was killed, once, from the scheduler, and again only after one was back", async () => {
    await using running = await openSystem({ queue: queue!, environment: { WORKERS_GONE_SECONDS: "12" } });
    const present = async () => (await running.data.sql("select 1 from worker_presence")).length;
    const worker = running.start("worker");
    await until("the worker is there", async () => (await present()) === 1);
    for (let replica = 0; replica < 2; replica++) running.start("scheduler");
    await running.untilLogged("scheduler is up", 2);
    await worker.kill();
    await running.inbox.waitFor(1);
    const told = () =>
      running.data.sql<{ status: string }>(
        "select d.status from alert_deliveries d join alerts a on a.id = d.alert_id where a.dedupe_key like 'workers-gone:%'",
      );
    await until("it is settled", async () => (await told()).every(({ status }) => status === "sent"));
    expect(await told()).toHaveLength(1);
    const successor = running.start("worker");
    await until("the next worker is there", async () => (await present()) === 2);
    expect(await told()).toHaveLength(1);
    await successor.kill();
    await until("the second alert is sent", async () => {
      const rows = await told();
      return rows.length === 2 && rows.every(({ status }) => status === "sent");
    });
  });
});
