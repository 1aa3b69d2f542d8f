import type { Redis } from "ioredis";
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from "rate-limiter-flexible";
import { AppError } from "./errors.ts";

/** Waits until the caller may go; rejects with the signal's reason when the signal aborts first. */
export type RateLimiter = {
  take(key: string, signal: AbortSignal): Promise<void>;
};

/** Callers that may wait for one key in one process; more are refused, so that a line cannot grow without end. */
const WAITERS_MAX = 10_000;

/** For one process. No rolling minute holds more than `perMinute` turns. */
export function createMemoryRateLimiter(options: { perMinute: number; waitersMax?: number }): RateLimiter {
  return takeTurns(memoryLimiter(options.perMinute), options.waitersMax ?? WAITERS_MAX);
}

/**
 * One budget for every process that shares the Redis: no rolling minute holds more than `perMinute` turns.
 * While Redis is away each process goes on alone with half the budget. The client has to fail fast
 * (`enableOfflineQueue: false` and a `commandTimeout`), or turns hang while Redis does.
 */
export function createRedisRateLimiter(options: {
  redis: Redis;
  perMinute: number;
  keyPrefix?: string;
  insurancePerMinute?: number;
  waitersMax?: number;
}): RateLimiter {
  const { redis, perMinute, keyPrefix = "rate", waitersMax = WAITERS_MAX } = options;
  const { points, seconds } = windowFor(perMinute);
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix,
    points,
    duration: seconds,
    rejectIfRedisNotReady: true,
    insuranceLimiter: memoryLimiter(options.insurancePerMinute ?? Math.max(1, Math.floor(perMinute / 2))),
  });
  return takeTurns(limiter, waitersMax);
}

/**
 * The short window whose turns never exceed `perMinute` in any rolling minute. Windows open with their first turn, so
 * 60 seconds touch at most 60 / seconds + 1 of them; windows of one turn are `seconds` apart and need no such reserve.
 * One window of a minute would let twice the limit through around its edge. Redis keeps whole seconds only.
 */
export function windowFor(perMinute: number): { points: number; seconds: number } {
  if (!Number.isSafeInteger(perMinute) || perMinute < 1) {
    throw new RangeError(`a limit per minute is a whole number of at least 1, not ${perMinute}`);
  }
  return [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60]
    .map((seconds) => ({ seconds, points: pointsWithin(perMinute, seconds) }))
    .reduce((best, next) => (next.points / next.seconds > best.points / best.seconds ? next : best));
}

function pointsWithin(perMinute: number, seconds: number): number {
  const windows = 60 / seconds;
  return Math.max(Math.floor(perMinute / (windows + 1)), perMinute >= windows ? 1 : 0);
}

function memoryLimiter(perMinute: number): RateLimiterMemory {
  const { points, seconds } = windowFor(perMinute);
  return new RateLimiterMemory({ points, duration: seconds });
}

type Line = { tail: Promise<void>; waiting: number };

/** First come, first served within the process: only the head of the line asks the limiter, and sleeps when told to. */
function takeTurns(limiter: RateLimiterAbstract, waitersMax: number): RateLimiter {
  const lines = new Map<string, Line>();
  return {
    async take(key, signal) {
      signal.throwIfAborted();
      if (!lines.has(key) && (await msUntilTurn(limiter, key)) === 0) return;

      const line = lines.get(key) ?? { tail: Promise.resolve(), waiting: 0 };
      if (line.waiting >= waitersMax)
        throw new AppError("rate_limited", `${line.waiting} calls wait for ${key} already`);
      lines.set(key, line);
      line.waiting++;
      const ahead = line.tail;
      const mine = Promise.withResolvers<void>();
      line.tail = ahead.then(() => mine.promise);
      try {
        await untilAborted(ahead, signal);
        for (let waitMs = await msUntilTurn(limiter, key); waitMs > 0; waitMs = await msUntilTurn(limiter, key)) {
          await sleep(waitMs, signal);
        }
      } finally {
        mine.resolve();
        line.waiting--;
        if (line.waiting === 0) lines.delete(key);
      }
    },
  };
}

async function msUntilTurn(limiter: RateLimiterAbstract, key: string): Promise<number> {
  try {
    await limiter.consume(key);
    return 0;
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext);
    throw refusal;
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, ms);
  try {
    await untilAborted(over.promise, signal);
  } finally {
    clearTimeout(timer);
  }
}

async function untilAborted(wait: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([wait, aborted.promise]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
