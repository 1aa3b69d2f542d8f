import { expect, test } from "vitest";
import { createTurns } from "./turns.ts";

const never = new AbortController().signal;

function open() {
  const intake: string[] = [];
  const turns = createTurns({ pause: () => intake.push("pause"), resume: () => intake.push("resume") });
  return { intake, ...turns };
}

/** Everything that can happen without anybody doing more has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("many go together; one alone waits for all of them, and meanwhile nothing else starts", async () => {
  const { intake, together, alone } = open();
  const [a, b] = [together(), together()];
  let hasTurn = false;
  const waiting = alone(never).then((turn) => {
    hasTurn = true;
    return turn!;
  });
  expect(intake).toEqual(["pause"]);
  expect(together()).toBeNull();
  expect(await alone(never)).toBeNull();
  a![Symbol.dispose]();
  await settled();
  expect(hasTurn).toBe(false);
  b![Symbol.dispose]();
  const turn = await waiting;
  expect(together()).toBeNull();
  expect(intake).toEqual(["pause"]);
  turn[Symbol.dispose]();
  expect(intake).toEqual(["pause", "resume"]);
  expect(together()).not.toBeNull();
});

test("who gives up waiting to be alone lets the others go on", async () => {
  const { intake, together, alone } = open();
  const stop = new AbortController();
  together();
  const waiting = alone(stop.signal);
  stop.abort();
  expect(await waiting).toBeNull();
  expect(intake).toEqual(["pause", "resume"]);
  expect(together()).not.toBeNull();
  expect(await alone(stop.signal)).toBeNull();
  expect(intake).toHaveLength(2);
});
