import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";

export const serviceNames = ["api", "worker", "scheduler"] as const;
export type ServiceName = (typeof serviceNames)[number];

const root = path.resolve(import.meta.dirname, "../../..");

export type ServiceProcess = {
  readonly pid: number;
  /** Exit code, or `null` after a signal. */
  readonly exited: Promise<number | null>;
  /** SIGTERM, and SIGKILL when that takes longer than `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
  /** SIGKILL: the process gets no chance to tidy up. */
  kill(): Promise<void>;
};

/**
 * Runs a service with the arguments it has in the Procfile, with its output in the open file `output`. It belongs to this
 * process: it stops when the channel between them closes, whatever closed it.
 */
export function startService(options: {
  name: ServiceName;
  environment: Record<string, string>;
  output: number;
}): ServiceProcess {
  const child: ChildProcess = spawn(process.execPath, [...productionFlags(options.name), mainOf(options.name)], {
    cwd: root,
    env: {
      NODE_COMPILE_CACHE: path.join(root, "node_modules/.cache/node"),
      MALLOC_ARENA_MAX: "1",
      MALLOC_TRIM_THRESHOLD_: "131072",
      ...options.environment,
    },
    stdio: ["ignore", options.output, options.output, "ipc"],
    // A Ctrl-C reaches the terminal's whole process group; services are stopped by their owner, in order.
    detached: true,
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", (code) => resolve(code));
  });
  const end = async (signal: NodeJS.Signals, timeoutMs: number) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    await exited;
    clearTimeout(timer);
  };
  return {
    pid: child.pid!,
    exited,
    stop: (timeoutMs) => end("SIGTERM", timeoutMs),
    kill: () => end("SIGKILL", 0),
  };
}

/** The flags of `node` in the line of the Procfile that starts the service. */
export function productionFlags(name: ServiceName): string[] {
  const main = mainOf(name);
  const line = readFileSync(path.join(root, "Procfile"), "utf8")
    .split("\n")
    .find((one) => one.endsWith(main));
  if (!line) throw new Error(`the Procfile starts no ${main}`);
  return line.split(" ").slice(2, -1);
}

function mainOf(name: ServiceName): string {
  return `apps/${name}/src/main.ts`;
}
