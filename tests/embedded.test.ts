import { spawn } from "node:child_process";
import { chown, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { openStore } from "@cidadao/database/store";
import type { EmbeddedStack } from "@cidadao/embedded/start-embedded";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { until } from "./support/until.ts";

const NOBODY = 65_534;

/** A data folder that goes away after every process that works in it: what is registered last is undone first. */
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "cidadao-embedded-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

type Running = Awaited<ReturnType<typeof start>>;

/** The embedded services in a process of their own; ended with the test, whatever came of it. */
async function start(folder: string, user: { uid?: number; gid?: number } = {}) {
  const script = path.resolve(import.meta.dirname, "support/run-embedded.ts");
  const child = spawn(process.execPath, [script, folder], {
    ...user,
    cwd: "/",
    env: { PATH: process.env["PATH"], TMPDIR: tmpdir() },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  let complained = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (complained += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    child.kill(signal);
    return exited;
  };
  onTestFinished(async () => void (await end("SIGTERM")));
  await until("the embedded services are up", () => said.endsWith("\n") || child.exitCode !== null);
  if (child.exitCode !== null) throw new Error(complained);
  const stack = JSON.parse(said) as Omit<EmbeddedStack, typeof Symbol.asyncDispose>;
  return { stack, pid: child.pid!, store: openStore(keysOf(stack)), end };
}

function keysOf(stack: Pick<EmbeddedStack, "supabaseUrl" | "serviceRoleKey">) {
  return { SUPABASE_URL: stack.supabaseUrl, SUPABASE_SERVICE_ROLE_KEY: stack.serviceRoleKey };
}

const row = { source: "s", name: "n", position: { page: 7 } };
const write = async ({ store }: Running) => expect((await store.from("ingest_cursors").insert(row)).error).toBeNull();
const read = async ({ store }: Running) => (await store.from("ingest_cursors").select("source,name,position")).data;

/** Processes below `pid`, however deep: [pid, what it runs, uid of the user it runs as]. */
async function descendants(pid: number): Promise<{ pid: number; name: string; uid: number }[]> {
  const found = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const processes = await Promise.all(found.map((entry) => readFile(`/proc/${entry}/status`, "utf8").catch(() => "")));
  const parsed = processes.flatMap((status) => {
    const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)?.[1] ?? "";
    return status === "" || field("State") === "Z"
      ? []
      : [{ pid: Number(field("Pid")), parent: Number(field("PPid")), name: field("Name"), uid: Number(field("Uid")) }];
  });
  const below = (parent: number): typeof parsed =>
    parsed.flatMap((one) => (one.parent === parent ? [one, ...below(one.pid)] : []));
  return below(pid).map(({ pid, name, uid }) => ({ pid, name, uid }));
}

async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "State: Z");
  return !/^State:\s+Z/m.test(status);
}

function answers(url: string): Promise<boolean> {
  const { port } = new URL(url);
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), "127.0.0.1", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

const addresses = ({ stack }: Running) => [
  stack.databaseUrl,
  stack.supabaseUrl,
  ...(stack.redisUrl ? [stack.redisUrl] : []),
];

describe("the embedded services", () => {
  test("leave no process behind when the one that started them is killed, and lose nothing that was stored", async () => {
    const folder = await makeFolder();
    const first = await start(folder);
    await write(first);
    const children = await descendants(first.pid);
    const names = new Set(children.map(({ name }) => name));
    expect(names).toContain("postgres");
    expect(names).toContain("postgrest");
    expect(first.stack.redisUrl === null).toBe(inject("redisUrl") === null);
    for (const address of addresses(first)) expect(await answers(address)).toBe(true);

    await first.end("SIGKILL");
    await until("every child is gone", async () => {
      const alive = await Promise.all(children.map(({ pid }) => isAlive(pid)));
      return !alive.includes(true);
    });
    for (const address of addresses(first)) expect(await answers(address)).toBe(false);

    const second = await start(folder);
    expect(await read(second)).toEqual([row]);
  });

  test("keep data and keys over a restart, and apply no migration twice", async () => {
    const folder = await makeFolder();
    const first = await start(folder);
    expect(first.stack.migrationsApplied).not.toEqual([]);
    await write(first);
    expect(await first.end("SIGTERM")).toBe(0);
    for (const address of addresses(first)) expect(await answers(address)).toBe(false);

    const second = await start(folder);
    expect(second.stack.migrationsApplied).toEqual([]);
    expect(second.stack.serviceRoleKey).toBe(first.stack.serviceRoleKey);
    expect(await read(second)).toEqual([row]);
  });

  test("run as an ordinary user", async () => {
    const folder = await makeFolder();
    const isRoot = process.getuid!() === 0;
    if (isRoot) await chown(folder, NOBODY, NOBODY);
    const running = await start(folder, isRoot ? { uid: NOBODY, gid: NOBODY } : {});
    const uids = new Set((await descendants(running.pid)).map(({ uid }) => uid));
    expect(uids).toEqual(new Set([isRoot ? NOBODY : process.getuid!()]));
    await write(running);
    expect(await read(running)).toEqual([row]);
  });

  test("refuse a folder that others run on, say so, and leave those alone", async () => {
    const folder = await makeFolder();
    const first = await start(folder);
    await write(first);
    await expect(start(folder)).rejects.toThrow(
      `Something already runs on the data folder ${path.join(folder, "postgres")}`,
    );
    expect(await read(first)).toEqual([row]);
  });
});
