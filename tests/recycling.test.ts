import { afterEach, expect, test } from "vitest";
import { openSystem, queueKinds, type System } from "./support/system.ts";

const scope = { agencyCodes: ["26421"], from: "2024-01-01", to: "2024-01-31" };
const INVESTIGATIONS = 8;

let system: System;
afterEach(() => system[Symbol.asyncDispose]());

/** Starts a worker, and the next when it has ended, as whoever runs this does; what each of them ended with. */
function superviseWorkers(environment: Record<string, string>): (number | null)[] {
  const codes: (number | null)[] = [];
  const startNext = () => {
    void system.start("worker", environment).exited.then((code) => {
      codes.push(code);
      if (code === 0) startNext();
    });
  };
  startNext();
  return codes;
}

async function open(): Promise<string> {
  const answer = await system.post({ scope });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { id: string }).id;
}

const limits = [
  ["a number of jobs", { RECYCLE_JOBS: "2" }],
  // Every worker holds as much from its start on.
  ["an amount of memory", { RECYCLE_MEMORY_MB: "64" }],
] as const;
const cases = queueKinds().flatMap((queue) => limits.map(([what, limit]) => ({ queue, what, limit })));

test.each(cases)(
  "workers that end after $what lose no job and interrupt none, queue in $queue",
  async ({ queue, limit }) => {
    system = await openSystem({ queue });
    system.start("api");
    await system.untilReady();
    const ids = await Promise.all(Array.from({ length: INVESTIGATIONS }, open));
    const codes = superviseWorkers({ ...limit, WEB_CONCURRENCY: "2" });
    await system.untilFinal(ids);
    // Each was claimed once: no worker went away from one that it had begun.
    expect(
      await system.data.sql(
        "select status, attempts, crashes, fence, count(*) as investigations from investigations group by 1, 2, 3, 4",
      ),
    ).toEqual([{ status: "completed", attempts: 0, crashes: 0, fence: 1, investigations: INVESTIGATIONS }]);
    expect(codes.length).toBeGreaterThan(1);
    expect(codes.filter((code) => code !== 0)).toEqual([]);
    expect(system.logs()).toContain("makes room for a fresh worker");
  },
);
