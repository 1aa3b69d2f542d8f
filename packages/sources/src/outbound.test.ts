import { AppError } from "@cidadao/runtime/errors";
import { HttpError, type HttpRequest, type HttpResponse } from "@cidadao/runtime/http-client";
import { createMemoryPauses } from "@cidadao/runtime/pauses";
import { createMemoryRateLimiter } from "@cidadao/runtime/rate-limit";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { expect, test } from "vitest";
import { ask, type DoorOptions, openDoor, type Outbound, type OutboundEvent } from "./outbound.ts";

const never = new AbortController().signal;
const question = { path: "/lista", params: { pagina: 1 } };
const answer = (status: number, text = "[]", headers: Record<string, string> = {}): HttpResponse => ({
  status,
  headers,
  text,
  url: "",
});

/** A source that answers what `respond` says, and what was asked of it. */
function doorTo(
  respond: (call: number, request: HttpRequest) => HttpResponse | Promise<HttpResponse>,
  options: Partial<DoorOptions> & Partial<Outbound> = {},
) {
  const calls: string[] = [];
  const events: OutboundEvent["kind"][] = [];
  const outbound: Outbound = {
    http: {
      request: async (request) => {
        calls.push(request.url);
        return respond(calls.length, request);
      },
    },
    limiter: () => createMemoryRateLimiter({ perMinute: 1_000_000 }),
    cache: createMemoryCache(),
    pauses: createMemoryPauses(),
    cacheTtlSeconds: 60,
    observe: ({ kind }) => events.push(kind),
    ...options,
  };
  const door = openDoor(outbound, {
    source: "fonte",
    name: "Fonte",
    baseUrl: "https://fonte.example/api/",
    rate: { perMinute: 1_000 },
    callsAtOnce: 4,
    backoff: { baseMs: 1, maxMs: 2 },
    ...options,
  });
  return { door, outbound, calls, events };
}

const failureOf = async (work: Promise<unknown>): Promise<AppError> => {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
};

test("asks once what many ask at the same time, and one who gives up takes the answer from nobody", async () => {
  const arrived = Promise.withResolvers<HttpResponse>();
  const { door, calls, events } = doorTo(() => arrived.promise);
  const impatient = new AbortController();
  const givenUp = failureOf(ask(door, question, impatient.signal));
  const others = [1, 2, 3].map(() => ask(door, question, never));
  await expect.poll(() => events.filter((kind) => kind === "joined").length).toBe(3);
  impatient.abort(new AppError("shutting_down", "stopping"));
  expect((await givenUp).code).toBe("shutting_down");
  arrived.resolve(answer(200, "[1]"));
  expect((await Promise.all(others)).map(({ body }) => body)).toEqual([[1], [1], [1]]);
  expect(calls).toHaveLength(1);
});

test("stops a call that nobody waits for any more", async () => {
  const stopped = Promise.withResolvers<unknown>();
  const { door } = doorTo(() => new Promise(() => {}), {
    http: {
      request: (_request, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => {
            stopped.resolve(signal.reason);
            reject(new HttpError("deadline_exceeded", "stopped", { phase: "sent" }));
          });
        }),
    },
  });
  const stop = new AbortController();
  const asking = failureOf(ask(door, question, stop.signal));
  const reason = new AppError("shutting_down", "stopping");
  await Promise.resolve();
  setImmediate(() => stop.abort(reason));
  expect(await asking).toBe(reason);
  expect(await stopped.promise).toBe(reason);
});

test("calls a source that is down no more than a few times, and looks again later", async () => {
  const { door, calls, events } = doorTo(() => answer(503, "down"));
  for (let page = 1; page <= 40; page++) {
    const failure = await failureOf(ask(door, { ...question, params: { pagina: page } }, never));
    expect(failure).toMatchObject({ code: "source_unavailable", retry: true });
  }
  expect(calls.length).toBeLessThanOrEqual(16);
  expect(events).toContain("circuit_opened");
});

test("does not hold refusals and wrong questions against the source", async () => {
  const { door, calls, events } = doorTo((call) => answer(call % 2 ? 400 : 404, '{"message":"não"}'));
  for (let page = 1; page <= 40; page++) {
    expect((await failureOf(ask(door, { ...question, params: { pagina: page } }, never))).code).toBe("source_refused");
  }
  expect(calls).toHaveLength(40);
  expect(events).not.toContain("circuit_opened");
});

