import {
  claimSlot,
  finishRun,
  latestSlot,
  readDatabaseTime,
  startRun,
  takeUnqueuedRuns,
} from "@cidadao/database/schedule-runs";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { noLimit } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
afterAll(() => db[Symbol.asyncDispose]());
const { store } = db;
beforeEach(() => db.sql("truncate schedule_runs"));

const slot = "2024-03-01T06:00:00+00:00";
const run = { scheduleId: "new-contracts", slot };
const claimIt = (given: Partial<typeof run> = {}) =>
  claimSlot(store, { ...run, ...given, job: "new-contracts", missed: 2 }, noLimit);
const take = (limit = 100) => takeUnqueuedRuns(store, { limit, graceSeconds: 60 }, noLimit);
const start = () => startRun(store, run, 60, noLimit);
const expireLease = () => db.sql("update schedule_runs set lease_until = now() - interval '1 second'");
const rows = () => db.sql("select status, fence, missed, result, problem from schedule_runs");

describe("a slot", () => {
  test("is claimed by one of twenty schedulers", async () => {
    const claims = await Promise.all(
      Array.from({ length: 20 }, () =>
        db.sql<{ won: boolean }>("select claim_schedule_slot('new-contracts', $1, 'new-contracts', 0) as won", [slot]),
      ),
    );
    expect(claims.filter(([claim]) => claim!.won)).toHaveLength(1);
    expect(await rows()).toHaveLength(1);
  });

  test("is one moment, however its zone is written", async () => {
    expect(await claimIt()).toBe(true);
    expect(await claimIt({ slot: "2024-03-01T03:00:00-03:00" })).toBe(false);
    expect(await claimIt({ scheduleId: "stuck-sweep" })).toBe(true);
  });

  test("is remembered as the latest of its schedule", async () => {
    expect(await latestSlot(store, "new-contracts", noLimit)).toBeNull();
    await claimIt({ slot: "2024-03-02T06:00:00+00:00" });
    await claimIt();
    await claimIt({ scheduleId: "stuck-sweep", slot: "2024-03-03T06:00:00+00:00" });
    expect(await latestSlot(store, "new-contracts", noLimit)).toBe("2024-03-02T06:00:00+00:00");
  });
});

describe("a scheduled run", () => {
  test("waits for the queue from the moment its slot is claimed, and is handed out once", async () => {
    await claimIt();
    expect(await take()).toEqual([{ ...run, job: "new-contracts", fence: 0 }]);
    expect(await take()).toEqual([]);
    await db.sql("update schedule_runs set enqueued_at = now() - interval '61 seconds'");
    expect(await take()).toHaveLength(1);
  });

  test("is handed out to exactly one of many sweepers", async () => {
    await db.sql(
      `insert into schedule_runs (schedule_id, slot, job)
       select 'new-contracts', timestamptz '2024-01-01' + n * interval '1 hour', 'new-contracts' from generate_series(1, 100) n`,
    );
    const taken = await Promise.all(
      Array.from({ length: 12 }, () => db.sql<{ slot: Date }>("select slot from take_unqueued_schedule_runs(15, 60)")),
    );
    const slots = [...taken.flat(), ...(await take())].map((one) => new Date(one.slot).toISOString());
    expect(slots).toHaveLength(100);
    expect(new Set(slots).size).toBe(100);
  });

  test("is started by one of twenty workers", async () => {
    await claimIt();
    const starts = await Promise.all(
      Array.from({ length: 20 }, () =>
        db.sql<{ fence: number | null }>("select start_schedule_run('new-contracts', $1, 60) as fence", [slot]),
      ),
    );
    expect(starts.flatMap(([started]) => started!.fence ?? [])).toEqual([1]);
    expect(await start()).toBeNull();
  });

  test("is finished once, under its fence, with its result", async () => {
    await claimIt();
    const fence = (await start())!;
    expect(await finishRun(store, { ...run, fence: fence + 1 }, { status: "completed", result: {} }, noLimit)).toBe(
      false,
    );
    expect(await finishRun(store, { ...run, fence }, { status: "completed", result: { opened: 3 } }, noLimit)).toBe(
      true,
    );
    expect(await finishRun(store, { ...run, fence }, { status: "failed", problem: "late" }, noLimit)).toBe(false);
    expect(await rows()).toEqual([{ status: "completed", fence: 1, missed: 2, result: { opened: 3 }, problem: null }]);
    expect(await start()).toBeNull();
  });

  test("that failed keeps its problem and does not run again", async () => {
    await claimIt();
    const fence = (await start())!;
    expect(await finishRun(store, { ...run, fence }, { status: "failed", problem: "no source" }, noLimit)).toBe(true);
    expect(await rows()).toMatchObject([{ status: "failed", problem: "no source", result: null }]);
    expect(await start()).toBeNull();
    expect(await take()).toEqual([]);
  });

  test("whose worker died is handed out and started again, and the dead one's end is refused", async () => {
    await claimIt();
    const dead = (await start())!;
    expect(await take()).toEqual([]);
    await expireLease();
    expect(await take()).toEqual([{ ...run, job: "new-contracts", fence: dead }]);
    const alive = (await start())!;
    expect(alive).toBe(dead + 1);
    expect(await finishRun(store, { ...run, fence: dead }, { status: "completed", result: {} }, noLimit)).toBe(false);
    expect(await finishRun(store, { ...run, fence: alive }, { status: "completed", result: {} }, noLimit)).toBe(true);
  });
});

test("the database tells its own time", async () => {
  const [row] = await db.sql<{ before: Date }>("select now() as before");
  expect((await readDatabaseTime(store, noLimit)).getTime()).toBeGreaterThanOrEqual(row!.before.getTime());
});
