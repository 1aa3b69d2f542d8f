import { hash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { maskCpfsInText } from "@cidadao/domain/tax-id";
import { AppError, messageOf } from "@cidadao/runtime/errors";
import { HttpError, type HttpClient, type HttpResponse, type HttpTimeouts } from "@cidadao/runtime/http-client";
import type { RateLimiter } from "@cidadao/runtime/rate-limit";
import { textWithoutCpfs } from "../reading.ts";
import { cacheKey, type CachedResponse, type CacheParams, type ResponseCache } from "@cidadao/runtime/response-cache";

export const SOURCE_ID = "portal-transparencia";

/** The portal gives 15 rows a page and has no parameter to change it. */
export const PAGE_ROWS = 15;
/** 150,000 rows: several times the largest list (CEIS, 23,700 rows in 2026) and the largest agency. */
const PAGES_MAX = 10_000;
const TRIES_MAX = 3;
/** A longer Retry-After is for the caller, who can delay the whole job. */
const RETRY_AFTER_SECONDS_MAX = 30;
/** The portal suspends a key for 8 hours; asking again meanwhile only prolongs it. */
const KEY_PAUSE_SECONDS = 8 * 3_600;
const BYTES_MAX = 10 * 1024 * 1024;
const MESSAGE_CHARS_MAX = 300;
const TIMEOUTS: HttpTimeouts = { connectMs: 5_000, headersMs: 30_000, bodyMs: 30_000, totalMs: 30_000 };
const BACKOFF: Backoff = { baseMs: 500, maxMs: 10_000 };

/** Waits between tries are random between 0 and `baseMs` doubled for each try, at most `maxMs`. */
type Backoff = { baseMs: number; maxMs: number };

export type PortalOptions = {
  http: Pick<HttpClient, "request">;
  /** Shared by everyone who uses the key. */
  rateLimit: RateLimiter;
  cache: ResponseCache;
  /** Up to and including "/api-de-dados". */
  baseUrl: string;
  apiKey: string;
  /** 0 turns the cache off. */
  cacheTtlSeconds: number;
  clock?: { now(): number };
  /** How long the key rests after the portal refused it. */
  keyPauseSeconds?: number;
  timeouts?: Partial<HttpTimeouts>;
  backoff?: Backoff;
  pagesMax?: number;
};

export type PortalContext = Required<Omit<PortalOptions, "timeouts">> & {
  timeouts: HttpTimeouts;
  /** When the portal refused the key, and in which words; shared by every call of this context. */
  keyRefusal: { current: { untilMs: number; message: string } | null };
};

export function createPortalContext(options: PortalOptions): PortalContext {
  return {
    clock: Date,
    keyPauseSeconds: KEY_PAUSE_SECONDS,
    backoff: BACKOFF,
    pagesMax: PAGES_MAX,
    ...options,
    baseUrl: options.baseUrl.replace(/\/+$/, ""),
    timeouts: { ...TIMEOUTS, ...options.timeouts },
    keyRefusal: { current: null },
  };
}

type Question = { path: string; params: CacheParams };

export type Answer = {
  rows: unknown[];
  headers: Record<string, string>;
  retrievedAt: string;
  fromCache: boolean;
};

/** Headers that a recorded sample adds and the mapping reads; only these are kept with a cached answer. */
export const SAMPLE_HEADER = "x-cidadao-sample";
export const RECORD_URL_HEADER = "x-cidadao-record-url";

/** Every page of a list, in order. Ends at an empty page or at one that is not full. */
export async function* askAllPages(
  context: PortalContext,
  question: Question,
  signal: AbortSignal,
): AsyncGenerator<Answer, void, void> {
  const seen = new Set<string>();
  for (let page = 1; page <= context.pagesMax; page++) {
    const asked = { path: question.path, params: { ...question.params, pagina: page } };
    const answer = await ask(context, asked, signal, (text) => {
      const digest = hash("sha1", text, "base64");
      if (seen.has(digest)) throw invalid(`${question.path} repetiu na página ${page} uma página anterior`);
      seen.add(digest);
    });
    if (answer.rows.length > 0) yield answer;
    // The portal fills every page but the last, so a short page spares the request that would only bring `[]`.
    if (answer.rows.length < PAGE_ROWS) return;
  }
  throw invalid(`${question.path} passou do limite de ${context.pagesMax} páginas; nada além delas foi lido`);
}

/** One question, from the cache or from the portal. Only an answer that can be read is stored, and no CPF with it. */
export async function ask(
  context: PortalContext,
  question: Question,
  signal: AbortSignal,
  inspect: (text: string) => void = () => {},
): Promise<Answer> {
  const { cache, baseUrl, cacheTtlSeconds, clock } = context;
  const key = cacheKey(SOURCE_ID, `${baseUrl}${question.path}`, question.params);
  const cached = cacheTtlSeconds > 0 ? await cache.get(key) : null;
  if (cached) {
    inspect(cached.text);
    return { ...cached, rows: parseRows(cached.text, question.path), fromCache: true };
  }
  const response = await askPortal(context, question, signal);
  const rows = parseRows(response.text, question.path);
  const text = textWithoutCpfs(rows);
  if (rows.length > 0) inspect(text);
  const fresh: CachedResponse = {
    text,
    headers: pick(response.headers, [SAMPLE_HEADER, RECORD_URL_HEADER]),
    retrievedAt: new Date(clock.now()).toISOString(),
  };
  if (cacheTtlSeconds > 0) await cache.set(key, fresh, cacheTtlSeconds);
  return { rows, headers: fresh.headers, retrievedAt: fresh.retrievedAt, fromCache: false };
}

/** The portal's answer with status 200, after at most `TRIES_MAX` tries where trying again can help. */
async function askPortal(context: PortalContext, question: Question, signal: AbortSignal): Promise<HttpResponse> {
  for (let attempt = 1; ; attempt++) {
    const failure = await tryOnce(context, question, signal);
    if ("response" in failure) return failure.response;
    const { error, canHelp } = failure;
    const waitSeconds = error.retryAfterSeconds;
    if (!canHelp || attempt >= TRIES_MAX) throw error;
    if (waitSeconds !== null && waitSeconds > RETRY_AFTER_SECONDS_MAX) throw error;
    await pause(waitSeconds === null ? backoffMs(context.backoff, attempt) : waitSeconds * 1_000, signal);
  }
}

type Attempt = { response: HttpResponse } | { error: AppError; canHelp: boolean };

async function tryOnce(context: PortalContext, question: Question, signal: AbortSignal): Promise<Attempt> {
  refuseWhileKeyRests(context);
  await context.rateLimit.take(SOURCE_ID, signal);
  refuseWhileKeyRests(context);
  const { path } = question;
  let response: HttpResponse;
  try {
    response = await context.http.request(
      {
        method: "GET",
        url: `${context.baseUrl}${path}?${searchOf(question.params)}`,
        headers: { "chave-api-dados": context.apiKey, accept: "application/json" },
        bytesMax: BYTES_MAX,
        timeouts: context.timeouts,
        source: SOURCE_ID,
        route: path,
      },
      signal,
    );
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof HttpError)) throw cause;
    const canHelp = cause.code === "source_unavailable" || cause.code === "deadline_exceeded";
    return { error: new AppError(cause.code, sentence(`${path} não respondeu: ${cause.message}`), { cause }), canHelp };
  }
  return judge(context, path, response);
}

