import { insertInvestigation, takeUnqueuedInvestigations } from "@cidadao/database/investigations";
import { prepareBackend } from "@cidadao/queue/backend";
import { consume, type JobHandlers } from "@cidadao/queue/consume";
import { jobCatalogue, jobPriorities, type JobName } from "@cidadao/queue/jobs";
import { openProducer } from "@cidadao/queue/produce";
import { createLogger } from "@cidadao/runtime/logger";
import { afterAll, expect, test } from "vitest";
import { newInvestigation, noLimit } from "./support/records.ts";
import { openTestStore, queueBackends } from "./support/stack.ts";
import { until } from "./support/until.ts";

const db = await openTestStore();
afterAll(() => db[Symbol.asyncDispose]());
const logger = createLogger({ process: "test", level: "silent" });
const BACKLOG = 10_000;
/** The PostgreSQL queue takes jobs more slowly; the order is the same. */
const BACKLOG_IN_POSTGRES = 1_000;
const AT_ONCE = 64;

test(`of ${BACKLOG} rows that wait for the queue the gravest are handed over first, each kind in order of arrival`, async () => {
  await db.sql(
    `insert into investigations (scope, origin, request_hash, enqueued_at)
     select '{}', 'api', 'r', null from generate_series(1, $1)`,
    [BACKLOG],
  );
  const urgent: string[] = [];
  for (const priority of ["low", "high", "critical"] as const) {
    const { investigation } = await insertInvestigation(db.store, newInvestigation({ priority }), noLimit);
    urgent.push(investigation.id);
  }
  await db.sql("update investigations set enqueued_at = null");
  const taken = await takeUnqueuedInvestigations(db.store, { limit: 200, graceSeconds: 60 }, noLimit);
  const priorities = taken.map(({ priority }) => priority);
  expect(priorities.filter((priority) => priority === "critical" || priority === "high")).toHaveLength(2);
  expect(taken.map(({ id }) => id)).toEqual(expect.arrayContaining(urgent.slice(1)));
  expect(priorities).not.toContain("low");
});

test.each(queueBackends(db).map((backend) => [backend.kind, backend] as const))(
  "behind a backlog a critical investigation is the next to start, and an alert waits for none (%s)",
  async (kind, backend) => {
    await prepareBackend(backend);
    const backlog = kind === "redis" ? BACKLOG : BACKLOG_IN_POSTGRES;
    await using producer = openProducer(backend, logger);
    await until("the queue is there", () => producer.isReady());
    const [first, critical, alert] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
    const enqueue = (investigationId: string, priority: keyof typeof jobPriorities) =>
      producer.enqueue(
        "run-investigation",
        { investigationId, fence: 0 },
        { timeoutMs: 30_000, priority: jobPriorities[priority] },
      );

    const started: string[] = [];
    const gate = Promise.withResolvers<void>();
    const ignore = () => Promise.resolve();
    const names = Object.keys(jobCatalogue) as JobName[];
    const handlers = Object.fromEntries(names.map((name) => [name, ignore])) as unknown as JobHandlers;
    await using worker = await consume(
      backend,
      {
        ...handlers,
        "run-investigation": ({ investigationId }) => {
          started.push(investigationId);
          return investigationId === first ? gate.promise : Promise.resolve();
        },
        "deliver-alert": async ({ deliveryId }) => {
          started.push(deliveryId);
        },
      },
      { concurrency: { investigations: 1, alerts: 1, ingest: 1, maintenance: 1 }, logger },
    );
    expect(worker).toBeDefined();
    await enqueue(first, "default");
    await until("the only worker is busy", () => started.length === 1);
    for (let done = 0; done < backlog; done += AT_ONCE) {
      const some = Math.min(AT_ONCE, backlog - done);
      await Promise.all(Array.from({ length: some }, () => enqueue(crypto.randomUUID(), "default")));
    }
    await producer.enqueue("deliver-alert", { deliveryId: alert, fence: 0 }, { timeoutMs: 30_000 });
    await until("the alert is handled while the worker is busy", () => started.length === 2);
    await enqueue(critical, "critical");
    expect((await producer.depths(30_000))!.investigations).toBe(backlog + 1);
    gate.resolve();
    await until("the worker has gone on", () => started.length > 3);
    expect(started.slice(0, 3)).toEqual([first, alert, critical]);
  },
  180_000,
);
