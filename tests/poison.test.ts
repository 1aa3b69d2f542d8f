import { expect, test } from "vitest";
import type { ServiceProcess } from "@cidadao/testing/service-process";
import { openSystem, queueKinds } from "./support/system.ts";
import { until } from "./support/until.ts";

const NEIGHBOURS = 3;

test("an investigation that kills its worker fails for good, and those that were beside it complete", async () => {
  const [queue] = queueKinds();
  await using system = await openSystem({
    queue: queue!,
    environment: { LEASE_SECONDS: "4", ENQUEUED_GRACE_SECONDS: "6" },
  });
  system.start("api");
  await system.untilReady();
  const open = async (scope: object): Promise<string> => {
    const answer = await system.post({ scope: { from: "2024-01-01", to: "2024-01-31", ...scope } });
    return ((await answer.json()) as { id: string }).id;
  };
  const stateOf = async (id: string) =>
    (
      await system.data.sql<{ status: string; fence: number }>(
        "select status, fence from investigations where id = $1",
        [id],
      )
    )[0]!;

  // All of them are in the hands of one worker when it dies.
  await system.portal.setFaults({ rules: [{ path: "/contratos", fault: { kind: "stall_before_headers" } }] });
  // Of every agency: it takes long enough to be met in the middle.
  const poison = await open({});
  const neighbours = await Promise.all(Array.from({ length: NEIGHBOURS }, () => open({ agencyCodes: ["26421"] })));
  let worker: ServiceProcess = system.start("worker", { WEB_CONCURRENCY: String(1 + NEIGHBOURS) });
  await until("all of them run", async () => {
    const running = await system.data.sql("select 1 from investigations where status = 'running'");
    return running.length === 1 + NEIGHBOURS;
  });
  await worker.kill();
  await system.portal.setFaults({});

  let met = await stateOf(poison);
  while (met.status !== "failed") {
    worker = system.start("worker", { WEB_CONCURRENCY: String(1 + NEIGHBOURS) });
    const before = met;
    await until("it runs once more, or is given up", async () => {
      met = await stateOf(poison);
      return met.status === "failed" || (met.status === "running" && met.fence > before.fence);
    });
    if (met.status === "running") await worker.kill();
  }
  // What a dead worker had just taken is locked on the queue for a minute; of a lost queue the sweep knows sooner.
  await system.redis?.wipe();
  await system.untilFinal([poison, ...neighbours]);
  const ends = "select status, failure_code, crashes from investigations where id = any($1) order by id";
  expect(await system.data.sql(ends, [[poison]])).toEqual([{ status: "failed", failure_code: "poison", crashes: 4 }]);
  expect(await system.data.sql(ends, [neighbours])).toEqual(
    neighbours.map(() => ({ status: "completed", failure_code: null, crashes: 1 })),
  );
}, 180_000);
