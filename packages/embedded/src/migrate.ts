import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import pg from "pg";
import { supabaseBaseline } from "./supabase-baseline.ts";

const MIGRATION_FILE = /^(\d{14})_(.+)\.sql$/;
/** Arbitrary constant: two processes that migrate at once wait for each other on it. */
const MIGRATION_LOCK = 20_240_131;

/**
 * Brings a plain PostgreSQL to what a hosted Supabase project is after `supabase db push`: its roles and `auth`
 * functions, then every migration of `folder` once, each in a transaction, recorded as the Supabase CLI records it.
 */
export async function applyMigrations(databaseUrl: string, folder: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on("error", () => {}); // a lost connection surfaces in the query that needed it
  await client.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await client.query(supabaseBaseline);
    const recorded = await client.query<{ version: string }>(
      "select version from supabase_migrations.schema_migrations",
    );
    const done = new Set(recorded.rows.map((row) => row.version));
    const applied: string[] = [];
    for (const file of readdirSync(folder).toSorted()) {
      const [, version, name] = MIGRATION_FILE.exec(file) ?? [];
      if (!version || done.has(version)) continue;
      const sql = readFileSync(path.join(folder, file), "utf8");
      await client.query("begin");
      try {
        await client.query(sql);
        await client.query(
          "insert into supabase_migrations.schema_migrations (version, statements, name) values ($1, $2, $3)",
          [version, [sql], name],
        );
        await client.query("commit");
      } catch (error) {
        await client.query("rollback");
        throw new Error(`migration ${file} failed: ${(error as Error).message}`, { cause: error });
      }
      applied.push(file);
    }
    return applied;
  } finally {
    await client.end();
  }
}
