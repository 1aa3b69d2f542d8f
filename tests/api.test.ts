import { randomUUID } from "node:crypto";
import { detectors as registry } from "@cidadao/detectors/registry";
import { buildApp } from "@cidadao/api/app";
import { createAdmission } from "@cidadao/operations/admit";
import { openStore } from "@cidadao/database/store";
import { openProducer, type Producer } from "@cidadao/queue/produce";
import { createLogger } from "@cidadao/runtime/logger";
import { createTelemetry } from "@cidadao/runtime/telemetry";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestStore, queueBackends, type TestStore } from "./support/stack.ts";
import { until } from "./support/until.ts";

const scope = { agencyCodes: ["26435"], from: "2024-01-01", to: "2024-01-31" };
const logged: string[] = [];
const logger = createLogger({ process: "api", level: "info", write: (line) => void logged.push(line) });

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
): Promise<FastifyInstance> {
  return buildApp({
    store,
    enqueue: queue.enqueue,
    admit: createAdmission({ store, limits: { waitingMax: 100_000, waitSecondsMax: 100_000 } }),
    queueIsReady: queue.isReady,
    queueDepths: queue.depths,
    queues: queue.queues,
    stopping: new AbortController().signal,
    corsOrigins: ["https://cidadao.example"],
    secretKey: null,
    feedbackSecret: null,
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

describe("opening an investigation", () => {
  test("is accepted with a Location once the row is stored", async () => {
    const answer = await post({ scope, query: "O que há no IFRN?" });
    expect(answer.statusCode).toBe(202);
    const { id, status, links } = answer.json<{ id: string; status: string; links: { self: string } }>();
    expect(answer.headers["location"]).toBe(links.self);
    expect(status).toBe("pending");
    expect(await data.sql("select query, origin, scope from investigations where id = $1", [id])).toEqual([
      { query: "O que há no IFRN?", origin: "api", scope },
    ]);
  });

  test("answers what the database holds, to the last field, with a key and without", async () => {
    for (const headers of [{}, { "idempotency-key": randomUUID() }] as Record<string, string>[]) {
      const opened = (await post({ scope, detectors: ["price-outlier"], priority: "low" }, headers)).json<{
        id: string;
      }>();
      expect((await app.inject(`/api/v1/investigations/${opened.id}`)).json()).toEqual(opened);
    }
  });

  test("with the same Idempotency-Key gives the same investigation, twenty times at once too", async () => {
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => post({ scope }, { "idempotency-key": key })));
    expect(answers.map((answer) => answer.statusCode)).toEqual(Array(20).fill(202));
    expect(new Set(answers.map((answer) => answer.json<{ id: string }>().id)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers["idempotent-replayed"] === "false")).toHaveLength(1);
  });

  test("with a used Idempotency-Key and another body is refused, and the first one stays", async () => {
    const key = randomUUID();
    const first = await post({ scope }, { "idempotency-key": key });
    const second = await post({ scope: { ...scope, to: "2024-02-01" } }, { "idempotency-key": key });
    expect(second.statusCode).toBe(422);
    expect(second.json()).toMatchObject({ code: "idempotency_key_reused", status: 422 });
    const again = await post({ scope }, { "idempotency-key": key });
    expect(again.json<{ id: string }>().id).toBe(first.json<{ id: string }>().id);
  });

  test.each([
    ["no body", undefined],
    ["an empty object", {}],
    ["an unknown field", { scope, colour: "red" }],
    ["an unknown field in the scope", { scope: { ...scope, agency: "26435" } }],
    ["an agency code that is none", { scope: { ...scope, agencyCodes: ["Ministério"] } }],
    ["no agency at all", { scope: { ...scope, agencyCodes: [] } }],
    ["a CNPJ with wrong check digits", { scope: { ...scope, supplierCnpj: "11.111.111/1111-11" } }],
    ["the year 22", { scope: { ...scope, from: "0022-01-01" } }],
    ["a day that does not exist", { scope: { ...scope, to: "2024-02-30" } }],
    ["an end before the start", { scope: { ...scope, from: "2024-02-01" } }],
    ["more than a year", { scope: { ...scope, from: "2022-01-01" } }],
    ["a detector that does not exist", { scope, detectors: ["crystal-ball"] }],
    ["an unknown priority", { scope, priority: "now" }],
    ["a question of 3,000 characters", { scope, query: "a".repeat(3_000) }],
  ])("is refused with a problem that says what to do: %s", async (_, payload) => {
    const answer = await post(payload);
    expect(answer.statusCode).toBe(400);
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    const problem = answer.json<{ code: string; detail: string; type: string }>();
    expect(problem.code).toBe("invalid_request");
    expect(problem.detail.length).toBeGreaterThan(10);
  });

  test("is refused when the body is broken JSON, no JSON, or two megabytes", async () => {
    const headers = { "content-type": "application/json" };
    const send = (payload: string, type = headers) =>
      app.inject({ method: "POST", url: "/api/v1/investigations", headers: type, payload });
    expect((await send("{")).json()).toMatchObject({ status: 400, code: "invalid_request" });
    expect((await send("scope=1", { "content-type": "text/plain" })).json()).toMatchObject({ status: 415 });
    const large = await send(JSON.stringify({ scope, query: "a".repeat(2_000_000) }));
    expect(large.json()).toMatchObject({ status: 413, code: "body_too_large" });
  });

  test("is accepted although the queue is away, and waits for the sweep", async () => {
    const away = await appOn(data.store, {
      enqueue: () => Promise.reject(new Error("connection refused")),
      isReady: () => false,
      depths: () => Promise.resolve(null),
      queues: () => null,
    });
    const answer = await away.inject({ method: "POST", url: "/api/v1/investigations", payload: { scope } });
    expect(answer.statusCode).toBe(202);
    const { id } = answer.json<{ id: string }>();
    await until("the row is marked as not enqueued", async () => {
      const [row] = await data.sql<{ unqueued: boolean }>(
        "select enqueued_at is null as unqueued from investigations where id = $1",
        [id],
      );
      return row!.unqueued;
    });
    expect((await away.inject("/health/ready")).json()).toMatchObject({ status: "degraded", queue: "down" });
    await away.close();
  });

  test("is refused with Retry-After when the database is away, and nothing is enqueued", async () => {
    const enqueued: unknown[] = [];
    const nowhere = openStore({ SUPABASE_URL: "http://127.0.0.1:9", SUPABASE_SERVICE_ROLE_KEY: data.serviceRoleKey });
    const away = await appOn(nowhere, {
      enqueue: async (...job) => void enqueued.push(job),
      isReady: () => true,
      depths: () => Promise.resolve(null),
      queues: () => null,
    });
    const answer = await away.inject({ method: "POST", url: "/api/v1/investigations", payload: { scope } });
    expect(answer.statusCode).toBe(503);
    expect(answer.headers["retry-after"]).toBe("5");
    expect(answer.json()).toMatchObject({ code: "store_unavailable" });
    expect(enqueued).toEqual([]);
    expect((await away.inject("/health/ready")).statusCode).toBe(503);
    expect((await away.inject("/health/live")).statusCode).toBe(200);
    await away.close();
  });
});

describe("reading", () => {
  test("an unknown id is 404 and an id that is no UUID is 400, on every route that takes one", async () => {
    for (const tail of ["", "/anomalies", "/report", "/events"]) {
      const unknown = await app.inject(`/api/v1/investigations/${randomUUID()}${tail}`);
      expect(unknown.json(), tail).toMatchObject({ status: 404, code: "not_found" });
      expect((await app.inject(`/api/v1/investigations/12${tail}`)).json(), tail).toMatchObject({ status: 400 });
    }
    const cancelled = await app.inject({ method: "DELETE", url: `/api/v1/investigations/${randomUUID()}` });
    expect(cancelled.statusCode).toBe(404);
  });

  test("anomalies and report of one that runs are not ready yet", async () => {
    const id = await open();
    for (const tail of ["anomalies", "report"]) {
      expect((await app.inject(`/api/v1/investigations/${id}/${tail}`)).json()).toMatchObject({
        status: 409,
        code: "not_ready",
      });
    }
  });

  test("somebody's private investigation looks like one that does not exist, and is in no list", async () => {
    const id = await open();
    await data.sql("update investigations set visibility = 'private', owner_id = gen_random_uuid() where id = $1", [
      id,
    ]);
    expect((await app.inject(`/api/v1/investigations/${id}`)).statusCode).toBe(404);
    expect((await app.inject({ method: "DELETE", url: `/api/v1/investigations/${id}` })).statusCode).toBe(404);
    const { investigations } = (await app.inject("/api/v1/investigations?limit=100")).json<{
      investigations: { id: string }[];
    }>();
    expect(investigations.map((one) => one.id)).not.toContain(id);
  });

  test("pages of a list follow each other without gap or repetition", async () => {
    for (let index = 0; index < 7; index++) await open();
    const all = (await app.inject("/api/v1/investigations?limit=100")).json<{ investigations: { id: string }[] }>();
    const paged: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const url: string = `/api/v1/investigations?limit=3${cursor ? `&cursor=${cursor}` : ""}`;
      type Page = { investigations: { id: string }[]; nextCursor: string | null };
      const page: Page = (await app.inject(url)).json<Page>();
      paged.push(...page.investigations.map((one) => one.id));
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(all.investigations.map((one) => one.id));
  });

  test("a cursor that was made up, and an unknown parameter, are refused", async () => {
    expect((await app.inject("/api/v1/investigations?cursor=xyz")).json()).toMatchObject({ status: 400 });
    expect((await app.inject("/api/v1/anomalies?colour=red")).json()).toMatchObject({ status: 400 });
    expect((await app.inject("/api/v1/anomalies?limit=1000")).json()).toMatchObject({ status: 400 });
  });

  test("cancelling a waiting one ends it, twice is no error, and its stream ends", async () => {
    const id = await open();
    const cancel = () => app.inject({ method: "DELETE", url: `/api/v1/investigations/${id}` });
    expect((await cancel()).json()).toMatchObject({ status: "cancelled" });
    expect((await cancel()).statusCode).toBe(200);
    const stream = await app.inject(`/api/v1/investigations/${id}/events`);
    expect(stream.headers["content-type"]).toMatch(/^text\/event-stream/);
    expect(stream.body).toContain('"status":"cancelled"');
  });

  test("one that the schedule opened is not cancelled by a passer-by", async () => {
    const id = await open();
    await data.sql("update investigations set origin = 'schedule' where id = $1", [id]);
    expect((await app.inject({ method: "DELETE", url: `/api/v1/investigations/${id}` })).statusCode).toBe(409);
  });
});

describe("the surface", () => {
  test("answers with and without a trailing slash, never with a redirect", async () => {
    for (const path of ["/api/v1/investigations", "/api/v1/anomalies", "/api/v1/detectors", "/health"]) {
      expect((await app.inject(path)).statusCode, path).toBe(200);
      expect((await app.inject(`${path}/`)).statusCode, `${path}/`).toBe(200);
    }
  });

  test("says what it offers: OpenAPI 3.1 with every route and an example of the body", async () => {
    const document = (await app.inject("/docs/json")).json<{
      openapi: string;
      paths: Record<string, object>;
      components: unknown;
    }>();
    expect(document.openapi).toBe("3.1.0");
    expect(Object.keys(document.paths).toSorted()).toEqual([
      "/api/v1/admin/dead-jobs",
      "/api/v1/admin/dead-jobs/{kind}/{id}/redrive",
      "/api/v1/alerts",
      "/api/v1/alerts/{id}/acknowledge",
      "/api/v1/alerts/{id}/resend",
      "/api/v1/anomalies",
      "/api/v1/anomalies/{id}/feedback",
      "/api/v1/detectors",
      "/api/v1/investigations",
      "/api/v1/investigations/{id}",
      "/api/v1/investigations/{id}/anomalies",
      "/api/v1/investigations/{id}/events",
      "/api/v1/investigations/{id}/report",
      "/api/v1/schedules",
      "/api/v1/schedules/{id}/run",
      "/api/v1/transparency/coverage/map",
      "/api/v1/watches",
      "/api/v1/watches/{id}",
      "/health",
      "/health/live",
      "/health/ready",
      "/metrics",
    ]);
    expect(JSON.stringify(document)).toContain("Contratos do IFRN");
    expect((await app.inject("/docs")).statusCode).toBe(200);
  });

  test("lists every detector with its law and its parameters", async () => {
    const { detectors } = (await app.inject("/api/v1/detectors")).json<{
      detectors: { id: string; params: object }[];
    }>();
    expect(detectors.map(({ id }) => id)).toEqual(registry.map(({ id }) => id));
    expect(detectors.length).toBeGreaterThanOrEqual(20);
    expect(detectors.every(({ params }) => "properties" in params)).toBe(true);
  });

  test("an unknown path is a problem, and so is everything else that fails", async () => {
    expect((await app.inject("/nothing/here")).json()).toMatchObject({
      status: 404,
      code: "not_found",
      instance: "/nothing/here",
    });
  });

  test("only listed origins may call it from a page, DELETE included", async () => {
    const preflight = (origin: string) =>
      app.inject({
        method: "OPTIONS",
        url: "/api/v1/investigations/x",
        headers: { origin, "access-control-request-method": "DELETE" },
      });
    const allowed = await preflight("https://cidadao.example");
    expect(allowed.headers["access-control-allow-origin"]).toBe("https://cidadao.example");
    expect(allowed.headers["access-control-allow-methods"]).toContain("DELETE");
    expect((await preflight("https://evilcidadao.example")).headers["access-control-allow-origin"]).toBeUndefined();
  });

  test("metrics count requests by route pattern, never by address", async () => {
    const id = await open();
    await app.inject(`/api/v1/investigations/${id}`);
    const metrics = await app.inject("/metrics");
    expect(metrics.body).toContain('endpoint="/api/v1/investigations/:id"');
    expect(metrics.body).not.toContain(id);
    expect(metrics.body).toContain("cidadao_ai_queue_depth");
  });
});
