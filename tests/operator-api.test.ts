import { buildApp } from "@cidadao/api/app";
import { computeDetectorPrecision } from "@cidadao/database/feedback";
import { completeInvestigation } from "@cidadao/database/investigations";
import { feedbackUrl } from "@cidadao/operations/feedback-link";
import { createAdmission } from "@cidadao/operations/admit";
import { openProducer, type Producer } from "@cidadao/queue/produce";
import { createLogger } from "@cidadao/runtime/logger";
import { createTelemetry } from "@cidadao/runtime/telemetry";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { finding, openRunning, resultOf } from "./support/records.ts";
import { openTestStore, queueBackends, type TestStore } from "./support/stack.ts";
import { until } from "./support/until.ts";

const FEEDBACK_SECRET = "a secret for links of thirty-two characters";
const SECRET_KEY = "a key of at least thirty-two characters";
const scope = { agencyCodes: ["26435"], from: "2024-01-01", to: "2024-01-31" };
const logger = createLogger({ process: "api", level: "silent" });

let data: TestStore;
let producer: Producer;
let app: FastifyInstance;

beforeAll(async () => {
  data = await openTestStore();
  producer = openProducer(queueBackends(data)[0]!, logger);
  app = await appOn(data.store, producer);
  await until("the queue is ready", () => producer.isReady());
});

afterAll(async () => {
  await app.close();
  await producer[Symbol.asyncDispose]();
  await data[Symbol.asyncDispose]();
});

function appOn(
  store: TestStore["store"],
  queue: Pick<Producer, "enqueue" | "isReady" | "depths" | "queues">,
  secretKey: string | null = SECRET_KEY,
  limits = { waitingMax: 100_000, waitSecondsMax: 100_000 },
): Promise<FastifyInstance> {
  return buildApp({
    store,
    enqueue: queue.enqueue,
    admit: createAdmission({ store, limits }),
    queueIsReady: queue.isReady,
    queueDepths: queue.depths,
    queues: queue.queues,
    stopping: new AbortController().signal,
    corsOrigins: ["https://cidadao.example"],
    secretKey,
    feedbackSecret: FEEDBACK_SECRET,
    targetRules: { ALERT_SIGNED_WEBHOOK_HOSTS: [], ALERT_WEBHOOKS_LOOPBACK: "false" },
    logger,
    telemetry: createTelemetry({ process: "api" }),
  });
}

function post(payload: unknown, headers: Record<string, string> = {}) {
  return app.inject({ method: "POST", url: "/api/v1/investigations", headers, payload: payload as object });
}

async function open(): Promise<string> {
  return (await post({ scope })).json<{ id: string }>().id;
}