function judge(context: PortalContext, path: string, response: HttpResponse): Attempt {
  const { status } = response;
  if (status === 200) return { response };
  const said = portalMessage(context, response);
  const text = `${path} respondeu HTTP ${status}${said ? `: ${said}` : ""}`;
  if (status === 401 || status === 403) return { error: restKey(context, sentence(text)), canHelp: false };
  const wait = retryAfterSeconds(response.headers["retry-after"], context.clock);
  const options = wait === null ? {} : { retryAfterSeconds: wait };
  if (status === 429) return { error: new AppError("rate_limited", sentence(text), options), canHelp: true };
  if (status >= 500) return { error: new AppError("source_unavailable", sentence(text), options), canHelp: true };
  if (status >= 400) return { error: new AppError("source_refused", sentence(text)), canHelp: false };
  return { error: invalid(text), canHelp: false };
}

function restKey(context: PortalContext, message: string): AppError {
  const untilMs = context.clock.now() + context.keyPauseSeconds * 1_000;
  context.keyRefusal.current = { untilMs, message };
  return keyRefused(context, message, untilMs);
}

function refuseWhileKeyRests(context: PortalContext): void {
  const refusal = context.keyRefusal.current;
  if (!refusal) return;
  if (context.clock.now() < refusal.untilMs) throw keyRefused(context, refusal.message, refusal.untilMs);
  context.keyRefusal.current = null;
}

function keyRefused(context: PortalContext, message: string, untilMs: number): AppError {
  const until = new Date(untilMs).toISOString();
  return new AppError("source_refused", `${message}. A chave foi recusada ou suspensa e não será usada até ${until}`, {
    retryAfterSeconds: Math.ceil((untilMs - context.clock.now()) / 1_000),
  });
}

function parseRows(text: string, path: string): unknown[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    const what = /^\s*</.test(text) ? "uma página HTML" : `um texto que não é JSON (${text.length} caracteres)`;
    throw invalid(`${path} respondeu ${what}`, cause);
  }
  if (!Array.isArray(body)) throw invalid(`${path} não respondeu uma lista`);
  return body;
}

function invalid(text: string, cause?: unknown): AppError {
  return new AppError("source_invalid", sentence(text), { cause });
}

function sentence(text: string): string {
  return `Portal da Transparência: ${text}`;
}

/** The portal's own words: {"Erro na API": "…"} or Spring's {"message": "…"}. Never a web page, never the key. */
function portalMessage(context: PortalContext, response: HttpResponse): string | null {
  const message = jsonMessage(response.text) ?? (/^\s*</.test(response.text) ? null : response.text);
  if (!message?.trim()) return null;
  const safe = context.apiKey ? message.replaceAll(context.apiKey, "***") : message;
  return maskCpfsInText(safe).trim().slice(0, MESSAGE_CHARS_MAX);
}

function jsonMessage(text: string): string | null {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== "object" || body === null) return null;
    const found = Object.entries(body).find(([name]) => ["Erro na API", "message", "error"].includes(name));
    return found ? messageOf(found[1]) : null;
  } catch {
    return null;
  }
}

/** Seconds from a Retry-After in seconds or as a date. */
function retryAfterSeconds(header: string | undefined, clock: { now(): number }): number | null {
  if (header === undefined || header.trim() === "") return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - clock.now()) / 1_000));
}

function backoffMs(backoff: Backoff, attempt: number): number {
  return Math.random() * Math.min(backoff.maxMs, backoff.baseMs * 2 ** (attempt - 1));
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function searchOf(params: CacheParams): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined) search.set(name, String(value));
  }
  return search.toString();
}

function pick(headers: Record<string, string>, names: string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
}
