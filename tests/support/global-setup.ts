import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { applyMigrations } from "@cidadao/embedded/migrate";
import { startPostgres } from "@cidadao/embedded/postgres";
import { findRedis, startRedis } from "@cidadao/embedded/redis";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { migrationsFolder } from "./folders.ts";

declare module "vitest" {
  interface ProvidedContext {
    postgresPort: number;
    /** A migrated database that nobody connects to: each test file works on a clone of it. */
    templateDatabase: string;
    /** `null`: there is no Redis on the PATH and the Redis half of the matrix does not run. */
    redisUrl: string | null;
  }
}

const TEMPLATE = "migrated_template";

/** One PostgreSQL and, where there is one, one Redis for the whole run, in a folder that goes away with it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redisProgram = findRedis(process.env["PATH"] ?? "");
  if (!redisProgram && process.env["REQUIRE_REDIS"] === "1") {
    throw new Error("REQUIRE_REDIS=1, but neither redis-server nor valkey-server is on the PATH.");
  }
  if (!redisProgram) {
    process.stderr.write(
      "!!! NO REDIS: neither redis-server nor valkey-server is on the PATH; only the PostgreSQL queue is tested.\n",
    );
  }
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), "cidadao-tests-"));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const postgres = await startPostgres({ dataFolder: path.join(folder, "postgres"), durability: "disposable" });
  starting.defer(() => postgres.stop());
  const redis = redisProgram
    ? await startRedis({ program: redisProgram, dataFolder: path.join(folder, "redis") })
    : null;
  if (redis) starting.defer(() => redis.stop());

  const administrator = new pg.Client({ connectionString: postgres.url() });
  await administrator.connect();
  await administrator.query(`create database ${TEMPLATE}`);
  await administrator.end();
  await applyMigrations(postgres.url(TEMPLATE), migrationsFolder);

  project.provide("postgresPort", postgres.port);
  project.provide("templateDatabase", TEMPLATE);
  project.provide("redisUrl", redis?.url ?? null);
  const running = starting.move();
  return () => running.disposeAsync();
}
