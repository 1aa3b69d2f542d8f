import type { LookupFunction } from "node:net";
import { promisify, TextDecoder } from "node:util";
import { gunzip } from "node:zlib";
import { Agent, type Dispatcher } from "undici";
import { AppError, type ErrorCode, messageOf } from "./errors.ts";

export type HttpTimeouts = {
  /** Until the request starts to leave on a connection, waiting for a free connection included. */
  connectMs: number;
  /** From then until the response headers. */
  headersMs: number;
  /** Longest silence inside the body. */
  bodyMs: number;
  /** The whole exchange; it is what ends a body that drips. */
  totalMs: number;
};

export type HttpRequest = {
  method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  url: string;
  headers?: Record<string, string>;
  body?: string;
  /** Largest body, before and after decompression. */
  bytesMax?: number;
  timeouts?: Partial<HttpTimeouts>;
  /** `error` fails on a redirect, `manual` hands the 3xx answer over. None is ever followed. */
  redirect?: "error" | "manual";
  /** Names for metrics: never a parameter, never an id. */
  source?: string;
  route?: string;
};

export type HttpResponse = {
  status: number;
  /** Names in lower case; repeated headers joined by ", ". */
  headers: Record<string, string>;
  text: string;
  url: string;
};

/** What one exchange came to, for metrics. `status` is `null` when no headers arrived, `error` when all went well. */
export type HttpOutcome = {
  source: string;
  route: string;
  method: HttpRequest["method"];
  status: number | null;
  error: ErrorCode | null;
  durationMs: number;
};

export type HttpClient = AsyncDisposable & {
  /** Any status is an answer; rejects with `HttpError` when there is no whole answer. */
  request(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
  /**
   * Hands the body over piece by piece as it comes, undecoded, and asks for the next only when `write` has resolved:
   * for files that are larger than memory. Rejects when the whole did not come; what was written then is not all.
   */
  download(
    request: HttpRequest,
    write: (chunk: Buffer) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Omit<HttpResponse, "text"> & { bytes: number }>;
  close(): Promise<void>;
};

/**
 * `connect`: not one byte of the request left, so it cannot have had an effect.
 * `sent`: it may have been received and acted on.
 */
export type HttpPhase = "connect" | "sent";

export class HttpError extends AppError {
  readonly phase: HttpPhase;

  constructor(code: ErrorCode, message: string, options: { phase: HttpPhase; cause?: unknown }) {
    super(code, message, { cause: options.cause });
    this.phase = options.phase;
  }
}

export type HttpClientOptions = {
  /** Says who calls and where to complain. */
  userAgent: string;
  connectionsPerHostMax?: number;
  onResponse?: (outcome: HttpOutcome) => void;
  /** Looks names up in place of the system's resolver; what it gives is what is connected to. */
  lookup?: LookupFunction;
};

const BYTES_MAX = 10 * 1024 * 1024;
const CONNECTIONS_PER_HOST_MAX = 64;
const TIMEOUTS: HttpTimeouts = { connectMs: 5_000, headersMs: 30_000, bodyMs: 30_000, totalMs: 60_000 };

/** The one owner of outgoing HTTP. Certificates are always verified. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { userAgent, connectionsPerHostMax = CONNECTIONS_PER_HOST_MAX, onResponse, lookup } = options;
  const agent = new Agent({
    connections: connectionsPerHostMax,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: 4_000,
    // The exchange keeps its own, stricter clocks.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { rejectUnauthorized: true, timeout: 30_000, ...(lookup ? { lookup } : {}) },
  });

  async function observed<Result extends { status: number }>(
    request: HttpRequest,
    url: URL,
    work: (onStatus: (status: number) => void) => Promise<Result>,
  ): Promise<Result> {
    const startedAt = performance.now();
    const outcome = (status: number | null, error: ErrorCode | null): HttpOutcome => ({
      source: request.source ?? url.host,
      route: request.route ?? "",
      method: request.method,
      status,
      error,
      durationMs: performance.now() - startedAt,
    });
    let status: number | null = null;
    try {
      const result = await work((received) => {
        status = received;
      });
      onResponse?.(outcome(result.status, null));
      return result;
    } catch (error) {
      const failure =
        error instanceof HttpError
          ? error
          : new HttpError("source_unavailable", `${url.host}: ${messageOf(error)}`, { phase: "sent", cause: error });
      onResponse?.(outcome(status, failure.code));
      throw failure;
    }
  }

  function request(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const url = new URL(request.url);
    return observed(request, url, async (onStatus) => {
      const raw = await exchange(agent, request, { url, userAgent, signal, write: null });
      onStatus(raw.status);
      const text = await decode(raw, request.bytesMax ?? BYTES_MAX);
      return { status: raw.status, headers: raw.headers, text, url: request.url };
    });
  }

  function download(request: HttpRequest, write: (chunk: Buffer) => Promise<void>, signal: AbortSignal) {
    const url = new URL(request.url);
    const plain = { ...request, headers: { "accept-encoding": "identity", ...request.headers } };
    return observed(request, url, async (onStatus) => {
      const { status, headers, bytes } = await exchange(agent, plain, { url, userAgent, signal, write });
      onStatus(status);
      return { status, headers, bytes, url: request.url };
    });
  }

  // `close` would wait for answers that never come; whoever closes has already stopped waiting for them.
  const close = () => agent.destroy();
  return { request, download, close, [Symbol.asyncDispose]: close };
}

type RawResponse = { host: string; status: number; headers: Record<string, string>; body: Buffer; bytes: number };

/** Speaks to the dispatcher directly: only its handler tells the moment the request starts to leave. */
function exchange(
  agent: Agent,
  request: HttpRequest,
  context: {
    url: URL;
    userAgent: string;
    signal: AbortSignal;
    /** Takes the body piece by piece; `null` keeps it in memory. */
    write: ((chunk: Buffer) => Promise<void>) | null;
  },
): Promise<RawResponse> {
  const { url, userAgent, signal, write } = context;
  const timeouts = { ...TIMEOUTS, ...request.timeouts };
  const bytesMax = request.bytesMax ?? BYTES_MAX;
  const { promise, resolve, reject } = Promise.withResolvers<RawResponse>();
  let phase: HttpPhase = "connect";
  let settled = false;
  let controller: Dispatcher.DispatchController | null = null;
  let status = 0;
  let headers: Record<string, string> = {};
  const chunks: Buffer[] = [];
  let bytes = 0;
  let writing = Promise.resolve();

  const late = (what: string, ms: number) => () => fail("deadline_exceeded", `${what} within ${ms} ms`);
  const total = setTimeout(late("no whole answer", timeouts.totalMs), timeouts.totalMs);
  let step = setTimeout(late("no connection", timeouts.connectMs), timeouts.connectMs);
  signal.addEventListener("abort", onAbort, { once: true });

  function settle(): boolean {
    if (settled) return false;
    settled = true;
    clearTimeout(total);
    clearTimeout(step);
    signal.removeEventListener("abort", onAbort);
    return true;
  }

  function fail(code: ErrorCode, message: string, cause?: unknown): void {
    if (!settle()) return;
    const error = new HttpError(code, `${url.host}: ${message}`, { phase, cause });
    reject(error);
    controller?.abort(error);
  }

  function onAbort(): void {
    const reason: unknown = signal.reason;
    fail(reason instanceof AppError ? reason.code : "deadline_exceeded", "the caller stopped waiting", reason);
  }

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started;
      // Given up while it waited for a connection: it must not leave any more.
      if (settled) return started.abort(new Error("given up before it was sent"));
      phase = "sent";
      clearTimeout(step);
      step = setTimeout(late("no headers", timeouts.headersMs), timeouts.headersMs);
    },
    onResponseStart(_, statusCode, rawHeaders) {
      if (statusCode < 200) return;
      status = statusCode;
      headers = flatten(rawHeaders);
      if (statusCode >= 300 && statusCode < 400 && headers["location"] && request.redirect !== "manual") {
        fail("source_invalid", `answered with a redirect (HTTP ${statusCode})`);
        return;
      }
      if (Number(headers["content-length"] ?? 0) > bytesMax) {
        fail("source_invalid", `the body is larger than ${bytesMax} bytes`);
        return;
      }
      clearTimeout(step);
      step = setTimeout(late("the body fell silent: nothing", timeouts.bodyMs), timeouts.bodyMs);
    },
    onResponseData(receiving, chunk) {
      // A parser that was paused gives an empty piece when it goes on; pausing for it again would never end.
      if (chunk.length === 0) return;
      bytes += chunk.length;
      if (bytes > bytesMax) {
        fail("source_invalid", `the body is larger than ${bytesMax} bytes`);
        return;
      }
      step.refresh();
      if (!write) return void chunks.push(chunk);
      receiving.pause();
      writing = writing.then(() => write(chunk));
      writing.then(
        () => {
          if (!settled) receiving.resume();
        },
        (error: unknown) => fail("internal", messageOf(error), error),
      );
    },
    onResponseEnd() {
      const end = () => {
        if (settle()) resolve({ host: url.host, status, headers, body: Buffer.concat(chunks), bytes });
      };
      if (write) void writing.then(end, () => {});
      else end();
    },
    onResponseError(_, error) {
      fail("source_unavailable", messageOf(error), error);
    },
  };

  if (signal.aborted) {
    onAbort();
    return promise;
  }
  try {
    agent.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: { "user-agent": userAgent, "accept-encoding": "gzip", ...request.headers },
        body: request.body ?? null,
      },
      handler,
    );
  } catch (error) {
    fail("source_unavailable", messageOf(error), error);
  }
  return promise;
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = typeof value === "string" ? value : value.join(", ");
  }
  return flat;
}

