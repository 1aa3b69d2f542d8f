import { open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "@cidadao/runtime/errors";
import type { HttpClient, HttpTimeouts } from "@cidadao/runtime/http-client";
import type { RateLimiter } from "@cidadao/runtime/rate-limit";
import { isZip } from "../files/zip.ts";
import type { Backoff } from "../outbound.ts";
import { sampleOf } from "../read-rows.ts";

export type DownloadContext = {
  http: Pick<HttpClient, "download">;
  /** So many calls a minute, of all processes together that share the limiter's store. */
  limiter: (perMinute: number) => RateLimiter;
  timeouts?: Partial<HttpTimeouts>;
  backoff?: Backoff;
};

export type DownloadRequest = {
  url: string;
  /** Hosts besides that of the address; a redirect to any other is not followed. */
  hosts: readonly string[];
  /** For metrics. */
  source: string;
  route: string;
  target: string;
  onBytes?: (bytes: number) => void;
};

/** A download is two calls. */
const PER_MINUTE = 60;
const TRIES_MAX = 3;
const REDIRECTS_MAX = 3;
const RETRY_AFTER_SECONDS_MAX = 30;
/** Several times the largest month. */
const BYTES_MAX = 4 * 1024 ** 3;
const TIMEOUTS: HttpTimeouts = { connectMs: 10_000, headersMs: 120_000, bodyMs: 60_000, totalMs: 2 * 3_600_000 };
const BACKOFF: Backoff = { baseMs: 2_000, maxMs: 30_000 };
const HEAD_BYTES = 512;

/**
 * Brings a zip to a file, piece by piece. Nothing but a zip is kept: a web page, a challenge to programs and an answer
 * from a host that was not named are errors, each with its reason. `sample` says what a recorded answer is of.
 */
export async function fetchZip(
  context: DownloadContext,
  request: DownloadRequest,
  signal: AbortSignal,
): Promise<{ sample: string | null }> {
  const { baseMs, maxMs } = context.backoff ?? BACKOFF;
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetchOnce(context, request, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof AppError) || !MAY_PASS.has(error.code) || attempt >= TRIES_MAX) throw error;
      if ((error.retryAfterSeconds ?? 0) > RETRY_AFTER_SECONDS_MAX) throw error;
      const random = Math.random() * Math.min(maxMs, baseMs * 2 ** (attempt - 1));
      await delay(error.retryAfterSeconds === null ? random : error.retryAfterSeconds * 1_000, undefined, { signal });
    }
  }
}

const MAY_PASS: ReadonlySet<string> = new Set(["source_unavailable", "deadline_exceeded", "rate_limited"]);

async function fetchOnce(
  context: DownloadContext,
  request: DownloadRequest,
  signal: AbortSignal,
): Promise<{ sample: string | null }> {
  let url = new URL(request.url);
  const hosts = new Set([url.host, ...request.hosts]);
  for (let redirects = 0; ; redirects++) {
    await context.limiter(PER_MINUTE).take(request.source, signal);
    const { status, headers, head } = await writeBody(context, request, url, signal);
    if (status >= 300 && status < 400) {
      if (redirects >= REDIRECTS_MAX)
        throw failure("source_invalid", url, `redirecionou mais de ${REDIRECTS_MAX} vezes`);
      url = redirectTarget(url, headers["location"], hosts);
      continue;
    }
    if (status !== 200) throw refusal(url, status, headers);
    if (isZip(head)) return { sample: sampleOf(headers) };
    const what = head.toString("latin1").trimStart().startsWith("<") ? "uma página HTML" : "algo que não é um zip";
    throw failure("source_invalid", url, `respondeu ${what}`);
  }
}

async function writeBody(
  { http, timeouts }: DownloadContext,
  { source, route, target, onBytes }: DownloadRequest,
  url: URL,
  signal: AbortSignal,
): Promise<{ status: number; headers: Record<string, string>; head: Buffer }> {
  await using file = await open(target, "w+");
  let bytes = 0;
  const write = async (chunk: Buffer) => {
    await file.writeFile(chunk);
    bytes += chunk.length;
    onBytes?.(bytes);
  };
  const asked = {
    method: "GET" as const,
    url: url.href,
    redirect: "manual" as const,
    bytesMax: BYTES_MAX,
    timeouts: { ...TIMEOUTS, ...timeouts },
    source,
    route,
  };
  const { status, headers } = await http.download(asked, write, signal);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  return { status, headers, head: buffer.subarray(0, bytesRead) };
}

/** Only hosts that were named, and never from https to plain http. */
function redirectTarget(from: URL, location: string | undefined, hosts: ReadonlySet<string>): URL {
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw failure("source_invalid", from, "redirecionou para lugar nenhum");
  }
  const to = new URL(location, from.href);
  const isKnown = hosts.has(to.host) && (to.protocol === "https:" || to.protocol === from.protocol);
  if (!isKnown)
    throw failure("source_refused", from, `redirecionou para ${to.origin}, que não é um dos endereços aceitos`);
  return to;
}

function refusal(url: URL, status: number, headers: Record<string, string>): AppError {
  const seconds = Number(headers["retry-after"] ?? Number.NaN);
  const options = Number.isFinite(seconds) ? { retryAfterSeconds: Math.max(0, seconds) } : {};
  if (status === 429) return failure("rate_limited", url, "pediu uma pausa (HTTP 429)", options);
  if (status >= 500) return failure("source_unavailable", url, `respondeu HTTP ${status}`, options);
  if (status === 404) return failure("source_refused", url, "respondeu HTTP 404: nada foi publicado para este período");
  // The Portal's files' host answers 403 for a day that is not published yet, its front 405 to programs that it does not
  // trust; the TCE-RS is said to answer 403 to data centres.
  const byHand = "baixe o zip num navegador e importe-o";
  const hints: Record<number, string> = {
    403: `; talvez este período ainda não tenha sido publicado, ou não se atendam servidores: ${byHand}`,
    405: `; pode ser o desafio a programas: ${byHand}`,
  };
  return failure("source_refused", url, `respondeu HTTP ${status}${hints[status] ?? ""}`);
}

function failure(
  code: "source_invalid" | "source_refused" | "source_unavailable" | "rate_limited",
  { host, pathname }: URL,
  why: string,
  options: { retryAfterSeconds?: number } = {},
): AppError {
  return new AppError(code, `${host}${pathname} ${why}`, options);
}
