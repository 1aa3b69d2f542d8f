import type { Redis } from "ioredis";
import { createMemoryPauses, createRedisPauses, type Pauses } from "./pauses.ts";
import { createMemoryRateLimiter, createRedisRateLimiter, type RateLimiter } from "./rate-limit.ts";

export type SharedLimits = {
  limiter: (perMinute: number) => RateLimiter;
  pauses: Pauses;
  /** Turns taken in this minute of the clock; `null` where no Redis counts them. */
  usedThisMinute: (key: string) => Promise<number | null>;
};

const MINUTE_MS = 60_000;
const COUNT_KEPT_SECONDS = 120;

/** Rate limits and pauses of everything this process calls; with a Redis, of all processes that share it. */
export function openSharedLimits(shared: { redis: Redis; keyPrefix: string } | null): SharedLimits {
  const limiters = new Map<number, RateLimiter>();
  const create = (perMinute: number) =>
    shared
      ? counted(createRedisRateLimiter({ redis: shared.redis, perMinute, keyPrefix: `${shared.keyPrefix}:rate` }))
      : createMemoryRateLimiter({ perMinute });
  const countKey = (key: string) => `${shared?.keyPrefix}:used:${key}:${Math.floor(Date.now() / MINUTE_MS)}`;

  function counted(limiter: RateLimiter): RateLimiter {
    return {
      async take(key, signal) {
        await limiter.take(key, signal);
        // The count is for people; the limit does not hang on it.
        void shared?.redis
          .multi()
          .incr(countKey(key))
          .expire(countKey(key), COUNT_KEPT_SECONDS)
          .exec()
          .catch(() => {});
      },
    };
  }

  return {
    limiter(perMinute) {
      const known = limiters.get(perMinute) ?? create(perMinute);
      limiters.set(perMinute, known);
      return known;
    },
    pauses: shared
      ? createRedisPauses({ redis: shared.redis, keyPrefix: `${shared.keyPrefix}:pause` })
      : createMemoryPauses(),
    usedThisMinute: async (key) => (shared ? Number((await shared.redis.get(countKey(key))) ?? 0) : null),
  };
}
