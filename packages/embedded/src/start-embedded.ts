import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { applyMigrations } from "./migrate.ts";
import { startPostgres } from "./postgres.ts";
import { startPostgrest } from "./postgrest.ts";
import { findRedis, startRedis } from "./redis.ts";

export type EmbeddedStack = AsyncDisposable & {
  readonly databaseUrl: string;
  readonly supabaseUrl: string;
  readonly serviceRoleKey: string;
  readonly anonKey: string;
  /** `null`: no Redis was given or found, and the queue lives in the embedded PostgreSQL. */
  readonly redisUrl: string | null;
  readonly redisOrigin: "given" | "started" | "none";
  readonly migrationsApplied: string[];
};

/** Real PostgreSQL, PostgREST and, where there is one, Redis, with their data in `folder`. One stack a folder. */
export async function startEmbedded(options: {
  folder: string;
  migrationsFolder: string;
  redisUrl: string | undefined;
  searchPath: string;
}): Promise<EmbeddedStack> {
  await using starting = new AsyncDisposableStack();
  mkdirSync(options.folder, { recursive: true });
  const postgres = await startPostgres({ dataFolder: path.join(options.folder, "postgres"), durability: "safe" });
  starting.defer(() => postgres.stop());
  const databaseUrl = postgres.url();
  const migrationsApplied = await applyMigrations(databaseUrl, options.migrationsFolder);
  const redisProgram = options.redisUrl ? null : findRedis(options.searchPath);
  const [rest, redis] = await Promise.all([
    startPostgrest({
      host: postgres.host,
      port: postgres.port,
      database: "postgres",
      secret: secretOf(options.folder),
    }),
    redisProgram ? startRedis({ program: redisProgram, dataFolder: path.join(options.folder, "redis") }) : null,
  ]);
  starting.defer(() => rest.stop());
  if (redis) starting.defer(() => redis.stop());
  const running = starting.move();
  return {
    databaseUrl,
    supabaseUrl: rest.url,
    serviceRoleKey: rest.key("service_role"),
    anonKey: rest.key("anon"),
    redisUrl: options.redisUrl ?? redis?.url ?? null,
    redisOrigin: options.redisUrl ? "given" : redis ? "started" : "none",
    migrationsApplied,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The key that signs the stack's own API keys; made once for a data folder, readable by its owner only. */
function secretOf(folder: string): string {
  const file = path.join(folder, "jwt-secret");
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString("hex"), { mode: 0o600 });
  return readFileSync(file, "utf8");
}
