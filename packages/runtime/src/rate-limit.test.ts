import { Redis } from "ioredis";
import { afterEach, expect, test, vi } from "vitest";
import { createMemoryRateLimiter, createRedisRateLimiter, windowFor } from "./rate-limit.ts";

const never = new AbortController().signal;

afterEach(() => vi.useRealTimers());

test("chooses windows that no rolling minute can overfill", () => {
  for (let perMinute = 1; perMinute <= 2_000; perMinute++) {
    const { points, seconds } = windowFor(perMinute);
    const windows = 60 / seconds;
    expect(points).toBeGreaterThanOrEqual(1);
    expect(Number.isInteger(windows)).toBe(true);
    expect(points === 1 ? windows : points * (windows + 1)).toBeLessThanOrEqual(perMinute);
  }
  expect(windowFor(90)).toEqual({ points: 4, seconds: 3 });
  expect(windowFor(1)).toEqual({ points: 1, seconds: 60 });
  expect(() => windowFor(0)).toThrow(RangeError);
});

test("keeps every rolling minute within the limit, whenever the callers come", async () => {
  vi.useFakeTimers();
  const limiter = createMemoryRateLimiter({ perMinute: 90 });
  const turns: number[] = [];
  const caller = async (pauseMs: number) => {
    for (let call = 0; call < 60; call++) {
      await limiter.take("portal", never);
      turns.push(Date.now());
      if (call % 7 === 0) await vi.advanceTimersByTimeAsync(0);
      if (pauseMs > 0 && call % 10 === 9) await new Promise((resolve) => void setTimeout(resolve, pauseMs));
    }
  };
  const all = Promise.all([caller(0), caller(700), caller(61_000), caller(9_999)]);
  await vi.advanceTimersByTimeAsync(15 * 60_000);
  await all;
  expect(turns).toHaveLength(240);
  const busiest = Math.max(...turns.map((from) => turns.filter((at) => at >= from && at < from + 60_000).length));
  expect(busiest).toBeLessThanOrEqual(90);
  expect(busiest).toBeGreaterThan(60);
});

test("lets callers through in the order they came", async () => {
  vi.useFakeTimers();
  const limiter = createMemoryRateLimiter({ perMinute: 60 });
  const order: number[] = [];
  const all = Promise.all([0, 1, 2, 3, 4].map((n) => limiter.take("portal", never).then(() => order.push(n))));
  await vi.advanceTimersByTimeAsync(10_000);
  await all;
  expect(order).toEqual([0, 1, 2, 3, 4]);
});

test("gives each key its own budget", async () => {
  const limiter = createMemoryRateLimiter({ perMinute: 1 });
  await limiter.take("a", never);
  await expect(limiter.take("b", never)).resolves.toBeUndefined();
});

test("stops waiting when the signal aborts, and lets the next in line go on", async () => {
  vi.useFakeTimers();
  const limiter = createMemoryRateLimiter({ perMinute: 60 });
  await limiter.take("portal", never);
  const impatient = new AbortController();
  const first = limiter.take("portal", impatient.signal);
  const second = limiter.take("portal", never);
  const reason = new Error("stopping");
  impatient.abort(reason);
  await expect(first).rejects.toBe(reason);
  await vi.advanceTimersByTimeAsync(3_000);
  await second;
  await expect(limiter.take("portal", AbortSignal.abort(reason))).rejects.toBe(reason);
});

test("refuses a line without end", async () => {
  const stop = new AbortController();
  const limiter = createMemoryRateLimiter({ perMinute: 1, waitersMax: 2 });
  await limiter.take("portal", never);
  const waiting = [limiter.take("portal", stop.signal), limiter.take("portal", stop.signal)];
  const settled = Promise.allSettled(waiting);
  await expect(limiter.take("portal", never)).rejects.toMatchObject({ code: "rate_limited" });
  stop.abort(new Error("done"));
  await settled;
});

test("goes on with half the budget when Redis is away", async () => {
  const redis = new Redis({
    host: "127.0.0.1",
    port: 1,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: null,
  });
  const stop = new AbortController();
  try {
    const limiter = createRedisRateLimiter({ redis, perMinute: 2 });
    await limiter.take("portal", never);
    const second = limiter.take("portal", stop.signal);
    stop.abort(new Error("had to wait"));
    await expect(second).rejects.toThrow("had to wait");
  } finally {
    redis.disconnect();
  }
});
