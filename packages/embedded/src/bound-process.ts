import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, renameSync, statSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

/**
 * A child that cannot outlive this process: where the kernel offers it, the parent's death sends the child a signal,
 * SIGKILL of the parent included. The signal fires when the spawning thread ends, so call this from a main thread.
 */
export type BoundProcess = {
  readonly pid: number;
  /** Resolves with the exit code (`null` after a signal) and the last lines the child wrote. */
  readonly exited: Promise<{ code: number | null; output: string }>;
  /** Resolves when the child's output contains `text`; rejects with the output when it exits first. */
  seen(text: string): Promise<void>;
  /** Sends `signal`, and SIGKILL if the child has not gone after `timeoutMs`. */
  end(signal: NodeJS.Signals, timeoutMs: number): Promise<void>;
};

const OUTPUT_KEPT_CHARACTERS = 8_000;

export function startBoundProcess(
  command: string[],
  options: { environment?: Record<string, string>; deathSignal: "INT" | "TERM" | "KILL"; folder?: string },
): Promise<BoundProcess> {
  const [program, ...args] = [...bindToParent(options.deathSignal), ...command];
  const child: ChildProcess = spawn(program!, args, {
    cwd: options.folder ?? "/",
    env: { LC_ALL: "C.UTF-8", TZ: "UTC", ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const listeners = new Set<() => void>();
  const collect = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-OUTPUT_KEPT_CHARACTERS);
    for (const listener of listeners) listener();
  };
  child.stdout!.on("data", collect);
  child.stderr!.on("data", collect);
  const exited = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.once("exit", (code) => resolve({ code, output }));
  });
  const seen = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (!output.includes(text)) return;
        listeners.delete(check);
        resolve();
      };
      listeners.add(check);
      check();
      void exited.then(({ code }) => reject(new Error(`${command[0]} ended with code ${code}: ${output}`)));
    });
  const end = async (signal: NodeJS.Signals, timeoutMs: number) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    await exited;
    clearTimeout(timer);
  };
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`cannot start ${command[0]}: ${error.message}`)));
    child.once("spawn", () => resolve({ pid: child.pid!, exited, seen, end }));
  });
}

/** `setpriv` (util-linux, on every Debian) makes the kernel signal the child when its parent dies; elsewhere nothing is prefixed. */
function bindToParent(signal: "INT" | "TERM" | "KILL"): string[] {
  return canRun("setpriv", ["--pdeathsig", signal, "true"]) ? ["setpriv", "--pdeathsig", signal] : [];
}

const unprivilegedUser = 65534;

/**
 * PostgreSQL refuses to run as root. As root the server runs in a user namespace of its own, where it is "nobody" and
 * still reads our files; where namespaces are forbidden (many containers), it runs from a copy as the real uid 65534,
 * which must own its data folder.
 */
export function unprivilegedLauncher(packageFolder: string): {
  prefix: string[];
  folder: string;
  ownerUid: number | null;
} {
  if (process.getuid?.() !== 0) return { prefix: [], folder: packageFolder, ownerUid: null };
  const namespace = ["unshare", "--user", `--map-user=${unprivilegedUser}`, `--map-group=${unprivilegedUser}`];
  if (canRun(namespace[0]!, [...namespace.slice(1), path.join(packageFolder, "bin", "postgres"), "--version"])) {
    return { prefix: namespace, folder: packageFolder, ownerUid: null };
  }
  const { version } = JSON.parse(readFileSync(path.join(packageFolder, "..", "package.json"), "utf8")) as {
    version: string;
  };
  const copy = path.join(tmpdir(), `cidadao-postgres-${version}`);
  if (!existsSync(copy)) {
    const unfinished = `${copy}.${process.pid}`;
    cpSync(packageFolder, unfinished, { recursive: true, verbatimSymlinks: true });
    renameSync(unfinished, copy); // whoever looks sees the whole copy or none
  }
  if (statSync(copy).uid !== 0) throw new Error(`${copy} belongs to somebody else; delete it`);
  const prefix = ["setpriv", `--reuid=${unprivilegedUser}`, `--regid=${unprivilegedUser}`, "--clear-groups"];
  return { prefix, folder: copy, ownerUid: unprivilegedUser };
}

function canRun(program: string, args: string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

/** A loopback port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
