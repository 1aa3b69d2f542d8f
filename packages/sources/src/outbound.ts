import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { maskCpfsInText } from "@cidadao/domain/tax-id";
import { AppError, type ErrorCode, messageOf } from "@cidadao/runtime/errors";
import { HttpError, type HttpClient, type HttpResponse, type HttpTimeouts } from "@cidadao/runtime/http-client";
import type { Pauses } from "@cidadao/runtime/pauses";
import type { RateLimiter } from "@cidadao/runtime/rate-limit";
import { cacheKey, type CachedResponse, type CacheParams, type ResponseCache } from "@cidadao/runtime/response-cache";
import {
  BrokenCircuitError,
  bulkhead,
  type BulkheadPolicy,
  circuitBreaker,
  type CircuitBreakerPolicy,
  CountBreaker,
  handleWhen,
} from "cockatiel";
import { textWithoutCpfs } from "./reading.ts";

/** What a process gives to every source. */
export type Outbound = {
  http: Pick<HttpClient, "request">;
  /** So many calls a minute, of all processes together that share the limiter's store. */
  limiter: (perMinute: number) => RateLimiter;
  cache: ResponseCache;
  pauses: Pauses;
  /** Seconds an answer is reused; 0 turns the cache off. */
  cacheTtlSeconds: number;
  clock?: { now(): number };
  observe?: (event: OutboundEvent) => void;
};

/** What happened at a door besides the calls themselves, for those who count. */
export type OutboundEvent = {
  source: string;
  kind: "cache_hit" | "cache_miss" | "joined" | "retried" | "paused" | "circuit_opened" | "circuit_closed";
};

export type Rate = {
  perMinute: number;
  /** From 00:00 to 05:59 in Brasília, where the publisher allows more. */
  perMinuteAtNight?: number;
  /** Paths that have a smaller limit besides; they count for both. */
  restricted?: { perMinute: number; paths: readonly string[] };
};

/** Waits between tries are random between 0 and `baseMs` doubled for each try, at most `maxMs`. */
export type Backoff = { baseMs: number; maxMs: number };

/** What an answer with another status than 200 is; `null` leaves it to the rule of the house. */
export type Judge = (response: HttpResponse, path: string) => Verdict | null;
export type Verdict =
  | "nothing"
  | {
      code: ErrorCode;
      retry: boolean;
      /** Nobody asks this source again for so long. */ pauseSeconds?: number;
      why?: string;
    };

export type DoorOptions = {
  source: string;
  /** Begins every message. */
  name: string;
  baseUrl: string;
  rate: Rate;
  /** Calls under way at the same time, of one process. */
  callsAtOnce: number;
  headers?: Record<string, string>;
  /** Never repeated in a message. */
  secrets?: string[];
  judge?: Judge;
  timeouts?: Partial<HttpTimeouts>;
  backoff?: Backoff;
  triesMax?: number;
  bytesMax?: number;
  /** Tells the caller to come back so much later when the source refuses for the rate and names no time. */
  pauseSeconds?: number;
};

/** The one way to a source: what its publisher asks of callers is kept here, whoever calls. */
export type Door = Required<Omit<DoorOptions, "judge" | "pauseSeconds">> & {
  outbound: Outbound;
  clock: { now(): number };
  judge: Judge;
  pauseSeconds: number | null;
  limiters: { byDay: RateLimiter; atNight: RateLimiter; restricted: RateLimiter | null };
  lanes: BulkheadPolicy;
  circuit: CircuitBreakerPolicy;
  flights: Map<string, Flight>;
};

export type Question = {
  path: string;
  params: CacheParams;
  timeouts?: Partial<HttpTimeouts>;
  /** Seconds an answer is reused, where that is not the same for every answer; `null` is a body of nothing. */
  cacheTtlSeconds?: (body: unknown) => number;
};

export type Answered = {
  /** Parsed JSON; `null` when the source says that there is nothing. */
  body: unknown;
  headers: Record<string, string>;
  retrievedAt: string;
  fromCache: boolean;
};

/** Headers that a recorded sample adds; only these are kept with a cached answer. */
export const SAMPLE_HEADER = "x-cidadao-sample";
export const RECORD_URL_HEADER = "x-cidadao-record-url";

