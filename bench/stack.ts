import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type EmbeddedStack, startEmbedded } from "@cidadao/embedded/start-embedded";

const root = fileURLToPath(new URL("..", import.meta.url));

export type BenchStack = AsyncDisposable & {
  stack: EmbeddedStack;
  folder: string;
  environment: Record<string, string>;
  log(name: string): number;
};

/** Embedded services in a folder of their own, thrown away at the end. */
export async function openBenchStack(): Promise<BenchStack> {
  const folder = mkdtempSync(path.join(tmpdir(), "cidadao-bench-"));
  const stack = await startEmbedded({
    folder,
    migrationsFolder: path.join(root, "supabase/migrations"),
    redisUrl: undefined,
    searchPath: process.env["PATH"] ?? "",
  });
  return {
    stack,
    folder,
    environment: {
      PATH: process.env["PATH"] ?? "",
      LOG_LEVEL: "warn",
      HOST: "127.0.0.1",
      DRAIN_SECONDS: "10",
      SUPABASE_URL: stack.supabaseUrl,
      SUPABASE_SERVICE_ROLE_KEY: stack.serviceRoleKey,
      DATABASE_URL: stack.databaseUrl,
      ...(stack.redisUrl ? { REDIS_URL: stack.redisUrl } : {}),
    },
    log: (name) => openSync(path.join(folder, `${name}.log`), "a"),
    [Symbol.asyncDispose]: async () => {
      await stack[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function queueName(stack: EmbeddedStack): string {
  return stack.redisUrl ? "Redis with AOF" : "PostgreSQL";
}

/** Resident memory of a process in bytes, now. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1024;
}

export async function until(what: string, timeoutMs: number, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function isUp(url: string): Promise<boolean> {
  return fetch(url).then(
    (answer) => answer.ok,
    () => false,
  );
}
