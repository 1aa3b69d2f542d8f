import { tick } from "@cidadao/scheduler/tick";
import { chooseBackend } from "@cidadao/queue/backend";
import { openProducer, type Producer } from "@cidadao/queue/produce";
import { schedules } from "@cidadao/queue/schedules";
import { createLogger } from "@cidadao/runtime/logger";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSystem, queueKinds, type System } from "./support/system.ts";
import { noLimit } from "./support/records.ts";
import { until } from "./support/until.ts";

/** Sooner than the test ends, so that a failure says what did not come. */
const UNTIL_MS = 25_000;

type Run = {
  slot: Date;
  status: string;
  enqueued_at: Date | null;
  fence: number;
  missed: number;
  result: unknown;
  problem: string | null;
};

describe.each(queueKinds())("the running services, queue in %s", (queue) => {
  let system: System;
  let producer: Producer;

  beforeAll(async () => {
    system = await openSystem({ queue, environment: { WATCHED_AGENCIES: "26408", ENQUEUED_GRACE_SECONDS: "2" } });
    system.start("worker");
    const { REDIS_URL, DATABASE_URL } = system.environment;
    producer = openProducer(
      chooseBackend({ REDIS_URL, DATABASE_URL }),
      createLogger({ process: "test", level: "silent" }),
    );
    await until("the queue is there", () => producer.isReady());
  });
  afterAll(async () => {
    await producer[Symbol.asyncDispose]();
    await system[Symbol.asyncDispose]();
  });

  const runsOf = (schedule: string) =>
    system.data.sql<Run>("select * from schedule_runs where schedule_id = $1 order by slot", [schedule]);
  const positionOf = async () => {
    const [row] = await system.data.sql<{ position: { doneTo: string | null; open: { id: string; to: string } } }>(
      "select position from ingest_cursors where name = 'priority-agencies'",
    );
    return row?.position;
  };
  const opened = () =>
    system.data.sql<{ id: string; from: string; to: string }>(
      `select id, scope ->> 'from' as from, scope ->> 'to' as to from investigations
        where origin = 'schedule' and query like 'Contratos recentes%' order by created_at`,
    );

  /** What a tick at that slot would have claimed; a tick with nothing due of its own hands it over. */
  async function runSlot(slot: string): Promise<Run> {
    await system.data.sql(
      "insert into schedule_runs (schedule_id, slot, job) values ('priority-agencies', $1, 'priority-agencies')",
      [slot],
    );
    const context = {
      store: system.data.store,
      enqueue: producer.enqueue,
      queueIsReady: producer.isReady,
      graceSeconds: 120,
      logger: createLogger({ process: "test", level: "silent" }),
    };
    await tick(context, [], noLimit);
    let run: Run | undefined;
    await until(`the slot ${slot} has ended`, async () => {
      run = (await runsOf("priority-agencies")).find((one) => one.slot.getTime() === Date.parse(slot));
      return run?.status === "completed" || run?.status === "failed";
    });
    return run!;
  }

  test("priority-agencies opens one investigation a slot, and its cursor moves only past what was read whole", async () => {
    expect(await runSlot("2024-01-10T10:10:00Z")).toMatchObject({ status: "completed", fence: 1 });
    const [first] = await opened();
    expect(first).toMatchObject({ from: "2023-12-11", to: "2024-01-10" });
    await system.untilFinal([first!.id]);
    expect(await positionOf()).toEqual({ doneTo: null, open: { id: first!.id, to: "2024-01-10" } });

    // The first was read whole: the next begins two days before its end. This one is not.
    await system.portal.setFaults({ rules: [{ path: "/contratos", fault: { kind: "html" } }] });
    await runSlot("2024-01-11T10:10:00Z");
    const [, second] = await opened();
    expect(second).toMatchObject({ from: "2024-01-08", to: "2024-01-11" });
    await system.untilFinal([second!.id]);
    expect(await positionOf()).toEqual({ doneTo: "2024-01-10", open: { id: second!.id, to: "2024-01-11" } });

    await system.portal.setFaults({});
    await runSlot("2024-01-12T10:10:00Z");
    const [, , third, ...others] = await opened();
    expect(third).toMatchObject({ from: "2024-01-08", to: "2024-01-12" });
    expect(others).toEqual([]);
    expect(await positionOf()).toEqual({ doneTo: "2024-01-10", open: { id: third!.id, to: "2024-01-12" } });
  });

  test("a scheduled run that fails is stored as failed, with its reason", async () => {
    const broken = "update ingest_cursors set position = '{}' where name = 'priority-agencies'";
    await system.data.sql(broken);
    expect(await runSlot("2024-01-13T10:10:00Z")).toMatchObject({
      status: "failed",
      result: null,
      problem: expect.stringContaining("doneTo"),
    });
    await system.data.sql("delete from ingest_cursors");
  });

  test("a slot that the queue did not take is handed over by the next tick", async () => {
    const slot = "2024-01-14T10:10:00Z";
    await system.data.sql(
      "insert into schedule_runs (schedule_id, slot, job) values ('stuck-sweep', $1, 'stuck-sweep')",
      [slot],
    );
    const logger = createLogger({ process: "test", level: "silent" });
    const enqueue = () => Promise.reject(new Error("away"));
    const refused = { store: system.data.store, enqueue, graceSeconds: 120, logger };
    await tick({ ...refused, queueIsReady: () => true }, [], noLimit);
    expect(await runsOf("stuck-sweep")).toMatchObject([{ status: "pending", enqueued_at: null, fence: 0 }]);
    await tick({ ...refused, enqueue: producer.enqueue, queueIsReady: producer.isReady }, [], noLimit);
    await until("it has run", async () => (await runsOf("stuck-sweep"))[0]!.status === "completed");
    await system.data.sql("delete from schedule_runs where schedule_id = 'stuck-sweep'");
  });

  test("a schedule that looks back begins with its next slot, whatever restarts before it comes", async () => {
    const before = new Date("2024-03-02T06:00:00Z");
    const twoSlotsLater = new Date("2024-03-03T06:30:00Z");
    const timetable = schedules.filter(({ id }) => id === "sanctions-refresh");
    const claimedAt = async (now: Date) => {
      const logger = createLogger({ process: "test", level: "silent" });
      const enqueue = () => Promise.reject(new Error("not here"));
      const context = { store: system.data.store, enqueue, queueIsReady: () => false, graceSeconds: 120, logger };
      await tick({ ...context, clock: () => now }, timetable, noLimit);
      return (await runsOf("sanctions-refresh")).map(({ slot, missed }) => ({ slot, missed }));
    };
    expect(await claimedAt(before)).toEqual([]);
    // Nobody ticks while the next slots pass, the first of which is the one that counts from then on.
    expect(await claimedAt(twoSlotsLater)).toEqual([{ slot: twoSlotsLater, missed: 1 }]);
    await system.data.sql("delete from schedule_runs where schedule_id = 'sanctions-refresh'");
    await system.data.sql("delete from schedule_starts");
  });

  test("two schedulers claim each slot once, and it is run once", async () => {
    system.start("scheduler");
    system.start("scheduler");
    await system.untilLogged("scheduler is up", 2);
    await until(
      "the sweep of this minute has run",
      async () => {
        const runs = await runsOf("stuck-sweep");
        return runs.length > 0 && runs.every((run) => run.status === "completed");
      },
      UNTIL_MS,
    );
    const runs = await runsOf("stuck-sweep");
    expect(runs.length).toBeLessThanOrEqual(2); // the minute may have turned meanwhile
    for (const run of runs) {
      expect(run).toMatchObject({ fence: 1, missed: 0, problem: null });
      expect(run.slot.getTime() % 60_000).toBe(0);
    }
    await until(
      "the reading that was due has been opened",
      async () => (await runsOf("priority-agencies")).some(({ slot }) => slot > new Date("2025-01-01")),
      UNTIL_MS,
    );
    await until("it has run", async () => (await runsOf("priority-agencies")).at(-1)!.status === "completed", UNTIL_MS);
    expect(await opened()).toHaveLength(4);
    const claims = [
      ...system.logs().matchAll(/"schedule":"([^"]+)","slot":"([^"]+)","missed":\d+,"msg":"slot claimed"/g),
    ];
    const slots = claims.map(([, schedule, slot]) => `${schedule} ${slot}`);
    expect(slots.length).toBeGreaterThan(1);
    expect(new Set(slots).size).toBe(slots.length);
  });
});
