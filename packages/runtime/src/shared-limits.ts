import type { Redis } from "ioredis";
import { createMemoryPauses, createRedisPauses, type Pauses } from "./pauses.ts";
import { createMemoryRateLimiter, createRedisRateLimiter, type RateLimiter } from "./rate-limit.ts";

/** Rate limits and pauses of everything this process calls; with a Redis, of all processes that share it. */
export function openSharedLimits(shared: { redis: Redis; keyPrefix: string } | null): {
  limiter: (perMinute: number) => RateLimiter;
  pauses: Pauses;
} {
  const limiters = new Map<number, RateLimiter>();
  const create = (perMinute: number) =>
    shared
      ? createRedisRateLimiter({ redis: shared.redis, perMinute, keyPrefix: `${shared.keyPrefix}:rate` })
      : createMemoryRateLimiter({ perMinute });
  return {
    limiter(perMinute) {
      const known = limiters.get(perMinute) ?? create(perMinute);
      limiters.set(perMinute, known);
      return known;
    },
    pauses: shared
      ? createRedisPauses({ redis: shared.redis, keyPrefix: `${shared.keyPrefix}:pause` })
      : createMemoryPauses(),
  };
}
