import { createPostgresBackend, Queue, runMigrations, withBackend, Worker } from "bullmq";
import { Redis, type RedisOptions } from "ioredis";
import pg from "pg";
import { z } from "zod";

/** Arbitrary constant: processes that prepare the queue's tables at once wait for each other on it. */
const QUEUE_MIGRATION_LOCK = 20_240_132;
const CONNECTIONS_MAX = 4;

export const queueConfig = z.object({
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, "use redis://… or rediss://…")
    .optional()
    .describe("Redis of the queue, with AOF and noeviction"),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "use postgres://…")
    .optional()
    .describe("PostgreSQL of the queue where there is no Redis"),
});
export type QueueConfig = z.infer<typeof queueConfig>;

/** For `check` on the schema of a whole process: without a queue nothing may start. Told with its other problems. */
export const queueIsNamed = z.refine<QueueConfig>((config) => Boolean(config.REDIS_URL ?? config.DATABASE_URL), {
  path: ["REDIS_URL"],
  error: "name the Redis of the queue, or with DATABASE_URL a PostgreSQL for it",
  when: ({ issues }) => !issues.some(({ path }) => path?.[0] === "REDIS_URL" || path?.[0] === "DATABASE_URL"),
});

/** Where the queue lives: Redis, or PostgreSQL where there is none. */
export type QueueBackend =
  | { kind: "redis"; url: string; prefix: string }
  | { kind: "postgres"; databaseUrl: string; prefix: string };

/** Redis when it is named, else PostgreSQL; with neither there is no queue and nothing may start. */
export function chooseBackend(config: QueueConfig, prefix = "cidadao"): QueueBackend {
  if (config.REDIS_URL) return { kind: "redis", url: config.REDIS_URL, prefix };
  if (config.DATABASE_URL) return { kind: "postgres", databaseUrl: config.DATABASE_URL, prefix };
  throw new Error("No queue: set REDIS_URL, or DATABASE_URL for a queue in PostgreSQL.");
}

const postgresClasses = withBackend(createPostgresBackend);
export const postgresQueue = postgresClasses.Queue;
export const postgresWorker = postgresClasses.Worker;
export { Queue as RedisQueue, Worker as RedisWorker };

/** Makes the queue's own tables. Idempotent; a no-op for Redis. */
export async function prepareBackend(backend: QueueBackend): Promise<void> {
  if (backend.kind === "redis") return;
  const client = new pg.Client({ connectionString: backend.databaseUrl });
  client.on("error", () => {}); // a lost connection surfaces in the query that needed it
  await client.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [QUEUE_MIGRATION_LOCK]);
    await runMigrations(client);
  } finally {
    await client.end();
  }
}

export function postgresConnection(backend: Extract<QueueBackend, { kind: "postgres" }>) {
  return { connectionString: backend.databaseUrl, max: CONNECTIONS_MAX };
}

const RECONNECT_MS_MAX = 2_000;

const base = {
  family: 0,
  keepAlive: 5_000,
  connectTimeout: 5_000,
  enableReadyCheck: true,
  retryStrategy: (tries: number) =>
    Math.min(50 * 2 ** Math.min(tries, 10), RECONNECT_MS_MAX) + Math.floor(Math.random() * 100),
} satisfies RedisOptions;

/** A producer must answer at once or refuse: nothing is kept for later, nothing is sent again after a reconnect. */
export function producerConnection(url: string): Redis {
  return new Redis(url, {
    ...base,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: 2_000,
    autoResendUnfulfilledCommands: false,
  });
}

/**
 * A consumer waits for as long as it takes; a dead connection is noticed after the socket timeout. `disconnect` also
 * reaches the duplicates that BullMQ makes and cannot close while Redis is away: they would keep the process alive.
 */
export function consumerConnection(url: string): { redis: Redis; disconnect(): void } {
  const redis = new Redis(url, { ...base, maxRetriesPerRequest: null, socketTimeout: 20_000 });
  const all = [redis];
  redis.duplicate = (changed) => {
    const made = Redis.prototype.duplicate.call(redis, changed);
    all.push(made);
    return made;
  };
  return { redis, disconnect: () => all.forEach((one) => one.disconnect()) };
}