const gunzipAsync = promisify(gunzip);

async function decode(raw: RawResponse, bytesMax: number): Promise<string> {
  const body = await decompress(raw, bytesMax);
  return decoderFor(raw.headers["content-type"]).decode(body);
}

async function decompress(raw: RawResponse, bytesMax: number): Promise<Buffer> {
  const encoding = raw.headers["content-encoding"] ?? "identity";
  if (encoding === "identity" || raw.body.length === 0) return raw.body;
  const invalid = (message: string, cause?: unknown) =>
    new HttpError("source_invalid", `${raw.host}: ${message}`, { phase: "sent", cause });
  if (encoding !== "gzip" && encoding !== "x-gzip") throw invalid(`content-encoding "${encoding}" was not asked for`);
  try {
    return await gunzipAsync(raw.body, { maxOutputLength: bytesMax });
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    throw invalid(tooLarge ? `the body is larger than ${bytesMax} bytes` : "the body is not gzip as announced", error);
  }
}

const decoders = new Map<string, TextDecoder>();
const DECODERS_MAX = 50;

/** UTF-8 where the header names no charset, or one that does not exist. */
function decoderFor(contentType = ""): TextDecoder {
  const charset = /charset\s*=\s*"?([\w.:-]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? "utf-8";
  const known = decoders.get(charset);
  if (known) return known;
  const decoder = newDecoder(charset);
  if (decoders.size < DECODERS_MAX) decoders.set(charset, decoder);
  return decoder;
}

function newDecoder(charset: string): TextDecoder {
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder("utf-8");
  }
}
