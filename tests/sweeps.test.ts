import {
  findInvestigation,
  markUnqueued,
  releaseInvestigation,
  takeUnqueuedInvestigations,
} from "@cidadao/database/investigations";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { claim, noLimit, openInvestigation, openRunning } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
afterAll(() => db[Symbol.asyncDispose]());
const { store } = db;
beforeEach(() => db.sql("truncate investigations cascade"));

const take = (limit = 100) => takeUnqueuedInvestigations(store, { limit, graceSeconds: 60 }, noLimit);
const rowOf = async (id: string) => (await findInvestigation(store, id, noLimit))!;

describe("the sweep of investigations", () => {
  test("leaves alone what was just enqueued and what runs under a lease", async () => {
    await openInvestigation(store);
    await openRunning(store);
    expect(await take()).toEqual([]);
  });

  test("hands out what never reached the queue, once", async () => {
    const id = await openInvestigation(store);
    await markUnqueued(store, id, noLimit);
    expect(await take()).toEqual([{ id, fence: 0, priority: "default" }]);
    expect(await take()).toEqual([]);
  });

  test("hands out again what the queue has kept for longer than the grace", async () => {
    const id = await openInvestigation(store);
    await db.sql("update investigations set enqueued_at = now() - interval '61 seconds' where id = $1", [id]);
    expect(await take()).toEqual([{ id, fence: 0, priority: "default" }]);
    expect(await take()).toEqual([]);
  });

  test("hands out an investigation whose worker died, counts the crash, and refuses that worker from then on", async () => {
    const { id } = await openRunning(store);
    await db.sql("update investigations set lease_until = now() - interval '1 second' where id = $1", [id]);
    expect(await take()).toEqual([{ id, fence: 1, priority: "default" }]);
    expect(await rowOf(id)).toMatchObject({ status: "pending", crashes: 1, attempts: 0 });
    expect(
      await releaseInvestigation(store, { id, fence: 1, leaseSeconds: 60 }, { delaySeconds: 0, reason: "" }, noLimit),
    ).toBe(false);
    expect(await claim(store, id)).toMatchObject({ outcome: "claimed", investigation: { crashes: 1, fence: 2 } });
  });

  test("keeps what is to run later until its time has come", async () => {
    const running = await openRunning(store);
    await releaseInvestigation(store, running, { delaySeconds: 3_600, reason: "Pausa." }, noLimit);
    expect(await take()).toEqual([]);
    await db.sql("update investigations set run_after = now() where id = $1", [running.id]);
    expect(await take()).toEqual([{ id: running.id, fence: 1, priority: "default" }]);
  });

  test("does not mark as unqueued what is running", async () => {
    const { id } = await openRunning(store);
    await markUnqueued(store, id, noLimit);
    const [row] = await db.sql("select enqueued_at is not null as queued from investigations where id = $1", [id]);
    expect(row).toEqual({ queued: true });
  });

  test("takes the oldest first, and no more than its limit", async () => {
    const ids = [await openInvestigation(store), await openInvestigation(store), await openInvestigation(store)];
    for (const id of ids) await markUnqueued(store, id, noLimit);
    expect((await take(2)).map(({ id }) => id).toSorted()).toEqual(ids.slice(0, 2).toSorted());
    expect((await take(2)).map(({ id }) => id)).toEqual(ids.slice(2));
  });

  test("by twelve sweepers at once hands each of 200 rows to exactly one of them", async () => {
    await db.sql(
      `insert into investigations (scope, origin, request_hash, enqueued_at)
       select '{}', 'api', 'r', null from generate_series(1, 200)`,
    );
    const taken = await Promise.all(
      Array.from({ length: 12 }, () => db.sql<{ id: string }>("select id from take_unqueued_investigations(30, 60)")),
    );
    const ids = taken.flat().map((row) => row.id);
    expect(new Set(ids).size).toBe(ids.length);
    const rest = await take(200);
    expect(new Set([...ids, ...rest.map(({ id }) => id)]).size).toBe(200);
    expect(ids.length + rest.length).toBe(200);
  });
});
