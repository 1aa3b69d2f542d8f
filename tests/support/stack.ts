import { randomBytes } from "node:crypto";
import { openStore, type Store } from "@cidadao/database/store";
import { startPostgrest } from "@cidadao/embedded/postgrest";
import type { QueueBackend } from "@cidadao/queue/backend";
import pg from "pg";
import { inject } from "vitest";

/** A database of the file's own, seen through PostgREST as production sees it, and through pg for assertions. */
export type TestStore = AsyncDisposable & {
  /** The service role: what api, worker and scheduler use. */
  readonly store: Store;
  readonly supabaseUrl: string;
  readonly serviceRoleKey: string;
  readonly anonKey: string;
  readonly anonClient: Store;
  /** What a signed-in user is to the database: `auth.uid()` is `userId`. */
  readonly clientFor: (userId: string) => Store;
  readonly databaseUrl: string;
  /** A superuser's question, on one of `SQL_CONNECTIONS_MAX` connections. int8 comes back as a number, dates as text. */
  readonly sql: <Row extends object = Record<string, unknown>>(query: string, parameters?: unknown[]) => Promise<Row[]>;
  /** A connection of its own, for a transaction that stays open while others act. */
  readonly session: () => Promise<AsyncDisposable & Pick<TestStore, "sql">>;
};

const SQL_CONNECTIONS_MAX = 24;

/** Open it at the top of a file and release it in `afterAll`; its processes die with the worker in any case. */
export async function openTestStore(): Promise<TestStore> {
  await using opening = new AsyncDisposableStack();
  const { databaseUrl, database } = await makeDatabase(opening, `template ${inject("templateDatabase")}`);
  const rest = await startPostgrest({
    host: "127.0.0.1",
    port: inject("postgresPort"),
    database,
    secret: randomBytes(32).toString("hex"),
  });
  opening.defer(() => rest.stop());
  const { sql, session } = openSql(opening, databaseUrl);
  const open = (key: string) => openStore({ SUPABASE_URL: rest.url, SUPABASE_SERVICE_ROLE_KEY: key });
  const opened = opening.move();
  return {
    store: open(rest.key("service_role")),
    supabaseUrl: rest.url,
    serviceRoleKey: rest.key("service_role"),
    anonKey: rest.key("anon"),
    anonClient: open(rest.key("anon")),
    clientFor: (userId) => open(rest.key("authenticated", userId)),
    databaseUrl,
    sql,
    session,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** A database with nothing in it, not even the migrations, and no PostgREST. */
export async function openEmptyDatabase(): Promise<Pick<TestStore, "databaseUrl" | "sql"> & AsyncDisposable> {
  await using opening = new AsyncDisposableStack();
  const { databaseUrl } = await makeDatabase(opening, "template template0");
  const { sql } = openSql(opening, databaseUrl);
  const opened = opening.move();
  return { databaseUrl, sql, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Every place this run can keep a queue in: the file's own database always, Redis where there is one. */
export function queueBackends(opened: Pick<TestStore, "databaseUrl">): QueueBackend[] {
  const prefix = `test-${randomBytes(6).toString("hex")}`;
  const redisUrl = inject("redisUrl");
  return [
    { kind: "postgres", databaseUrl: opened.databaseUrl, prefix },
    ...(redisUrl ? [{ kind: "redis" as const, url: redisUrl, prefix }] : []),
  ];
}

async function makeDatabase(stack: AsyncDisposableStack, options: string) {
  const database = `test_${randomBytes(8).toString("hex")}`;
  const server = `postgres://postgres@127.0.0.1:${inject("postgresPort")}`;
  await administrate(`${server}/postgres`, `create database ${database} ${options}`);
  stack.defer(() => administrate(`${server}/postgres`, `drop database ${database} with (force)`));
  return { database, databaseUrl: `${server}/${database}` };
}

async function administrate(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);
types.setTypeParser(pg.types.builtins.DATE, String);

function openSql(stack: AsyncDisposableStack, databaseUrl: string): Pick<TestStore, "sql" | "session"> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: SQL_CONNECTIONS_MAX, types });
  pool.on("error", () => {}); // a lost connection surfaces in the query that needed it
  stack.defer(() => pool.end());
  const on =
    (connection: pg.Pool | pg.PoolClient): TestStore["sql"] =>
    async <Row extends object>(query: string, parameters: unknown[] = []) =>
      (await connection.query<Row>(query, parameters)).rows;
  const session = async () => {
    const client = await pool.connect();
    return { sql: on(client), [Symbol.asyncDispose]: async () => client.release(true) };
  };
  return { sql: on(pool), session };
}
