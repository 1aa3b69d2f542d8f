import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { type Fault, faultDecider, type FaultPlan } from "./portal/faults.ts";
import { createRequestLog, type LoggedRequest, type RequestLog } from "./portal/request-log.ts";

export type Reply = { status: number; headers: Record<string, string>; body: Buffer | string };
export type Asked = { request: IncomingMessage; path: string; params: URLSearchParams; fault: Fault | null };

/** A public API on the loopback interface that answers from recordings and, when asked, misbehaves. */
export type RecordedServer = AsyncDisposable & {
  /** With scheme and port, without a path. */
  origin: () => string;
  requests: RequestLog;
  /** Replaces the plan; counts start again. Resolves when the port listens, or no longer does. */
  setFaults: (plan: FaultPlan) => Promise<void>;
  stop: () => Promise<void>;
};

export type RecordedServerOptions = {
  /** The path below the API's base address; `null` for one that is outside. */
  pathBelow: (pathname: string) => string | null;
  /** A good answer. Faults of the rows (drift, repeated and shifted pages) are its matter. */
  answer: (asked: Asked) => Reply;
  /** How this API says no. */
  refusals: {
    rateLimited: () => Reply;
    keyInvalid: () => Reply;
    forbidden: () => Reply;
    broken: (status: number, message: string) => Reply;
  };
  /** Added to what the administration address tells of the requests. */
  status?: () => Record<string, unknown>;
  /** Told of each request before it is answered. */
  onRequest?: (request: LoggedRequest) => void;
  port?: number;
  faults?: FaultPlan;
};

export async function startRecordedServer(options: RecordedServerOptions): Promise<RecordedServer> {
  const { refusals } = options;
  const requests = createRequestLog();
  let plan = options.faults ?? {};
  let decide = faultDecider(plan);
  let port = options.port ?? 0;
  let server: Server | null = null;

  const setFaults = async (next: FaultPlan) => {
    plan = next;
    decide = faultDecider(next);
    if (!next.down) return listen();
    await stop();
    if (next.downMs !== undefined) setTimeout(() => void setFaults({}), next.downMs).unref();
  };

  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", "http://recorded");
    if (url.pathname.startsWith("/__portal/")) return administer(request, response, url);
    const path = options.pathBelow(url.pathname);
    const logged = requests.add(path ?? url.pathname, url.searchParams);
    if (path === null) return send(response, refusals.forbidden());
    const page = Number(url.searchParams.get("pagina") ?? 1);
    const fault = faultFromHeader(request) ?? decide({ path, page, query: url.search, lastMinute: logged.lastMinute });
    logged.request.fault = fault?.kind ?? null;
    options.onRequest?.(logged.request);
    try {
      reply(response, { request, path, params: url.searchParams, fault });
    } catch (error) {
      send(response, refusals.broken(500, error instanceof Error ? error.message : String(error)));
    }
  };

  const administer = (request: IncomingMessage, response: ServerResponse, url: URL) => {
    if (request.method === "GET" && url.pathname === "/__portal/requests") {
      return send(response, jsonReply(200, JSON.stringify({ ...requests.summary(), ...options.status?.() })));
    }
    if (request.method !== "PUT" || url.pathname !== "/__portal/faults") return send(response, refusals.forbidden());
    void applyFaults(request, response);
  };

  const applyFaults = async (request: IncomingMessage, response: ServerResponse) => {
    const next = parseJson(await readBody(request)) as FaultPlan | null;
    if (next === null) return send(response, jsonReply(400, '{"error":"not a fault plan"}'));
    // Answered first: a plan may close the port this very request came through.
    await new Promise<void>((resolve) => {
      response.once("finish", resolve);
      send(response, jsonReply(200, "{}"));
    });
    await setFaults(next);
  };

  const reply = (response: ServerResponse, asked: Asked) => {
    const { fault } = asked;
    switch (fault?.kind) {
      case "rate_limited":
        return send(response, refusals.rateLimited(), retryAfter(fault.retryAfter));
      case "key_invalid":
        return send(response, refusals.keyInvalid());
      case "forbidden":
        return send(response, refusals.forbidden());
      case "server_error":
        return send(response, refusals.broken(fault.status ?? 500, "Erro interno"), retryAfter(fault.retryAfter));
      case "html":
        return send(response, htmlReply(200, "<title>Portal</title><h1>Em manutenção</h1>"));
      case "malformed_json":
        return send(response, jsonReply(200, '[{"id": 1, "numero": ,}]'));
      case "gzip_bomb":
        return send(response, { status: 200, headers: BOMB_HEADERS, body: bomb() });
      case "stall_before_headers":
        return;
      case "reset":
        response.socket?.resetAndDestroy();
        return;
      case undefined:
      case "field_missing":
      case "field_null":
      case "field_value":
      case "envelope":
      case "duplicate_page":
      case "shifted_page":
      case "truncated_json":
      case "wrong_charset":
      case "wrong_content_type":
      case "stall_in_body":
      case "slow_drip":
      case "reset_in_body":
        return misbehave(response, options.answer(asked), fault);
    }
  };

  const listen = async () => {
    if (server) return;
    const started = createServer({ keepAliveTimeout: 60_000 }, handle);
    await new Promise<void>((resolve, reject) => {
      started.once("error", reject);
      started.listen(port, "127.0.0.1", resolve);
    });
    server = started;
    port = (started.address() as AddressInfo).port;
  };

  const stop = async () => {
    const stopping = server;
    server = null;
    if (!stopping) return;
    const closed = new Promise<void>((resolve) => void stopping.close(() => resolve()));
    stopping.closeAllConnections();
    await closed;
  };

  await listen();
  if (plan.down) await stop();
  return { origin: () => `http://127.0.0.1:${port}`, requests, setFaults, stop, [Symbol.asyncDispose]: stop };
}

