import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { readDatabaseTime } from "@cidadao/database/schedule-runs";
import { openStore } from "@cidadao/database/store";
import { type ServiceName, startService } from "@cidadao/testing/service-process";
import { startTcpProxy } from "./support/tcp-proxy.ts";
import { openSystem, queueKinds, type System } from "./support/system.ts";
import { until } from "./support/until.ts";

const hasRedis = queueKinds().includes("redis");
/** A few contracts each: the work is quick, so that an outage is what a test waits for. */
const agencies = ["26435", "26404", "26421", "26432"];
const scopeOf = (agencyCode: string) => ({ agencyCodes: [agencyCode], from: "2024-01-01", to: "2024-01-31" });

/** What an answer may take while something is away: past it the caller would have given up. */
const ANSWER_MS_MAX = 5_000;
/** What one question to the database may take. */
const DATABASE_ANSWER_MS_MAX = 15_000;

async function open(system: System, agencyCode = agencies[0]!): Promise<Response> {
  return fetch(`${system.url}/api/v1/investigations`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ scope: scopeOf(agencyCode) }),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
}

/** Ids of one accepted investigation an agency. */
async function openAll(system: System): Promise<string[]> {
  const ids: string[] = [];
  for (const agency of agencies) {
    const answer = await open(system, agency);
    expect(answer.status).toBe(202);
    ids.push(((await answer.json()) as { id: string }).id);
  }
  return ids;
}

async function health(system: System, path: "ready" | "live"): Promise<{ code: number; status: string }> {
  const answer = await fetch(`${system.url}/health/${path}`, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
  return { code: answer.status, status: ((await answer.json()) as { status: string }).status };
}

function untilHealth(system: System, status: string): Promise<void> {
  return until(`the API says ${status}`, () =>
    health(system, "ready").then(
      (seen) => seen.status === status,
      () => false,
    ),
  );
}

async function expectWholeAndSingle(system: System, ids: string[]): Promise<void> {
  const rows = await system.data.sql(
    `select status, attempts, crashes, (select count(*) from reports r where r.investigation_id = i.id)::int as reports,
            (select count(*) from investigation_events e
              where e.investigation_id = i.id and e.phase = 'finished')::int as ends
       from investigations i where id = any($1)`,
    [ids],
  );
  const whole = { status: "completed", attempts: 0, crashes: 0, reports: 1, ends: 1 };
  expect(rows, system.logs().slice(-3_000)).toEqual(ids.map(() => whole));
}

for (const queue of hasRedis ? (["redis"] as const) : []) {
  describe(`with the queue in ${queue} away`, () => {
    let system: System;
    const ended: number[] = [];

    beforeAll(async () => {
      system = await openSystem({ queue, lines: "proxied", environment: { ENQUEUED_GRACE_SECONDS: "2" } });
      await system.redis!.kill();
      for (const name of ["api", "worker", "scheduler"] as const) {
        const service = system.start(name);
        void service.exited.then(() => ended.push(service.pid));
      }
      await untilHealth(system, "degraded");
    });
    afterAll(() => system[Symbol.asyncDispose]());

    test("at the start, work is accepted, readiness says degraded, and the work is done when the queue comes", async () => {
      const ids = await openAll(system);
      expect(await health(system, "ready")).toEqual({ code: 200, status: "degraded" });
      await system.redis!.start();
      await system.untilFinal(ids);
      await untilHealth(system, "ready");
      await expectWholeAndSingle(system, ids);
    });

    test("later, work is accepted and done by the same processes when the queue is back", async () => {
      await system.redis!.kill();
      const ids = await openAll(system);
      await untilHealth(system, "degraded");
      ids.push(...(await openAll(system)));
      await system.redis!.start();
      await system.untilFinal(ids);
      await expectWholeAndSingle(system, ids);
      expect(ended).toEqual([]);
    });

    test("and wiped with work on it, all of the work is done", async () => {
      const stalled = { rules: [{ path: "/contratos", fault: { kind: "stall_before_headers" as const } }] };
      await system.portal.setFaults(stalled);
      await system.data.sql("delete from source_responses");
      const ids = [...(await openAll(system)), ...(await openAll(system))];
      await until("the worker has its hands full", async () => {
        const running = await system.data.sql("select 1 from investigations where status = 'running'");
        return running.length === 4;
      });
      await system.redis!.wipe();
      await system.portal.setFaults({ down: true });
      await system.portal.setFaults({});
      await system.untilFinal(ids);
      await expectWholeAndSingle(system, ids);
      expect(ended).toEqual([]);
    });

    test("because it accepts and never answers, work is accepted and done when it answers again", async () => {
      await system.lines!.redis!.silence();
      const ids = await openAll(system);
      await untilHealth(system, "degraded");
      await system.lines!.redis!.pass();
      await system.untilFinal(ids);
      await expectWholeAndSingle(system, ids);
      expect(ended).toEqual([]);
    });
  });
}

describe.each(queueKinds())("with the database away, queue in %s", (queue) => {
  let system: System;
  const ended: string[] = [];

  beforeAll(async () => {
    system = await openSystem({
      queue,
      lines: "proxied",
      environment: { LEASE_SECONDS: "4", ENQUEUED_GRACE_SECONDS: "2" },
    });
    await system.lines!.rest.refuse();
    for (const name of ["api", "worker", "scheduler"] as const) {
      void system.start(name).exited.then(() => ended.push(name));
    }
    await until("the API answers", () =>
      health(system, "live").then(
        ({ code }) => code === 200,
        () => false,
      ),
    );
  });
  afterAll(() => system[Symbol.asyncDispose]());

  async function expectRefusal(): Promise<void> {
    const answer = await open(system);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await answer.json()).toMatchObject({ status: 503, code: "store_unavailable" });
    expect(await health(system, "ready")).toEqual({ code: 503, status: "not_ready" });
    expect(await health(system, "live")).toEqual({ code: 200, status: "live" });
  }

  test("at the start, nothing is accepted, nothing dies, and all work when it comes", async () => {
    await expectRefusal();
    await system.untilLogged("sweep failed");
    await system.untilLogged("tick failed");
    await system.lines!.rest.pass();
    await system.untilReady();
    const ids = await openAll(system);
    await system.untilFinal(ids);
    await expectWholeAndSingle(system, ids);
    expect(ended).toEqual([]);
  });

  test("later, a running investigation ends once after it is back, with no crash and no attempt counted", async () => {
    await system.portal.setFaults({ rules: [{ path: "/contratos", fault: { kind: "stall_before_headers" } }] });
    await system.data.sql("delete from source_responses");
    const { id } = (await (await open(system)).json()) as { id: string };
    await until("it reads", async () => {
      const reading = await system.data.sql("select 1 from investigations where id = $1 and phase = 'reading'", [id]);
      return reading.length === 1;
    });
    const sweeps = system.logs().split("sweep failed").length;
    await system.lines!.rest.refuse();
    await expectRefusal();
    // The worker gets its answers, and cannot store them for longer than its lease lasts.
    await system.portal.setFaults({ down: true });
    await system.portal.setFaults({});
    await until("the lease is over", async () => {
      const over = await system.data.sql("select 1 from investigations where id = $1 and lease_until < now()", [id]);
      return over.length === 1;
    });
    await system.untilLogged("sweep failed", sweeps);
    await system.lines!.rest.pass();
    await system.untilFinal([id]);
    await expectWholeAndSingle(system, [id]);
    expect(ended).toEqual([]);
  });
});

