import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type SinkPayload, validatePayload } from "./validate-payload.ts";

export type AcceptedMessage = { id: string; acceptedAt: Date; payload: SinkPayload };
export type SinkRequest = { method: string; path: string; body: string };

/** What happens to one request; requests after the last fault are answered well. */
export type SinkFault =
  /** 429 as Discord words it; the header has whole seconds, the body fractions. */
  | { kind: "rate_limited"; retryAfterSeconds: number; scope?: "global" | "webhook" }
  /** 429 of the network in front of Discord: a page and a header. */
  | { kind: "rate_limited_page"; retryAfter: string }
  | { kind: "status"; status: number }
  | { kind: "stall" }
  /** Answers well, but late. */
  | { kind: "slow"; delayMs: number }
  /** Keeps the message and then cuts the connection: the sender cannot know. */
  | { kind: "reset_after_accepting" }
  | { kind: "reset_before_accepting" }
  /** Keeps the message and answers with something that is not JSON. */
  | { kind: "garbled_answer" };

export type DiscordSink = AsyncDisposable & {
  /** Base of all webhooks: "http://127.0.0.1:<port>/api/webhooks". */
  url: string;
  /** The one webhook that exists here; the same path at every start. */
  webhookUrl: URL;
  accepted: AcceptedMessage[];
  /** Every request, whatever became of it. */
  requests: SinkRequest[];
  /** One fault for each of the next requests; `null` lets one through. */
  setFaults(faults: (SinkFault | null)[]): void;
  /** Resolves with all accepted messages as soon as there are so many. Rejects when the sink stops or the signal aborts. */
  waitFor(messages: number, signal?: AbortSignal): Promise<AcceptedMessage[]>;
  stop(): Promise<void>;
};

export type DiscordSinkOptions = {
  /** 0 or left out: any free port. */
  port?: number;
  onAccepted?: (message: AcceptedMessage) => void;
  /** Discord's own limit of a webhook, counted here as there; left out: every answer says that some is left. */
  limit?: { messages: number; seconds: number };
};

const WEBHOOK_ID = "1000000000000000001";
const WEBHOOK_TOKEN = "local-inbox-has-no-secret-and-needs-none";
const FIRST_MESSAGE_ID = 1_200_000_000_000_000_001n;
const BODY_BYTES_MAX = 8 * 1024 * 1024;