export function jsonReply(status: number, body: string, headers: Record<string, string> = {}): Reply {
  return { status, headers: { "content-type": "application/json", ...headers }, body };
}

export function htmlReply(status: number, body: string): Reply {
  return {
    status,
    headers: { "content-type": "text/html; charset=utf-8" },
    body: `<!DOCTYPE html><html>${body}</html>`,
  };
}

function retryAfter(value: number | string | undefined): Record<string, string> {
  return value === undefined ? {} : { "retry-after": String(value) };
}

const BOMB_BYTES = 64 * 1024 * 1024;
const BOMB_HEADERS = { "content-type": "application/json", "content-encoding": "gzip" };
let packed: Buffer | null = null;

/** A small body that unpacks to a list of `BOMB_BYTES` blanks. */
function bomb(): Buffer {
  packed ??= gzipSync(Buffer.concat([Buffer.from("["), Buffer.alloc(BOMB_BYTES, 0x20), Buffer.from("]")]));
  return packed;
}

function send(response: ServerResponse, reply: Reply, headers: Record<string, string> = {}): void {
  const body = typeof reply.body === "string" ? Buffer.from(reply.body) : reply.body;
  // A 204 has no body and says nothing of its length.
  const length = reply.status === 204 ? {} : { "content-length": body.length };
  response.writeHead(reply.status, { ...reply.headers, ...headers, ...length });
  response.end(reply.status === 204 ? undefined : body);
}

const DRIP_MS = 100;

function misbehave(response: ServerResponse, reply: Reply, fault: Fault | null): void {
  const body = typeof reply.body === "string" ? Buffer.from(reply.body) : reply.body;
  const kind = fault?.kind;
  if (kind === "truncated_json")
    return send(response, { ...reply, body: body.subarray(0, Math.floor(body.length * 0.6)) });
  if (kind === "wrong_charset") return send(response, { ...reply, body: Buffer.from(body.toString("utf8"), "latin1") });
  if (kind === "wrong_content_type")
    return send(response, { ...reply, headers: { ...reply.headers, "content-type": "text/html; charset=utf-8" } });
  if (kind === "stall_in_body" || kind === "reset_in_body") {
    response.writeHead(reply.status, { ...reply.headers, "content-length": body.length + 1 });
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => {
      if (kind === "reset_in_body") response.socket?.resetAndDestroy();
    });
    return;
  }
  if (fault?.kind !== "slow_drip") return send(response, reply);
  response.writeHead(reply.status, { ...reply.headers, "content-length": body.length });
  drip(response, body, fault.everyMs ?? DRIP_MS);
}

function drip(response: ServerResponse, body: Buffer, everyMs: number): void {
  let at = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(at, at + 1));
    at++;
    if (at >= body.length) response.end();
    if (at >= body.length) clearInterval(timer);
  }, everyMs);
  response.once("close", () => clearInterval(timer));
}

/** One request may ask for its own fault: a `Fault` as JSON, or only its kind. */
function faultFromHeader(request: IncomingMessage): Fault | null {
  const header = request.headers["x-cidadao-fault"];
  if (typeof header !== "string") return null;
  return parseJson(header.startsWith("{") ? header : JSON.stringify({ kind: header })) as Fault | null;
}

const ADMIN_BODY_BYTES_MAX = 100_000;

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ADMIN_BODY_BYTES_MAX) return "";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