test("a database that accepts and never answers is given up in its time, whatever signal the caller has", async () => {
  await using line = await startTcpProxy({ port: 9 });
  await line.silence();
  const key = "a key that nobody will read";
  const store = openStore({ SUPABASE_URL: `http://127.0.0.1:${line.port}`, SUPABASE_SERVICE_ROLE_KEY: key });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const asked = readDatabaseTime(store, new AbortController().signal).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(DATABASE_ANSWER_MS_MAX);
    expect(await asked).toMatchObject({ code: "store_unavailable" });
  } finally {
    vi.useRealTimers();
  }
});

describe("a service that is configured wrongly", () => {
  const wrong: Record<ServiceName, { environment: Record<string, string>; named: string[] }> = {
    api: {
      environment: { PORT: "many", CORS_ORIGINS: "everywhere" },
      named: ["SUPABASE_URL", "SUPABASE_SERVICE_ROLE_KEY", "REDIS_URL", "PORT", "CORS_ORIGINS"],
    },
    worker: {
      environment: {
        LEASE_SECONDS: "0",
        WATCHED_AGENCIES: "Fiocruz",
        ALERT_SEVERITY_MIN: "terrible",
        ALERT_WEBHOOKS: "http://127.0.0.1:9/api/webhooks/1/a",
      },
      named: [
        "SUPABASE_URL",
        "SUPABASE_SERVICE_ROLE_KEY",
        "REDIS_URL",
        "TRANSPARENCY_API_KEY",
        "LEASE_SECONDS",
        "WATCHED_AGENCIES",
        "ALERT_SEVERITY_MIN",
        "ALERT_WEBHOOKS",
      ],
    },
    scheduler: {
      environment: { HEALTH_PORT: "0", DRAIN_SECONDS: "never" },
      named: ["SUPABASE_URL", "SUPABASE_SERVICE_ROLE_KEY", "REDIS_URL", "HEALTH_PORT", "DRAIN_SECONDS"],
    },
  };

  test.each(["api", "worker", "scheduler"] as const)(
    "does not start: the %s ends with code 78 and names every problem at once, without a stack",
    async (name) => {
      const { environment, named } = wrong[name];
      const { code, output } = await runWith(name, environment);
      expect(code, output).toBe(78);
      for (const variable of named) expect(output).toMatch(new RegExp(`^ {2}${variable}: `, "m"));
      expect(output).not.toMatch(/^\s+at /m);
    },
  );
});

async function runWith(name: ServiceName, environment: Record<string, string>) {
  const folder = mkdtempSync(path.join(tmpdir(), "cidadao-config-"));
  try {
    const log = path.join(folder, "output.log");
    const bare = { PATH: process.env["PATH"] ?? "", ...environment };
    const code = await startService({ name, environment: bare, output: openSync(log, "a") }).exited;
    return { code, output: readFileSync(log, "utf8") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
