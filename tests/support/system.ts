import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "@cidadao/embedded/bound-process";
import { findRedis, type RedisServer, startRedis } from "@cidadao/embedded/redis";
import { type DiscordSink, startDiscordSink } from "@cidadao/testing/discord/start-discord-sink";
import { type PortalServer, startPortal } from "@cidadao/testing/portal/start-portal";
import { type ServiceName, type ServiceProcess, startService } from "@cidadao/testing/service-process";
import { openTestStore, type TestStore } from "./stack.ts";
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
  readonly redis: { kill(): Promise<void>; start(): Promise<void> } | null;
  start(name: ServiceName, label?: string): ServiceProcess;
  untilReady(): Promise<void>;
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
}): Promise<System> {
  await using opening = new AsyncDisposableStack();
  const folder = mkdtempSync(path.join(tmpdir(), "cidadao-system-"));
  opening.defer(() => rmSync(folder, { recursive: true, force: true }));
  const data = opening.use(await openTestStore());
  const portal = opening.use(await startPortal({ apiKey: PORTAL_KEY, dataFolder: path.resolve("data") }));
  const inbox = opening.use(await startDiscordSink());
  const redis = options.queue === "redis" ? await ownRedis(path.join(folder, "redis"), opening) : null;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const environment: Record<string, string> = {
    PATH: process.env["PATH"] ?? "",
    ENVIRONMENT: "test",
    LOG_LEVEL: "debug",
    HOST: "127.0.0.1",
    PORT: String(port),
    DRAIN_SECONDS: "10",
    SUPABASE_URL: data.supabaseUrl,
    SUPABASE_SERVICE_ROLE_KEY: data.serviceRoleKey,
    DATABASE_URL: data.databaseUrl,
    ...(redis ? { REDIS_URL: redis.url } : {}),
    TRANSPARENCY_API_KEY: PORTAL_KEY,
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
  const opened = opening.move();
  return {
    url,
    data,
    portal,
    inbox,
    redis,
    start: (name) => {
      const service = startService({ name, environment, output: openSync(log, "a") });
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
    post: (body, headers = {}) =>
      fetch(`${url}/api/v1/investigations`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    get: async <Answer>(where: string) => (await (await fetch(`${url}${where}`)).json()) as Answer,
    logs: () => readFileSync(log, "utf8"),
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
  return { url: `redis://127.0.0.1:${port}`, start, kill: async () => server?.kill() };
}

export const finalStatuses = "('completed', 'failed', 'cancelled')";