test("holds a pause that one caller was told against every other, until it is over", async () => {
  const clock = { ms: 1_000_000, now: () => clock.ms };
  const pauses = createMemoryPauses();
  const first = doorTo(() => answer(429, "<h1>Limite</h1>", { "retry-after": "120" }), { clock, pauses });
  const second = doorTo(() => answer(200), { clock, pauses });
  expect(await failureOf(ask(first.door, question, never))).toMatchObject({
    code: "rate_limited",
    retryAfterSeconds: 120,
  });
  clock.ms += 100_000;
  const held = await failureOf(ask(second.door, question, never));
  expect(held).toMatchObject({ code: "rate_limited", retryAfterSeconds: 20 });
  expect(held.message).not.toContain("<");
  expect([first.calls.length, second.calls.length]).toEqual([1, 0]);
  clock.ms += 20_000;
  expect((await ask(second.door, question, never)).body).toEqual([]);
});

test("asks callers to come back later when a source that names no time goes on refusing", async () => {
  const { door, calls } = doorTo(() => answer(429, "<title>Limite</title>"), { pauseSeconds: 60 });
  expect(await failureOf(ask(door, question, never))).toMatchObject({ code: "rate_limited", retryAfterSeconds: 60 });
  expect(await failureOf(ask(door, question, never))).toMatchObject({ code: "rate_limited" });
  expect(calls).toHaveLength(3);
});

test("never has more calls under way than the source may be asked at once", async () => {
  let underWay = 0;
  let most = 0;
  const { door } = doorTo(
    async () => {
      most = Math.max(most, ++underWay);
      await new Promise(setImmediate);
      underWay--;
      return answer(200);
    },
    { callsAtOnce: 2 },
  );
  const pages = Array.from({ length: 20 }, (_, index) => ({ ...question, params: { pagina: index } }));
  await Promise.all(pages.map((page) => ask(door, page, never)));
  expect(most).toBe(2);
});

test("takes a turn of the night by night, of the day by day, and one more for a restricted path", async () => {
  const turns: string[] = [];
  const limiter = (perMinute: number) => ({
    take: (key: string) => Promise.resolve(void turns.push(`${key} ${perMinute}`)),
  });
  const clock = { ms: 0, now: () => clock.ms };
  const rate = { perMinute: 90, perMinuteAtNight: 300, restricted: { perMinute: 10, paths: ["/pessoas"] } };
  const { door } = doorTo(() => answer(200), { limiter, clock, rate, cacheTtlSeconds: 0 });
  for (const time of ["2024-03-01T02:59:00Z", "2024-03-01T03:00:00Z", "2024-03-01T08:57:00Z", "2024-03-01T08:58:00Z"]) {
    clock.ms = Date.parse(time);
    await ask(door, question, never);
  }
  await ask(door, { path: "/pessoas/1", params: {} }, never);
  expect(turns).toEqual(["fonte 90", "fonte 300", "fonte 300", "fonte 90", "fonte:restricted 10", "fonte 90"]);
});

test("reads nothing from a 204, keeps that too, and tells the hits of its cache", async () => {
  const { door, calls, events } = doorTo(() => answer(204, ""));
  expect(await ask(door, question, never)).toMatchObject({ body: null, fromCache: false });
  expect(await ask(door, question, never)).toMatchObject({ body: null, fromCache: true });
  expect(calls).toHaveLength(1);
  expect(events).toEqual(["cache_miss", "cache_hit"]);
});

test("stores no answer that its reader refuses, and no CPF", async () => {
  const cache = createMemoryCache();
  const stored: string[] = [];
  const { door } = doorTo(() => answer(200, '[{"cpf":"529.982.247-25"}]'), {
    cache: { get: (key) => cache.get(key), set: async (_key, response) => void stored.push(response.text) },
  });
  const refuse = () => {
    throw new AppError("source_invalid", "no");
  };
  await failureOf(ask(door, question, never, refuse));
  expect(stored).toEqual([]);
  await ask(door, question, never);
  expect(stored).toHaveLength(1);
  expect(stored[0]).not.toContain("529.982.247-25");
});