describe("the timetable", () => {
  const run = (id: string, headers: Record<string, string> = { "x-api-key": SECRET_KEY }) =>
    app.inject({ method: "POST", url: `/api/v1/schedules/${id}/run`, headers });

  test("says when each schedule runs next and how it last went", async () => {
    await data.sql("truncate schedule_runs");
    await data.sql(
      `insert into schedule_runs (schedule_id, slot, job, status, missed, problem, started_at, finished_at)
       values ('new-contracts', '2024-01-31T10:10:00Z', 'new-contracts', 'failed', 2, 'no source', now(), now() + interval '3 s')`,
    );
    const { schedules } = (await app.inject("/api/v1/schedules")).json<{
      schedules: { id: string; next: string; last: unknown }[];
    }>();
    const newContracts = schedules.find(({ id }) => id === "new-contracts")!;
    expect(Date.parse(newContracts.next)).toBeGreaterThan(Date.now());
    expect(newContracts).toMatchObject({
      catchUp: "cursor",
      last: { origin: "schedule", status: "failed", missed: 2, problem: "no source", seconds: 3 },
      lastCompletedAt: null,
    });
    expect(schedules.find(({ id }) => id === "stuck-sweep")).toMatchObject({ last: null });
  });

  test("runs a job now for whoever has the key, beside its slots, and puts it on the queue", async () => {
    const before = (await producer.depths(5_000))!.maintenance;
    const answer = await run("stuck-sweep");
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toMatchObject({ scheduleId: "stuck-sweep", origin: "manual", status: "pending" });
    expect((await run("stuck-sweep", { authorization: `Bearer ${SECRET_KEY}` })).statusCode).toBe(202);
    expect((await producer.depths(5_000))!.maintenance).toBe(before + 2);
    const state = await data.store.rpc("schedule_state", { p_ids: ["stuck-sweep"] });
    expect(state.data).toMatchObject({ latest: { "stuck-sweep": null } });
  });

  test("runs nothing without the key, with another, or while none is set", async () => {
    const rows = () => data.sql("select 1 from schedule_runs");
    const before = (await rows()).length;
    const missing = await run("stuck-sweep", {});
    expect([missing.statusCode, missing.headers["www-authenticate"]]).toEqual([401, 'Bearer realm="cidadao"']);
    expect(missing.json()).toMatchObject({ code: "unauthorized" });
    for (const key of ["", "x", `${SECRET_KEY} `.repeat(2), SECRET_KEY.slice(0, -1)]) {
      expect([401, 403]).toContain((await run("stuck-sweep", { "x-api-key": key })).statusCode);
    }
    const off = await appOn(data.store, producer, null);
    const answer = await off.inject({
      method: "POST",
      url: "/api/v1/schedules/stuck-sweep/run",
      headers: { "x-api-key": SECRET_KEY },
    });
    expect(answer.statusCode).toBe(403);
    expect(answer.json<{ detail: string }>().detail).toContain("API_SECRET_KEY");
    await off.close();
    expect((await run("no-such-schedule")).statusCode).toBe(404);
    expect(await rows()).toHaveLength(before);
  });
});

describe("dead jobs", () => {
  const admin = (method: "GET" | "POST", url: string, headers: Record<string, string> = { "x-api-key": SECRET_KEY }) =>
    app.inject({ method, url: `/api/v1/admin/dead-jobs${url}`, headers });
  type Dead = { deadJobs: { kind: string; id: string; reason: string }[]; nextBefore: string | null };

  test("of every queue are listed with their reason, and each gets another life once", async () => {
    await data.sql("truncate investigations, schedule_runs, alerts cascade");
    const id = await open();
    await data.sql(
      `update investigations set status = 'failed', failure_code = 'poison', failure_message = 'died 4 times', crashes = 4,
         completed_at = now() - interval '2 s' where id = $1`,
      [id],
    );
    await data.sql(
      `insert into schedule_runs (schedule_id, slot, job, status, problem, finished_at)
       values ('new-contracts', '2024-01-31T10:10:00Z', 'new-contracts', 'failed', 'no source', now() - interval '1 s')`,
    );
    const [raised] = await data.sql<{ alert: { deliveries: string[] } }>(
      `select raise_alert('operations', 'k', 'high', '{"title": "t"}', '[{"channel": "discord", "target": "x"}]') as alert`,
    );
    await data.sql("update alert_deliveries set status = 'failed', problem = 'HTTP 400', settled_at = now()");

    const first = (await admin("GET", "?limit=2")).json<Dead>();
    const rest = (await admin("GET", `?before=${encodeURIComponent(first.nextBefore!)}`)).json<Dead>();
    const listed = [...first.deadJobs, ...rest.deadJobs];
    expect(listed).toMatchObject([
      { kind: "alert_delivery", id: raised!.alert.deliveries[0], reason: "HTTP 400" },
      { kind: "schedule_run", id: "new-contracts@2024-01-31T10:10:00.000Z", reason: "no source" },
      { kind: "investigation", id, reason: "poison: died 4 times", crashes: 4 },
    ]);
    for (const dead of listed) {
      const redrive = `/${dead.kind}/${encodeURIComponent(dead.id)}/redrive`;
      expect((await admin("POST", redrive)).statusCode).toBe(202);
      expect((await admin("POST", redrive)).statusCode).toBe(404);
    }
    expect((await admin("GET", "")).json<Dead>().deadJobs).toEqual([]);
    expect(await data.sql("select status, crashes, failure_code from investigations")).toEqual([
      { status: "pending", crashes: 0, failure_code: null },
    ]);
    const waiting = "select status from schedule_runs union all select status from alert_deliveries";
    expect(await data.sql(waiting)).toEqual([{ status: "pending" }, { status: "pending" }]);
  });

  test("are nobody's business without the key", async () => {
    expect((await admin("GET", "", {})).statusCode).toBe(401);
    expect((await admin("POST", "/investigation/x/redrive", { "x-api-key": "x".repeat(40) })).statusCode).toBe(403);
  });
});

