import { pause } from "@cidadao/runtime/deadline";
import {
  type ModelAnswer,
  ModelError,
  type ModelFailure,
  type ModelPort,
  type ModelRequest,
  type ModelTokens,
} from "./port.ts";

/** One call as metrics count it; `result` is `ok` or why there is no answer. */
export type ModelCall = {
  provider: string;
  model: string;
  result: "ok" | ModelFailure;
  tokens: ModelTokens;
};

/** Why one attempt brought nothing. */
export type ModelProblem = { provider: string; model: string; failure: ModelFailure; message: string };

/** `problems` names every attempt that failed, also those before a success. */
export type ChainResult =
  | { ok: true; text: string; provider: string; model: string; tokens: ModelTokens; problems: ModelProblem[] }
  | { ok: false; problems: ModelProblem[] };

export type ModelChain = {
  /** In the order in which they are asked; empty when no key is configured. */
  models: { provider: string; model: string }[];
  /** Never rejects for what a vendor does; rejects with the signal's reason when the signal aborts. */
  complete(request: ModelRequest, signal: AbortSignal): Promise<ChainResult>;
};

export type ChainOptions = {
  /** What one vendor may take for one request, its retry and the pause before it included. */
  callTimeoutMs?: number;
  /** Longest pause before a retry where the vendor names none; the real one is random. */
  backoffMsMax?: number;
  onCall?: (call: ModelCall) => void;
};

const CALL_TIMEOUT_MS = 18_000;
const TRIES_MAX = 2;
const BACKOFF_MS_MAX = 500;
const FAILURES_IN_A_ROW_MAX = 5;
const REST_MS = 15_000;
/** Vendors have asked for pauses of days. */
const REST_MS_MAX = 15 * 60_000;

/** Asks the first model; when it does not answer well, the next. Each vendor gets one retry where that can help. */
export function createModelChain(ports: ModelPort[], options: ChainOptions = {}): ModelChain {
  const { callTimeoutMs = CALL_TIMEOUT_MS, backoffMsMax = BACKOFF_MS_MAX, onCall } = options;
  const links = ports.map((port): Link => ({ port, restsUntilMs: 0, failuresInARow: 0 }));

  async function complete(request: ModelRequest, signal: AbortSignal): Promise<ChainResult> {
    const problems: ModelProblem[] = [];
    for (const link of links) {
      const { id: provider, model } = link.port;
      const answer = await ask(link, { request, callTimeoutMs, backoffMsMax, problems, onCall }, signal);
      if (answer) return { ok: true, text: answer.text, provider, model, tokens: answer.tokens, problems };
    }
    return { ok: false, problems };
  }

  return { models: ports.map(({ id, model }) => ({ provider: id, model })), complete };
}

/** A vendor and what it asked for or did lately; a pause it asks for is kept by every request of the process. */
type Link = { port: ModelPort; restsUntilMs: number; failuresInARow: number };

type Ask = {
  request: ModelRequest;
  callTimeoutMs: number;
  backoffMsMax: number;
  problems: ModelProblem[];
  onCall: ChainOptions["onCall"];
};

async function ask(link: Link, context: Ask, signal: AbortSignal): Promise<ModelAnswer | null> {
  const { port } = link;
  const { request, callTimeoutMs, backoffMsMax, problems, onCall } = context;
  const startedMs = performance.now();
  const call = AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]);
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted();
    if (isResting(link)) {
      const message = "left out: it asked for a pause or failed too often just now";
      problems.push({ provider: port.id, model: port.model, failure: "resting", message });
      return null;
    }
    const outcome = await attempt(port, request, call);
    signal.throwIfAborted();
    note(link, outcome);
    const { id: provider, model } = port;
    if (!(outcome instanceof ModelError)) {
      onCall?.({ provider, model, result: "ok", tokens: outcome.tokens });
      return outcome;
    }
    const { failure, message, tokens } = outcome;
    onCall?.({ provider, model, result: failure, tokens: tokens ?? { input: 0, output: 0 } });
    problems.push({ provider, model, failure, message });
    const asked = outcome.retryAfterSeconds;
    const pauseMs = asked === null ? Math.random() * backoffMsMax : asked * 1_000;
    const leftMs = callTimeoutMs - (performance.now() - startedMs);
    // A pause has to leave half of the time for the answer itself.
    if (!outcome.retry || tries >= TRIES_MAX || isFailing(link) || pauseMs > leftMs / 2) return null;
    await pause(pauseMs, call);
    link.restsUntilMs = 0;
  }
}

/** Ends with the signal even when the port does not. */
async function attempt(port: ModelPort, request: ModelRequest, call: AbortSignal): Promise<ModelAnswer | ModelError> {
  const late = () => new ModelError("timeout", "no whole answer in time");
  if (call.aborted) return late();
  const { promise: ended, resolve: end } = Promise.withResolvers<ModelError>();
  const onAbort = () => end(late());
  call.addEventListener("abort", onAbort, { once: true });
  const answered = port.complete(request, call).catch((error: unknown) => {
    if (call.aborted) return late();
    return error instanceof ModelError ? error : new ModelError("unexpected", "the port failed unexpectedly");
  });
  try {
    return await Promise.race([answered, ended]);
  } finally {
    call.removeEventListener("abort", onAbort);
  }
}

function isFailing(link: Link): boolean {
  return link.failuresInARow >= FAILURES_IN_A_ROW_MAX;
}

function isResting(link: Link): boolean {
  const nowMs = performance.now();
  if (nowMs < link.restsUntilMs) return true;
  // After a row of failures one request at a time finds out whether the vendor is back.
  if (isFailing(link)) link.restsUntilMs = nowMs + REST_MS;
  return false;
}

function note(link: Link, outcome: ModelAnswer | ModelError): void {
  if (!(outcome instanceof ModelError)) {
    link.failuresInARow = 0;
    link.restsUntilMs = 0;
    return;
  }
  const nowMs = performance.now();
  if (outcome.failure === "rate_limited" && outcome.retryAfterSeconds !== null) {
    // A pause asked for is no failure.
    link.restsUntilMs = nowMs + Math.min(outcome.retryAfterSeconds * 1_000, REST_MS_MAX);
    return;
  }
  link.failuresInARow += 1;
  if (isFailing(link)) link.restsUntilMs = nowMs + REST_MS;
}
