import type { Redis } from "ioredis";
import type { ErrorCode } from "./errors.ts";

/** Until when a source is left alone, and what it said when it asked for that. */
type Pause = { untilMs: number; code: ErrorCode; reason: string };

/** What one caller learns of a source that wants to be left alone holds for all who share the pauses. */
export type Pauses = {
  get(key: string): Promise<Pause | null>;
  set(key: string, pause: Pause): Promise<void>;
};

/** For one process. */
export function createMemoryPauses(): Pauses {
  const pauses = new Map<string, Pause>();
  return {
    get: (key) => Promise.resolve(pauses.get(key) ?? null),
    set(key, pause) {
      pauses.set(key, pause);
      return Promise.resolve();
    },
  };
}

/** For every process that shares the Redis; while it is away, each goes by what it has learnt itself. */
export function createRedisPauses(options: { redis: Redis; keyPrefix: string }): Pauses {
  const { redis, keyPrefix } = options;
  const own = createMemoryPauses();
  return {
    async get(key) {
      try {
        const text = await redis.get(`${keyPrefix}:${key}`);
        return text === null ? null : (JSON.parse(text) as Pause);
      } catch {
        return own.get(key);
      }
    },
    async set(key, pause) {
      await own.set(key, pause);
      try {
        await redis.set(`${keyPrefix}:${key}`, JSON.stringify(pause), "PXAT", Math.ceil(pause.untilMs));
      } catch {
        // this process still knows
      }
    },
  };
}