/** Discord's webhook endpoint on the loopback interface: its limits, its answers and, when asked, its faults. */
export async function startDiscordSink(options: DiscordSinkOptions = {}): Promise<DiscordSink> {
  const accepted: AcceptedMessage[] = [];
  const requests: SinkRequest[] = [];
  const waiters = new Set<{
    messages: number;
    resolve: (all: AcceptedMessage[]) => void;
    reject: (reason: unknown) => void;
  }>();
  let faults: (SinkFault | null)[] = [];
  const bucket = limitBucket(options.limit);

  const accept = (payload: SinkPayload): AcceptedMessage => {
    const message = { id: String(FIRST_MESSAGE_ID + BigInt(accepted.length)), acceptedAt: new Date(), payload };
    accepted.push(message);
    options.onAccepted?.(message);
    for (const waiter of waiters) if (accepted.length >= waiter.messages) waiter.resolve(accepted);
    return message;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", "http://discord");
    const body = await readBody(request);
    requests.push({ method: request.method ?? "", path: url.pathname + url.search, body });
    const fault = faults.shift() ?? null;
    if (fault !== null && isUnanswered(fault, response)) return;
    const problem = problemOf(request.method, url.pathname);
    if (problem !== null) return send(response, problem);
    const payload = parseJson(body);
    const errors = validatePayload(payload);
    if (errors !== null) return send(response, { status: 400, body: errors });
    const { headers: limitHeaders, retryAfterSeconds } = bucket();
    if (retryAfterSeconds !== null) {
      isUnanswered({ kind: "rate_limited", retryAfterSeconds }, response);
      return;
    }
    if (fault?.kind === "slow") await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    const { id } = accept(payload as SinkPayload);
    if (fault?.kind === "reset_after_accepting") return void response.socket?.resetAndDestroy();
    if (fault?.kind === "garbled_answer")
      return void response.writeHead(200, { "content-type": "text/html" }).end("<p>ok");
    if (url.searchParams.get("wait") !== "true") return void response.writeHead(204, limitHeaders).end();
    send(response, {
      status: 200,
      headers: limitHeaders,
      body: { id, type: 0, webhook_id: WEBHOOK_ID, ...(payload as object) },
    });
  };

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/webhooks`;

  const stop = async () => {
    for (const waiter of waiters) waiter.reject(new Error("the sink stopped"));
    if (!server.listening) return;
    const closed = new Promise((resolve) => void server.close(resolve));
    server.closeAllConnections();
    await closed;
  };

  const waitFor = async (messages: number, signal?: AbortSignal) => {
    if (accepted.length >= messages) return accepted;
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<AcceptedMessage[]>();
    const waiter = { messages, resolve, reject };
    const onAbort = () => reject(signal?.reason);
    waiters.add(waiter);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await promise;
    } finally {
      waiters.delete(waiter);
      signal?.removeEventListener("abort", onAbort);
    }
  };

  return {
    url,
    webhookUrl: new URL(`${url}/${WEBHOOK_ID}/${WEBHOOK_TOKEN}`),
    accepted,
    requests,
    setFaults: (next) => {
      faults = [...next];
    },
    waitFor,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** What each answer says of the limit, and how long to wait when it is used up. */
function limitBucket(limit: DiscordSinkOptions["limit"]) {
  const { messages, seconds } = limit ?? { messages: 5, seconds: 1 };
  let endsAt = 0;
  let used = 0;
  return () => {
    const now = performance.now();
    if (now >= endsAt) [used, endsAt] = [0, now + seconds * 1_000];
    used = limit ? used + 1 : 1;
    const left = (endsAt - now) / 1_000;
    const headers = {
      "x-ratelimit-limit": String(messages),
      "x-ratelimit-remaining": String(Math.max(0, messages - used)),
      "x-ratelimit-reset-after": left.toFixed(3),
      "x-ratelimit-bucket": "local",
    };
    return { headers, retryAfterSeconds: used > messages ? Number(left.toFixed(3)) : null };
  };
}

/** Carries out a fault that keeps the message from being looked at. */
function isUnanswered(fault: SinkFault, response: ServerResponse): boolean {
  switch (fault.kind) {
    case "rate_limited": {
      const isGlobal = fault.scope === "global";
      const headers = {
        "retry-after": String(Math.ceil(fault.retryAfterSeconds)),
        ...(isGlobal ? { "x-ratelimit-global": "true" } : {}),
        "x-ratelimit-scope": isGlobal ? "global" : "user",
      };
      const message = "You are being rate limited.";
      send(response, {
        status: 429,
        headers,
        body: { message, retry_after: fault.retryAfterSeconds, global: isGlobal },
      });
      return true;
    }
    case "rate_limited_page":
      response.writeHead(429, { "content-type": "text/html", "retry-after": fault.retryAfter }).end("<h1>1015</h1>");
      return true;
    case "status":
      send(response, { status: fault.status, body: { message: `${fault.status}: Fault`, code: 0 } });
      return true;
    case "stall":
      return true;
    case "reset_before_accepting":
      response.socket?.resetAndDestroy();
      return true;
    case "slow":
    case "reset_after_accepting":
    case "garbled_answer":
      return false;
  }
}

type Answer = { status: number; headers?: Record<string, string>; body: unknown };

function problemOf(method: string | undefined, path: string): Answer | null {
  const match = /^\/api\/webhooks\/(\d+)\/([\w-]+)$/.exec(path);
  if (!match) return { status: 404, body: { message: "404: Not Found", code: 0 } };
  if (method !== "POST") return { status: 405, body: { message: "405: Method Not Allowed", code: 0 } };
  if (match[1] !== WEBHOOK_ID) return { status: 404, body: { message: "Unknown Webhook", code: 10015 } };
  if (match[2] !== WEBHOOK_TOKEN) return { status: 401, body: { message: "Invalid Webhook Token", code: 50027 } };
  return null;
}

function send(response: ServerResponse, { status, headers = {}, body }: Answer): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new RangeError("the message is too large");
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