const TRIES_MAX = 3;
/** A longer Retry-After is for the caller, who can delay the whole job. */
const RETRY_AFTER_SECONDS_MAX = 30;
const BYTES_MAX = 10 * 1024 * 1024;
const TIMEOUTS: HttpTimeouts = { connectMs: 5_000, headersMs: 30_000, bodyMs: 30_000, totalMs: 30_000 };
const BACKOFF: Backoff = { baseMs: 500, maxMs: 10_000 };
const MESSAGE_CHARS_MAX = 300;
const WAITERS_MAX = 10_000;
/** Half of the last calls failed: the source is left alone for a while, then one call looks whether it is back. */
const CIRCUIT = { threshold: 0.5, size: 30, minimumNumberOfCalls: 15 };
const CIRCUIT_OPEN_MS = 15_000;

export function openDoor(outbound: Outbound, options: DoorOptions): Door {
  const { source, rate } = options;
  const circuit = circuitBreaker(
    handleWhen((error) => error instanceof Refusal && error.countsAgainstSource),
    { halfOpenAfter: CIRCUIT_OPEN_MS, breaker: new CountBreaker(CIRCUIT) },
  );
  circuit.onBreak(() => outbound.observe?.({ source, kind: "circuit_opened" }));
  circuit.onReset(() => outbound.observe?.({ source, kind: "circuit_closed" }));
  const byDay = outbound.limiter(rate.perMinute);
  return {
    headers: {},
    secrets: [],
    judge: () => null,
    backoff: BACKOFF,
    triesMax: TRIES_MAX,
    bytesMax: BYTES_MAX,
    ...options,
    pauseSeconds: options.pauseSeconds ?? null,
    baseUrl: options.baseUrl.replace(/\/+$/, ""),
    timeouts: { ...TIMEOUTS, ...options.timeouts },
    outbound,
    clock: outbound.clock ?? Date,
    limiters: {
      byDay,
      atNight: rate.perMinuteAtNight === undefined ? byDay : outbound.limiter(rate.perMinuteAtNight),
      restricted: rate.restricted ? outbound.limiter(rate.restricted.perMinute) : null,
    },
    lanes: bulkhead(options.callsAtOnce, WAITERS_MAX),
    circuit,
    flights: new Map(),
  };
}

/**
 * One question, from the cache or from the source; asked once however many ask it at the same time. Only an answer that
 * can be read and that `accept` does not refuse is stored, and no CPF with it.
 */
export async function ask(
  door: Door,
  question: Question,
  signal: AbortSignal,
  accept: (body: unknown, text: string) => void = () => {},
): Promise<Answered> {
  const { outbound, source } = door;
  const key = cacheKey(source, `${door.baseUrl}${question.path}`, question.params);
  const cached = outbound.cacheTtlSeconds > 0 ? await outbound.cache.get(key) : null;
  if (cached) {
    outbound.observe?.({ source, kind: "cache_hit" });
    const body = parseBody(door, question.path, cached.text);
    accept(body, cached.text);
    return { body, headers: cached.headers, retrievedAt: cached.retrievedAt, fromCache: true };
  }
  outbound.observe?.({ source, kind: "cache_miss" });
  const response = await joinFlight(door, key, (shared) => askSource(door, question, shared), signal);
  const body = response === null ? null : parseBody(door, question.path, response.text);
  const text = textWithoutCpfs(body);
  accept(body, text);
  const fresh: CachedResponse = {
    text,
    headers: pick(response?.headers ?? {}, [SAMPLE_HEADER, RECORD_URL_HEADER]),
    retrievedAt: new Date(door.clock.now()).toISOString(),
  };
  const ttlSeconds = outbound.cacheTtlSeconds > 0 ? (question.cacheTtlSeconds?.(body) ?? outbound.cacheTtlSeconds) : 0;
  if (ttlSeconds > 0) await outbound.cache.set(key, fresh, ttlSeconds);
  return { body, headers: fresh.headers, retrievedAt: fresh.retrievedAt, fromCache: false };
}

/** The same door without the cache: for questions whose answer has to be of now. */
export function uncached(door: Door): Door {
  return { ...door, outbound: { ...door.outbound, cacheTtlSeconds: 0 } };
}

/** A failure of the source that says what came; `text` begins with the source's name. */
export function invalid(door: Pick<Door, "name">, text: string, cause?: unknown): AppError {
  return new AppError("source_invalid", `${door.name}: ${text}`, { cause });
}

/** A digest by which a page is told from another. */
export function digestOf(text: string): string {
  return createHash("sha1").update(text).digest("base64");
}

type Flight = { answer: Promise<HttpResponse | null>; passengers: number; stop: AbortController };