describe("when too much waits", () => {
  const onlyFew = async (limits: { waitingMax: number; waitSecondsMax: number }) =>
    appOn(data.store, producer, SECRET_KEY, limits);
  const opening = (on: FastifyInstance, priority: string, headers: Record<string, string> = {}) =>
    on.inject({
      method: "POST",
      url: "/api/v1/investigations",
      headers: { "x-api-key": SECRET_KEY, ...headers },
      payload: { scope, priority },
    });

  test("what is not urgent is refused with a time to come back, and a key is still answered", async () => {
    await data.sql("truncate investigations cascade");
    const known = await post({ scope, priority: "default" }, { "idempotency-key": "mine" });
    await open();
    const full = await onlyFew({ waitingMax: 2, waitSecondsMax: 1_000 });
    const refused = await opening(full, "default");
    expect(refused.statusCode).toBe(429);
    expect(refused.json()).toMatchObject({ code: "backlog_full" });
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect((await opening(full, "critical")).statusCode).toBe(202);
    const again = await opening(full, "default", { "idempotency-key": "mine" });
    expect([again.statusCode, again.json<{ id: string }>().id]).toEqual([202, known.json<{ id: string }>().id]);
    await full.close();
  });

  test("nobody overtakes the others without the key", async () => {
    for (const priority of ["high", "critical"]) {
      expect((await post({ scope, priority })).statusCode).toBe(401);
      expect((await post({ scope, priority }, { "x-api-key": "x".repeat(40) })).statusCode).toBe(403);
      expect((await post({ scope, priority }, { "x-api-key": SECRET_KEY })).statusCode).toBe(202);
    }
    expect((await post({ scope, priority: "low" })).statusCode).toBe(202);
  });

  test("everything is refused when it is far too much", async () => {
    await data.sql("truncate investigations cascade");
    await open();
    await open();
    const full = await onlyFew({ waitingMax: 1, waitSecondsMax: 1_000 });
    const refused = await opening(full, "critical");
    expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([503, "overloaded"]);
    expect(refused.headers["retry-after"]).toBeDefined();
    await full.close();
  });

  test("so is what would wait behind work that has waited too long", async () => {
    await data.sql("truncate investigations cascade");
    await open();
    await data.sql("update investigations set created_at = now() - interval '2 hours'");
    const full = await onlyFew({ waitingMax: 100, waitSecondsMax: 3_600 });
    expect((await opening(full, "low")).statusCode).toBe(429);
    expect((await opening(full, "high")).statusCode).toBe(202);
    await full.close();
  });
});

