import { buildApp } from "@cidadao/api/app";
import { createAdmission } from "@cidadao/operations/admit";
import { queueNames } from "@cidadao/queue/jobs";
import { openProducer, type Producer } from "@cidadao/queue/produce";
import { createLogger } from "@cidadao/runtime/logger";
import { createTelemetry } from "@cidadao/runtime/telemetry";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { noLimit } from "./support/records.ts";
import { openTestStore, queueBackends } from "./support/stack.ts";
import { until } from "./support/until.ts";

const SECRET_KEY = "a key of at least thirty-two characters";
const BOARD = "/api/v1/admin/queues";
const withKey = { "x-api-key": SECRET_KEY };
const logger = createLogger({ process: "api", level: "silent" });
const data = await openTestStore();
afterAll(() => data[Symbol.asyncDispose]());

function appOn(producer: Pick<Producer, "queues">, secretKey: string | null): Promise<FastifyInstance> {
  return buildApp({
    store: data.store,
    enqueue: async () => {},
    admit: createAdmission({ store: data.store, limits: { waitingMax: 10, waitSecondsMax: 10 } }),
    queueIsReady: () => true,
    queueDepths: async () => null,
    queues: producer.queues,
    stopping: noLimit,
    corsOrigins: [],
    secretKey,
    feedbackSecret: null,
    targetRules: { ALERT_SIGNED_WEBHOOK_HOSTS: [], ALERT_WEBHOOKS_LOOPBACK: "false" },
    logger,
    telemetry: createTelemetry({ process: "api" }),
  });
}

describe.each(queueBackends(data).map((backend) => [backend.kind, backend] as const))(
  "the board of the queues in %s",
  (_, backend) => {
    let producer: Producer;
    let app: FastifyInstance;
    beforeAll(async () => {
      producer = openProducer(backend, logger);
      await until("the queue is ready", () => producer.isReady());
      const investigationId = crypto.randomUUID();
      await producer.enqueue("run-investigation", { investigationId, fence: 0 }, { timeoutMs: 5_000, priority: 3 });
      app = await appOn(producer, SECRET_KEY);
    });
    afterAll(async () => {
      await app.close();
      await producer[Symbol.asyncDispose]();
    });
    const depth = async () => (await producer.depths(5_000))!.investigations;

    test("lists our queues and what waits in them, for whoever has the key", async () => {
      const answer = await app.inject({
        url: `${BOARD}/api/queues?activeQueue=investigations&status=prioritized`,
        headers: withKey,
      });
      expect(answer.statusCode).toBe(200);
      const { queues } = answer.json<{
        queues: { name: string; readOnlyMode: boolean; counts: Record<string, number>; jobs: { name: string }[] }[];
      }>();
      expect(queues.map(({ name }) => name).toSorted()).toEqual(queueNames.toSorted());
      expect(queues.every(({ readOnlyMode }) => readOnlyMode)).toBe(true);
      const investigations = queues.find(({ name }) => name === "investigations")!;
      expect(investigations.counts["prioritized"]).toBe(1);
      expect(investigations.jobs).toMatchObject([{ name: "run-investigation" }]);
    });

    test("is a page whose parts all come from here, also with the key as a browser's password", async () => {
      const authorization = `Basic ${Buffer.from(`anybody:${SECRET_KEY}`).toString("base64")}`;
      const page = await app.inject({ url: BOARD, headers: { authorization } });
      expect([page.statusCode, page.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
      expect(page.headers["content-security-policy"]).toContain("default-src 'self'");
      const parts = [...page.body.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map(([, part]) => part!);
      expect(parts.length).toBeGreaterThan(2);
      for (const part of parts) {
        expect((await app.inject({ url: `${BOARD}/${part}`, headers: { authorization } })).statusCode, part).toBe(200);
      }
      const scripts = [...page.body.matchAll(/<script(?![^>]*(?:src=|application\/json))/g)];
      expect(scripts, "a script in the page itself is not run").toEqual([]);
    });

    test("is closed without the key, in every part", async () => {
      const wrong = `Basic ${Buffer.from("anybody:guess").toString("base64")}`;
      for (const where of ["", "/", "/api/queues", "/queue/investigations", "/static/images/logo.svg"]) {
        for (const headers of [{}, { "x-api-key": "guess" }, { authorization: wrong }, { authorization: "Basic" }]) {
          const answer = await app.inject({ url: `${BOARD}${where}`, headers });
          expect([where, answer.statusCode, answer.headers["www-authenticate"]]).toEqual([
            where,
            401,
            'Basic realm="cidadao"',
          ]);
          expect(answer.body).not.toContain("investigations");
        }
      }
    });

    test("changes nothing", async () => {
      const actions = ["pause", "empty", "retry/failed", "clean/completed", "promote", "obliterate"];
      for (const action of actions) {
        const url = `${BOARD}/api/queues/investigations/${action}`;
        const answer = await app.inject({ method: "PUT", url, headers: withKey });
        expect([action, [404, 405].includes(answer.statusCode)]).toEqual([action, true]);
      }
      const pausing = await app.inject({ method: "PUT", url: `${BOARD}/api/queues/pause`, headers: withKey });
      expect(pausing.statusCode).toBe(405);
      expect(await depth()).toBe(1);
    });
  },
);

test("the board says so while the queue is away", async () => {
  await using closing = new AsyncDisposableStack();
  const app = await appOn({ queues: () => null }, SECRET_KEY);
  closing.defer(() => app.close());
  const answer = await app.inject({ url: `${BOARD}/api/queues`, headers: withKey });
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toMatchObject({ code: "queue_unavailable" });
});

test("there is no board where no key is set", async () => {
  await using closing = new AsyncDisposableStack();
  const app = await appOn({ queues: () => null }, null);
  closing.defer(() => app.close());
  for (const headers of [{}, withKey]) expect((await app.inject({ url: BOARD, headers })).statusCode).toBe(404);
});
