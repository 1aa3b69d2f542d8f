import { insertInvestigation } from "@cidadao/database/investigations";
import { afterAll, expect, test } from "vitest";
import { newInvestigation, noLimit } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
afterAll(() => db[Symbol.asyncDispose]());

const insertAtOnce = (count: number, idempotencyHash: string | null) =>
  Promise.all(
    Array.from({ length: count }, () => insertInvestigation(db.store, newInvestigation({ idempotencyHash }), noLimit)),
  );

test("twenty requests with one Idempotency-Key at once open one investigation, and all of them learn its id", async () => {
  for (let round = 0; round < 5; round++) {
    const answers = await insertAtOnce(20, `key-${round}`);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(answers.map(({ investigation }) => investigation.id)).size).toBe(1);
    expect(await db.sql("select 1 from investigations where idempotency_hash = $1", [`key-${round}`])).toHaveLength(1);
  }
});

test("requests without a key never collide", async () => {
  const answers = await insertAtOnce(20, null);
  expect(answers.every(({ created }) => created)).toBe(true);
  expect(new Set(answers.map(({ investigation }) => investigation.id)).size).toBe(20);
});

test("the same key of two owners opens two investigations, and of one owner one", async () => {
  const insert = (owner: string) =>
    db.sql(
      `insert into investigations (scope, origin, request_hash, idempotency_hash, owner_id)
       values ('{}', 'api', 'r', 'shared', $1) on conflict do nothing returning id`,
      [owner],
    );
  const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
  expect(await insert(first)).toHaveLength(1);
  expect(await insert(second)).toHaveLength(1);
  expect(await insert(first)).toHaveLength(0);
});

test("a new investigation is pending, marked as enqueued and under no fence", async () => {
  const [answer] = await insertAtOnce(1, "fresh");
  expect(answer!.investigation).toMatchObject({
    status: "pending",
    phase: "opened",
    fence: 0,
    attempts: 0,
    crashes: 0,
  });
  const [row] = await db.sql("select enqueued_at is not null as enqueued from investigations where id = $1", [
    answer!.investigation.id,
  ]);
  expect(row).toEqual({ enqueued: true });
});
