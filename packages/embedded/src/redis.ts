import { accessSync, constants, mkdirSync } from "node:fs";
import path from "node:path";
import { freePort, startBoundProcess } from "./bound-process.ts";

const STOP_TIMEOUT_MS = 5_000;

export type RedisServer = {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
  kill(): Promise<void>;
};

/** The first `redis-server` or `valkey-server` on the search path, or `null`. */
export function findRedis(searchPath: string): string | null {
  for (const name of ["redis-server", "valkey-server"]) {
    for (const folder of searchPath.split(path.delimiter)) {
      const file = path.join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // not here: the next folder may have it
      }
    }
  }
  return null;
}

/** Starts a Redis whose queue survives its own crash: append-only file, and never an eviction. */
export async function startRedis(options: {
  program: string;
  dataFolder: string;
  port?: number;
}): Promise<RedisServer> {
  mkdirSync(options.dataFolder, { recursive: true });
  const port = options.port ?? (await freePort());
  const settings = {
    port: String(port),
    bind: "127.0.0.1",
    dir: path.resolve(options.dataFolder),
    appendonly: "yes",
    appendfsync: "everysec",
    save: "",
    "maxmemory-policy": "noeviction",
  };
  const server = await startBoundProcess(
    [options.program, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])],
    { deathSignal: "INT" },
  );
  await server.seen("Ready to accept connections");
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    stop: () => server.end("SIGTERM", STOP_TIMEOUT_MS),
    kill: () => server.end("SIGKILL", STOP_TIMEOUT_MS),
  };
}
