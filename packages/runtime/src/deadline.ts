import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "./errors.ts";

/** Rejects with `deadline_exceeded` when `work` takes longer; the work itself is not stopped. */
export async function withDeadline<Result>(work: Promise<Result>, timeoutMs: number, what: string): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new AppError("deadline_exceeded", `${what} took longer than ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves after `delayMs`, or at once when the signal aborts: loops check the signal, not this. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  try {
    await sleep(delayMs, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Calls `turn` again and again, `intervalMs` apart, until the signal aborts. A turn never overlaps the next. */
export async function repeat(
  options: { intervalMs: number; signal: AbortSignal; onError: (error: unknown) => void },
  turn: () => Promise<void>,
): Promise<void> {
  while (!options.signal.aborted) {
    try {
      await turn();
    } catch (error) {
      if (!options.signal.aborted) options.onError(error);
    }
    await pause(options.intervalMs, options.signal);
  }
}

/**
 * A signal that aborts with any of `signals`, or with a `TimeoutError` after `timeoutMs`, until it is disposed of.
 * `AbortSignal.any` and `AbortSignal.timeout` would keep what listens to them in memory until the time is over.
 */
export function limitedSignal(
  timeoutMs: number,
  signals: readonly AbortSignal[],
): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new DOMException(`took longer than ${timeoutMs} ms`, "TimeoutError")),
    timeoutMs,
  );
  const follow = signals.map((parent) => ({ parent, abort: () => controller.abort(parent.reason) }));
  for (const { parent, abort } of follow) {
    if (parent.aborted) abort();
    else parent.addEventListener("abort", abort, { once: true });
  }
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      for (const { parent, abort } of follow) parent.removeEventListener("abort", abort);
    },
  };
}

/** True for the reason of a signal whose time was over, as against one that somebody aborted. */
export function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}
