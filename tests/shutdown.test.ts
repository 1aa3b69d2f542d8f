import { afterEach, describe, expect, test } from "vitest";
import { openProducer } from "@cidadao/queue/produce";
import { chooseBackend } from "@cidadao/queue/backend";
import { createLogger } from "@cidadao/runtime/logger";
import type { ServiceProcess } from "@cidadao/testing/service-process";
import { openSystem, queueKinds, type System } from "./support/system.ts";
import { until } from "./support/until.ts";

const scope = { agencyCodes: ["26421"], from: "2024-01-01", to: "2024-01-31" };
/** More than any process here may take to drain: `stop` would end it with SIGKILL, and its code would be `null`. */
const STOP_MS_MAX = 15_000;

let system: System;
afterEach(() => system[Symbol.asyncDispose]());

async function open(): Promise<string> {
  const answer = await system.post({ scope });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { id: string }).id;
}

async function stop(service: ServiceProcess): Promise<number | null> {
  await service.stop(STOP_MS_MAX);
  return service.exited;
}

async function untilReading(id: string): Promise<void> {
  await until("it is being read", async () => {
    const rows = await system.data.sql("select 1 from investigations where id = $1 and phase = 'reading'", [id]);
    return rows.length === 1;
  });
}

describe.each(queueKinds())("SIGTERM, queue in %s", (queue) => {
  test("of a worker gives its work back without blame, and another worker completes it", async () => {
    system = await openSystem({ queue });
    system.start("api");
    const first = system.start("worker");
    await system.untilReady();
    await system.portal.setFaults({ rules: [{ path: "/contratos", fault: { kind: "stall_in_body" } }] });
    const id = await open();
    await untilReading(id);
    expect(await stop(first), system.logs().slice(-2_000)).toBe(0);
    const given = `select status, attempts, crashes, lease_until from investigations where id = $1`;
    expect(await system.data.sql(given, [id])).toEqual([
      { status: "pending", attempts: 0, crashes: 0, lease_until: null },
    ]);
    await system.portal.setFaults({});
    system.start("worker");
    await system.untilFinal([id]);
    expect(await system.data.sql(given, [id])).toEqual([
      { status: "completed", attempts: 0, crashes: 0, lease_until: null },
    ]);
  });

  test("of the API ends its event streams, and of the scheduler its ticks; both with code 0", async () => {
    system = await openSystem({ queue });
    const [api, scheduler] = [system.start("api"), system.start("scheduler")];
    await system.untilReady();
    await system.untilLogged("slot claimed");
    const id = await open();
    const stream = await fetch(`${system.url}/api/v1/investigations/${id}/events`);
    const text = stream.text();
    expect(await stop(api), system.logs().slice(-2_000)).toBe(0);
    expect(await text).toContain("events follow");
    expect(await stop(scheduler)).toBe(0);
  });
});

for (const queue of queueKinds().filter((kind) => kind === "redis")) {
  describe(`SIGTERM with ${queue} dead`, () => {
    test("ends worker, API and scheduler with code 0, and what ran is given back", async () => {
      system = await openSystem({ queue });
      const services = [system.start("api"), system.start("worker"), system.start("scheduler")];
      await system.untilReady();
      await system.untilLogged("slot claimed");
      await system.portal.setFaults({ rules: [{ path: "/contratos", fault: { kind: "stall_before_headers" } }] });
      const id = await open();
      await untilReading(id);
      await system.redis!.kill();
      await system.untilLogged("the queue reports an error", 3);
      expect(await Promise.all(services.map(stop)), system.logs().slice(-2_000)).toEqual([0, 0, 0]);
      expect(await system.data.sql("select status, attempts, crashes from investigations where id = $1", [id])).toEqual(
        [{ status: "pending", attempts: 0, crashes: 0 }],
      );
    });

    test("ends services that never saw it alive", async () => {
      system = await openSystem({ queue });
      await system.redis!.kill();
      const services = [system.start("api"), system.start("worker"), system.start("scheduler")];
      await until("the API answers", () =>
        fetch(`${system.url}/health/live`).then(
          (answer) => answer.ok,
          () => false,
        ),
      );
      await system.untilLogged("worker is up");
      await system.untilLogged("scheduler is up");
      expect(await Promise.all(services.map(stop)), system.logs().slice(-2_000)).toEqual([0, 0, 0]);
    });
  });
}

describe.each(queueKinds())("a job that is delivered three times at once, queue in %s", (queue) => {
  test("gives one result and one alert", async () => {
    system = await openSystem({ queue });
    system.start("api");
    await system.untilReady();
    const agencies = ["26408", "30911"];
    const ids: string[] = [];
    for (const agency of agencies) {
      const answer = await system.post({ scope: { ...scope, agencyCodes: [agency] } });
      ids.push(((await answer.json()) as { id: string }).id);
    }
    const logger = createLogger({ process: "test", level: "silent" });
    const { REDIS_URL, DATABASE_URL } = system.environment;
    await using producer = openProducer(chooseBackend({ REDIS_URL, DATABASE_URL }), logger);
    await until("the queue is there", () => producer.isReady());
    for (const id of ids) {
      for (const fence of [7, 8, 9]) {
        await producer.enqueue("run-investigation", { investigationId: id, fence }, { timeoutMs: 5_000 });
      }
    }
    system.start("worker");
    system.start("worker");
    await system.untilFinal(ids);
    await system.untilLogged("not ours to run", ids.length * 2);
    const results = await system.data.sql(
      `select i.status, i.fence, i.crashes, (select count(*) from reports r where r.investigation_id = i.id)::int as reports,
              (select count(*) from anomalies a where a.investigation_id = i.id)::int = i.anomalies as whole,
              (select count(*) from alerts a where a.investigation_id = i.id)::int <= 1 as told_once
         from investigations i where id = any($1)`,
      [ids],
    );
    const single = { status: "completed", fence: 1, crashes: 0, reports: 1, whole: true, told_once: true };
    expect(results).toEqual(ids.map(() => single));
  });
});
