import { once } from "node:events";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "@cidadao/embedded/bound-process";
import { findRedis, type RedisServer, startRedis } from "@cidadao/embedded/redis";
import { type DiscordSink, startDiscordSink } from "@cidadao/testing/discord/start-discord-sink";
import { type PortalServer, startPortal } from "@cidadao/testing/portal/start-portal";
import { type ServiceName, type ServiceProcess, startService } from "@cidadao/testing/service-process";
import { openTestStore, type TestStore } from "./stack.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";
import { until } from "./until.ts";

const PORTAL_KEY = "test-key";
const STOP_TIMEOUT_MS = 15_000;

/** The whole system as processes, on a database of its own, with a queue of its own, a local portal and a local inbox. */
export type System = AsyncDisposable & {
  readonly url: string;
  readonly data: TestStore;
  readonly portal: PortalServer;
  readonly inbox: DiscordSink;
  /** `null`: the queue lives in PostgreSQL. */
  readonly redis: { kill(): Promise<void>; start(): Promise<void>; wipe(): Promise<void> } | null;
  /** The lines over which the services reach the database's REST service and Redis; only with `lines: "proxied"`. */
  readonly lines: { rest: TcpProxy; redis: TcpProxy | null } | null;
  /** What every service is started with. */
  readonly environment: Readonly<Record<string, string>>;
  /** `environment` changes variables for this process alone; `""` unsets one. */
  start(name: ServiceName, environment?: Record<string, string>): ServiceProcess;
  untilReady(): Promise<void>;
  /** Resolves when the services have written this line, or so many of it. */
  untilLogged(text: string, times?: number): Promise<void>;
  untilFinal(ids: string[]): Promise<void>;
  post(body: unknown, headers?: Record<string, string>): Promise<Response>;
  get<Answer>(path: string): Promise<Answer>;
  /** What the services wrote, for a failure's message. */
  logs(): string;
};

/** "redis" only where there is one; "postgres" always. */
export function queueKinds(): ("redis" | "postgres")[] {
  return findRedis(process.env["PATH"] ?? "") ? ["redis", "postgres"] : ["postgres"];
}

export async function openSystem(options: {
  queue: "redis" | "postgres";
  environment?: Record<string, string>;
  lines?: "direct" | "proxied";
}): Promise<System> {
  await using opening = new AsyncDisposableStack();
  const folder = mkdtempSync(path.join(tmpdir(), "cidadao-system-"));
  opening.defer(() => rmSync(folder, { recursive: true, force: true }));
  const data = opening.use(await openTestStore());
  const portal = opening.use(await startPortal({ apiKey: PORTAL_KEY, dataFolder: path.resolve("data") }));
  const inbox = opening.use(await startDiscordSink());
  const redis = options.queue === "redis" ? await ownRedis(path.join(folder, "redis"), opening) : null;
  const lines = options.lines === "proxied" ? await proxies(data, redis, opening) : null;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const environment: Record<string, string> = {
    PATH: process.env["PATH"] ?? "",
    ENVIRONMENT: "test",
    LOG_LEVEL: "debug",
    HOST: "127.0.0.1",
    PORT: String(port),
    DRAIN_SECONDS: "10",
    SUPABASE_URL: lines ? `http://127.0.0.1:${lines.rest.port}` : data.supabaseUrl,
    SUPABASE_SERVICE_ROLE_KEY: data.serviceRoleKey,
    DATABASE_URL: data.databaseUrl,
    ...(redis ? { REDIS_URL: `redis://127.0.0.1:${lines?.redis?.port ?? redis.port}` } : {}),
    TRANSPARENCY_API_KEY: PORTAL_KEY,
    SOURCES: "portal-transparencia",
    PORTAL_TRANSPARENCIA_URL: portal.url,
    PORTAL_TRANSPARENCIA_PER_MINUTE: "1000000",
    ALERT_WEBHOOKS: inbox.webhookUrl.href,
    ALERT_WEBHOOKS_LOOPBACK: "true",
    ALERT_SEVERITY_MIN: "low",
    ...options.environment,
  };
  const log = path.join(folder, "services.log");
  const running = new Set<ServiceProcess>();
  opening.defer(async () => {
    await Promise.all([...running].map((service) => service.stop(STOP_TIMEOUT_MS)));
  });
  const logs = () => (existsSync(log) ? readFileSync(log, "utf8") : "");
  const opened = opening.move();
  return {
    url,
    data,
    portal,
    inbox,
    redis,
    lines,
    environment,
    start: (name, changed = {}) => {
      const service = startService({ name, environment: { ...environment, ...changed }, output: openSync(log, "a") });
      running.add(service);
      void service.exited.then(() => running.delete(service));
      return service;
    },
    untilReady: () =>
      until("the API is ready", () =>
        fetch(`${url}/health/ready`).then(
          (answer) => answer.ok,
          () => false,
        ),
      ),
    untilLogged: (text, times = 1) =>
      until(`"${text}" is logged ${times} times`, () => logs().split(text).length > times),
    untilFinal: (ids) =>
      until(`${ids.length} investigations have ended`, async () => {
        const ended = `select 1 from investigations where id = any($1) and status in ${finalStatuses}`;
        return (await data.sql(ended, [ids])).length === ids.length;
      }),
    post: (body, headers = {}) =>
      fetch(`${url}/api/v1/investigations`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    get: async <Answer>(where: string) => (await (await fetch(`${url}${where}`)).json()) as Answer,
    logs,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function ownRedis(dataFolder: string, opening: AsyncDisposableStack) {
  const program = findRedis(process.env["PATH"] ?? "");
  if (!program) throw new Error("no redis-server or valkey-server on the PATH");
  const port = await freePort();
  let server: RedisServer | null = null;
  const start = async () => {
    server = await startRedis({ program, dataFolder, port });
  };
  await start();
  opening.defer(() => server?.stop());
  const wipe = async () => {
    const client = net.connect(port, "127.0.0.1");
    client.write("FLUSHALL\r\n");
    const [answer] = (await once(client, "data")) as [Buffer];
    client.destroy();
    if (!answer.toString().startsWith("+OK")) throw new Error(`Redis did not forget: ${answer.toString()}`);
  };
  return { port, start, wipe, kill: async () => server?.kill() };
}

async function proxies(data: TestStore, redis: { port: number } | null, opening: AsyncDisposableStack) {
  const rest = opening.use(await startTcpProxy({ port: Number(new URL(data.supabaseUrl).port) }));
  return { rest, redis: redis ? opening.use(await startTcpProxy({ port: redis.port })) : null };
}

export const finalStatuses = "('completed', 'failed', 'cancelled')";