describe("alerts", () => {
  const admin = (method: "GET" | "POST", url: string, headers: Record<string, string> = { "x-api-key": SECRET_KEY }) =>
    app.inject({ method, url: `/api/v1/alerts${url}`, headers });
  const raise = async (key: string) => {
    const [row] = await data.sql<{ alert: { alertId: string } }>(
      `select raise_alert('operations', $1, 'high', '{"title": "t"}', '[{"channel": "email", "target": "x"}]') as alert`,
      [key],
    );
    return row!.alert.alertId;
  };

  test("are listed page by page, acknowledged, and sent again where they did not surely arrive", async () => {
    await data.sql("truncate alerts cascade");
    const [older, newer] = [await raise("older"), await raise("newer")];
    await data.sql(
      "update alert_deliveries set status = 'unknown', problem = 'died', settled_at = now() where alert_id = $1",
      [older],
    );
    const first = (await admin("GET", "?limit=1")).json<{ alerts: { id: string }[]; nextCursor: string }>();
    expect(first.alerts.map(({ id }) => id)).toEqual([newer]);
    const rest = (await admin("GET", `?limit=1&cursor=${first.nextCursor}`)).json<{ alerts: unknown[] }>();
    expect(rest.alerts).toMatchObject([
      { id: older, kind: "operations", deliveries: [{ status: "unknown", problem: "died" }] },
    ]);

    expect((await admin("POST", `/${newer}/acknowledge`)).json()).toMatchObject({ status: "acknowledged" });
    expect((await admin("GET", "?status=acknowledged")).json()).toMatchObject({ alerts: [{ id: newer }] });
    const before = (await producer.depths(5_000))!.alerts;
    const resent = await admin("POST", `/${older}/resend`);
    expect(resent.statusCode).toBe(202);
    expect(resent.json()).toMatchObject({ status: "pending", deliveries: [{ status: "pending", attempts: 0 }] });
    expect((await producer.depths(5_000))!.alerts).toBe(before + 1);
    for (const verb of ["acknowledge", "resend"])
      expect((await admin("POST", `/${crypto.randomUUID()}/${verb}`)).statusCode).toBe(404);
    expect((await admin("GET", "", {})).statusCode).toBe(401);
  });
});

describe("what people say of a finding", () => {
  test("comes by a signed link, becomes its status and an example, and counts for its detector", async () => {
    await data.sql("truncate investigations, investigation_feedback, ml_training_datasets, detector_precision cascade");
    const running = await openRunning(data.store);
    const found = finding("subject");
    await completeInvestigation(data.store, running, resultOf([found]), new AbortController().signal);
    const [{ id }] = (await data.sql<{ id: string }>("select id from anomalies")) as [{ id: string }];
    const link = new URL(feedbackUrl({ publicUrl: "https://api.example", secret: FEEDBACK_SECRET, anomalyId: id }));
    const page = await app.inject(link.pathname + link.search);
    expect([page.statusCode, page.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
    expect(await data.sql("select status from anomalies"), "looking changes nothing").toEqual([{ status: "detected" }]);
    const say = (verdict: string, search = link.search) =>
      app.inject({
        method: "POST",
        url: `${link.pathname}${search}&verdict=${verdict}`,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        payload: "",
      });
    for (const verdict of ["confirmed", "false_positive"]) expect((await say(verdict)).statusCode).toBe(200);
    expect((await say("confirmed", "?signature=wrong")).statusCode).toBe(403);
    expect((await say("maybe")).statusCode).toBe(400);
    const other = link.pathname.replace(id, crypto.randomUUID());
    expect((await app.inject(other + link.search)).statusCode).toBe(403);

    expect(await data.sql("select status from anomalies")).toEqual([{ status: "false_positive" }]);
    expect(await data.sql("select verdict from investigation_feedback order by created_at")).toEqual([
      { verdict: "confirmed" },
      { verdict: "false_positive" },
    ]);
    expect(await data.sql("select label, detector from ml_training_datasets")).toEqual([
      { label: "false_positive", detector: "price-outlier" },
    ]);
    await computeDetectorPrecision(data.store, new AbortController().signal);
    const { detectors } = (await app.inject("/api/v1/detectors")).json<{
      detectors: { id: string; version: number; precision: unknown }[];
    }>();
    const judged = detectors.filter(({ precision }) => precision !== null);
    expect(judged.map(({ precision }) => precision)).toEqual(
      detectors.some(({ id: one, version }) => one === "price-outlier" && version === 1)
        ? [{ confirmed: 0, falsePositive: 1, share: 0 }]
        : [],
    );
  });
});