/** The work goes on until the last who waits for it has given up. */
async function joinFlight(
  door: Door,
  key: string,
  work: (signal: AbortSignal) => Promise<HttpResponse | null>,
  signal: AbortSignal,
): Promise<HttpResponse | null> {
  signal.throwIfAborted();
  let flight = door.flights.get(key);
  if (flight) {
    door.outbound.observe?.({ source: door.source, kind: "joined" });
  } else {
    const stop = new AbortController();
    const answer = work(stop.signal).finally(() => door.flights.delete(key));
    answer.catch(() => {}); // whoever waits hears of it
    flight = { answer, passengers: 0, stop };
    door.flights.set(key, flight);
  }
  flight.passengers++;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([flight.answer, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
    flight.passengers--;
    if (flight.passengers === 0 && signal.aborted) {
      flight.stop.abort(signal.reason);
      door.flights.delete(key);
    }
  }
}

/** The source's good answer, or `null` for nothing, after at most `triesMax` tries where trying again can help. */
async function askSource(door: Door, question: Question, signal: AbortSignal): Promise<HttpResponse | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await door.lanes.execute(() => tryOnce(door, question, signal));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof BrokenCircuitError) throw circuitIsOpen(door, question.path);
      if (!(error instanceof Refusal)) throw error;
      if (!error.canHelp) throw error.failure;
      const waitSeconds = error.failure.retryAfterSeconds;
      if (waitSeconds !== null && waitSeconds > RETRY_AFTER_SECONDS_MAX) {
        throw error.failure.code === "rate_limited"
          ? await startPause(door, { code: "rate_limited", message: error.failure.message, seconds: waitSeconds })
          : error.failure;
      }
      if (attempt >= door.triesMax) throw await lastFailure(door, error.failure);
      door.outbound.observe?.({ source: door.source, kind: "retried" });
      await pause(waitSeconds === null ? backoffMs(door.backoff, attempt) : waitSeconds * 1_000, signal);
    }
  }
}

/** A source that goes on refusing for the rate is left alone by everybody, where its manners say for how long. */
async function lastFailure(door: Door, failure: AppError): Promise<AppError> {
  if (failure.code !== "rate_limited" || door.pauseSeconds === null) return failure;
  return startPause(door, { code: "rate_limited", message: failure.message, seconds: door.pauseSeconds });
}

/** One try that failed. `canHelp`: another may not. */
class Refusal extends Error {
  readonly failure: AppError;
  readonly canHelp: boolean;
  constructor(failure: AppError, canHelp: boolean) {
    super(failure.message);
    this.failure = failure;
    this.canHelp = canHelp;
  }
  /** A source that answers, even with no, is not broken. */
  get countsAgainstSource(): boolean {
    return this.failure.code === "source_unavailable" || this.failure.code === "deadline_exceeded";
  }
}

async function tryOnce(door: Door, question: Question, signal: AbortSignal): Promise<HttpResponse | null> {
  signal.throwIfAborted();
  await refuseWhilePaused(door);
  await takeTurn(door, question.path, signal);
  // The pause may have begun while this call stood in line.
  await refuseWhilePaused(door);
  return door.circuit.execute(() => send(door, question, signal));
}

async function takeTurn(door: Door, path: string, signal: AbortSignal): Promise<void> {
  const { limiters, rate, source } = door;
  if (limiters.restricted && rate.restricted!.paths.some((restricted) => path.startsWith(restricted))) {
    await limiters.restricted.take(`${source}:restricted`, signal);
  }
  await (isNight(door.clock.now()) ? limiters.atNight : limiters.byDay).take(source, signal);
}

const BRASILIA_OFFSET_MS = -3 * 3_600_000;
const NIGHT_ENDS_MINUTE = 6 * 60;
/** No minute that reaches into the day may hold a call too many. */
const NIGHT_MARGIN_MINUTES = 2;

function isNight(nowMs: number): boolean {
  const minuteOfDay = Math.floor((nowMs + BRASILIA_OFFSET_MS) / 60_000) % (24 * 60);
  return minuteOfDay < NIGHT_ENDS_MINUTE - NIGHT_MARGIN_MINUTES;
}

