import {
  claimSlot,
  finishRun,
  openManualRun,
  readDatabaseTime,
  readScheduleState,
  releaseRun,
  renewRun,
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
const claimIt = (given: { scheduleId?: string; slot?: string; after?: string | null } = {}) => {
  const { scheduleId = run.scheduleId, after = null } = given;
  const claim = { scheduleId, slot: new Date(given.slot ?? slot), after: after === null ? null : new Date(after) };
  return claimSlot(store, { ...claim, job: "new-contracts", missed: 2 }, noLimit);
};
const latestOf = async (id: string) => (await readScheduleState(store, [id], noLimit)).latest.get(id)?.toISOString();
const take = (limit = 100) => takeUnqueuedRuns(store, { limit, graceSeconds: 60 }, noLimit);
const start = () => startRun(store, run, { leaseSeconds: 60, crashesMax: 4 }, noLimit);
const expireLease = () => db.sql("update schedule_runs set lease_until = now() - interval '1 second'");
const rows = () => db.sql("select status, fence, missed, result, problem from schedule_runs");

describe("a slot", () => {
  test("is claimed by one of twenty schedulers", async () => {
    const claims = await Promise.all(
      Array.from({ length: 20 }, () =>
        db.sql<{ won: boolean }>("select claim_schedule_slot('new-contracts', $1, 'new-contracts', 0, null) as won", [
          slot,
        ]),
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
    expect(await latestOf("new-contracts")).toBeUndefined();
    await claimIt();
    await claimIt({ slot: "2024-03-02T06:00:00+00:00", after: slot });
    await claimIt({ scheduleId: "stuck-sweep", slot: "2024-03-03T06:00:00+00:00" });
    expect(await latestOf("new-contracts")).toBe("2024-03-02T06:00:00.000Z");
  });

  test("is refused to a scheduler that has slept since it read the timetable", async () => {
    const [second, third] = ["2024-03-02T06:00:00Z", "2024-03-03T06:00:00Z"];
    expect(await claimIt()).toBe(true);
    expect(await claimIt({ slot: third, after: slot })).toBe(true);
    // It read while the first slot was the newest: the second is counted as missed by now.
    expect(await claimIt({ slot: second, after: slot })).toBe(false);
    expect(await claimIt({ slot: second, after: third })).toBe(false);
    expect(await latestOf("new-contracts")).toBe("2024-03-03T06:00:00.000Z");
  });

  test("is not taken away by a run outside the timetable", async () => {
    const manual = await openManualRun(store, { scheduleId: "new-contracts", job: "new-contracts" }, noLimit);
    expect(Date.parse(manual) % 60_000).not.toBe(0);
    expect(await latestOf("new-contracts")).toBeUndefined();
    expect(await claimIt()).toBe(true);
    expect(await rows()).toHaveLength(2);
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
        db.sql<{ fence: number | null }>("select start_schedule_run('new-contracts', $1, 60, 4) as fence", [slot]),
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

  test("is kept by its worker for as long as that renews its lease, and shows its progress", async () => {
    await claimIt();
    const fence = (await start())!;
    await db.sql("update schedule_runs set lease_until = now() + interval '1 second'");
    const renew = (given: number, progress: Record<string, unknown> | null) =>
      renewRun(store, { ...run, fence: given }, { leaseSeconds: 60, progress }, noLimit);
    expect(await renew(fence, { done: 3 })).toBe(true);
    expect(await renew(fence, null)).toBe(true);
    expect(await renew(fence + 1, { done: 9 })).toBe(false);
    expect(await db.sql("select progress, lease_until > now() + interval '50 s' as held from schedule_runs")).toEqual([
      { progress: { done: 3 }, held: true },
    ]);
  });

  test("that is given back is handed out at once, without blame", async () => {
    await claimIt();
    const fence = (await start())!;
    expect(await releaseRun(store, { ...run, fence: fence + 1 }, noLimit)).toBe(false);
    expect(await releaseRun(store, { ...run, fence }, noLimit)).toBe(true);
    expect(await take()).toHaveLength(1);
    expect(await db.sql("select status, crashes from schedule_runs")).toEqual([{ status: "pending", crashes: 0 }]);
  });

  test("whose workers died four times has failed, and says so", async () => {
    await claimIt();
    for (let crash = 0; crash < 4; crash++) {
      expect(await start()).not.toBeNull();
      await expireLease();
      if (crash % 2 === 0) await take(); // whoever notices, a scheduler or the next worker, counts it once
    }
    expect(await start()).toBeNull();
    expect(await rows()).toMatchObject([{ status: "failed", problem: "its worker died 4 times while it ran" }]);
    expect(await take()).toEqual([]);
  });
});

test("the database tells its own time", async () => {
  const [row] = await db.sql<{ before: Date }>("select now() as before");
  expect((await readDatabaseTime(store, noLimit)).getTime()).toBeGreaterThanOrEqual(row!.before.getTime());
});