async function send(door: Door, question: Question, signal: AbortSignal): Promise<HttpResponse | null> {
  const { path } = question;
  const search = searchOf(question.params);
  let response: HttpResponse;
  try {
    response = await door.outbound.http.request(
      {
        method: "GET",
        url: `${door.baseUrl}${path}${search === "" ? "" : `?${search}`}`,
        headers: { accept: "application/json", ...door.headers },
        bytesMax: door.bytesMax,
        timeouts: { ...door.timeouts, ...question.timeouts },
        source: door.source,
        route: path.replaceAll(/\/[^/]*\d[^/]*(?=\/|$)/g, "/:id"),
      },
      signal,
    );
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof HttpError)) throw cause;
    const canHelp = cause.code === "source_unavailable" || cause.code === "deadline_exceeded";
    const message = `${door.name}: ${path} não respondeu: ${cause.message}`;
    throw new Refusal(new AppError(cause.code, message, { cause }), canHelp);
  }
  return judged(door, path, response);
}

async function judged(door: Door, path: string, response: HttpResponse): Promise<HttpResponse | null> {
  const verdict = response.status === 200 ? null : (door.judge(response, path) ?? houseRule(response.status));
  if (verdict === null) return response;
  if (verdict === "nothing") return null;
  const said = wordsOf(door, response);
  const message = `${door.name}: ${path} respondeu HTTP ${response.status}${said ? `: ${said}` : ""}`;
  if (verdict.pauseSeconds !== undefined) {
    const why = verdict.why === undefined ? message : `${message}. ${verdict.why}`;
    const failure = await startPause(door, { code: verdict.code, message: why, seconds: verdict.pauseSeconds });
    throw new Refusal(failure, false);
  }
  const wait = retryAfterSeconds(response.headers["retry-after"], door.clock);
  const options = wait === null || !verdict.retry ? {} : { retryAfterSeconds: wait };
  throw new Refusal(new AppError(verdict.code, message, options), verdict.retry);
}

function houseRule(status: number): Verdict {
  if (status === 204) return "nothing";
  if (status === 429) return { code: "rate_limited", retry: true };
  if (status >= 500) return { code: "source_unavailable", retry: true };
  if (status >= 400) return { code: "source_refused", retry: false };
  return { code: "source_invalid", retry: false };
}

async function startPause(
  door: Door,
  pausing: { code: ErrorCode; message: string; seconds: number },
): Promise<AppError> {
  const untilMs = door.clock.now() + pausing.seconds * 1_000;
  await door.outbound.pauses.set(door.source, { untilMs, code: pausing.code, reason: pausing.message });
  door.outbound.observe?.({ source: door.source, kind: "paused" });
  return paused(door, pausing.code, pausing.message, untilMs);
}

async function refuseWhilePaused(door: Door): Promise<void> {
  const found = await door.outbound.pauses.get(door.source);
  if (!found || door.clock.now() >= found.untilMs) return;
  throw new Refusal(paused(door, found.code, found.reason, found.untilMs), false);
}

function paused(door: Door, code: ErrorCode, message: string, untilMs: number): AppError {
  const until = new Date(untilMs).toISOString();
  return new AppError(code, `${message}. Nada será perguntado a esta fonte até ${until}`, {
    retryAfterSeconds: Math.ceil((untilMs - door.clock.now()) / 1_000),
  });
}

function circuitIsOpen(door: Door, path: string): AppError {
  const why = "as últimas chamadas falharam, e a fonte não será chamada por alguns segundos";
  const retryAfterSeconds = CIRCUIT_OPEN_MS / 1_000;
  return new AppError("source_unavailable", `${door.name}: ${path} não foi perguntado: ${why}`, { retryAfterSeconds });
}

function parseBody(door: Door, path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const what = /^\s*</.test(text) ? "uma página HTML" : `um texto que não é JSON (${text.length} caracteres)`;
    throw invalid(door, `${path} respondeu ${what}`, cause);
  }
}

/** The source's own words: what its JSON calls an error, or a short plain text. Never a web page, never a secret. */
function wordsOf(door: Door, response: HttpResponse): string | null {
  const message = jsonMessage(response.text) ?? (/^\s*</.test(response.text) ? null : response.text);
  if (!message?.trim()) return null;
  const safe = door.secrets.reduce((text, secret) => (secret ? text.replaceAll(secret, "***") : text), message);
  return maskCpfsInText(safe).trim().slice(0, MESSAGE_CHARS_MAX);
}

const MESSAGE_FIELDS = ["Erro na API", "message", "error"];

function jsonMessage(text: string): string | null {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== "object" || body === null) return null;
    const named = MESSAGE_FIELDS.flatMap((name) => Object.entries(body).filter(([key]) => key === name));
    return named[0] ? messageOf(named[0][1]) : null;
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
