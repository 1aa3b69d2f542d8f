import { flushCompileCache } from "node:module";
import type { Logger } from "./logger.ts";
import { ConfigError } from "./config.ts";
import { messageOf } from "./errors.ts";

export type ProcessScope = {
  /** Aborted once: by SIGTERM, SIGINT, the loss of a parent that started us, or `fail`. */
  readonly signal: AbortSignal;
  /** What is acquired goes here; it is released in reverse order when the process stops. */
  readonly resources: AsyncDisposableStack;
  /** Stops the process as a signal from outside would: what started it starts a fresh one. */
  stop: (reason: string) => void;
  /** Stops the process with an error exit: for a state that only a fresh process can mend. */
  fail(reason: string): void;
};

const LEFTOVERS_MS = 500;

/**
 * Runs a long-lived process: `start` acquires, then the process lives until it is told to stop, then everything is
 * released; a timer ends what will not end. Sets the exit code instead of exiting, so that buffers are flushed.
 */
export async function runProcess(
  options: { logger: Logger; drainSeconds: number },
  start: (scope: ProcessScope) => Promise<void>,
): Promise<void> {
  const { logger } = options;
  const stop = new AbortController();
  const resources = new AsyncDisposableStack();
  const ask = (reason: string) => {
    if (stop.signal.aborted) return;
    logger.info({ reason }, "stopping");
    stop.abort(new Error(reason));
    setTimeout(() => {
      logger.fatal({ drainSeconds: options.drainSeconds }, "did not stop in time; ending the process");
      process.exit(1);
    }, options.drainSeconds * 1000).unref();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => ask(signal));
  // Started with an IPC channel, we belong to the process at its other end.
  if (process.channel) {
    process.on("disconnect", () => ask("the parent process is gone"));
    process.channel.unref();
  }
  const stopped = new Promise<void>((resolve) => {
    stop.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const scope: ProcessScope = {
    signal: stop.signal,
    resources,
    stop: ask,
    fail: (reason) => {
      process.exitCode = 1;
      logger.fatal({ reason }, "cannot go on");
      ask(reason);
    },
  };
  const alive = setInterval(() => {}, 60_000);
  try {
    await start(scope);
    // With NODE_COMPILE_CACHE set, the next start finds everything compiled, even if this process dies unasked.
    flushCompileCache();
    await stopped;
  } catch (error) {
    if (!stop.signal.aborted) {
      process.exitCode = 1;
      logger.fatal({ error: messageOf(error) }, "could not start");
      ask("could not start");
    }
  } finally {
    clearInterval(alive);
    try {
      await resources.disposeAsync();
    } catch (error) {
      process.exitCode = 1;
      logger.error({ error: messageOf(error) }, "could not release everything");
    }
    logger.info("stopped");
    if (process.channel) process.disconnect();
    // Nothing of ours is left; timers of libraries (a reconnect, a stalled check) may sleep on for many seconds.
    setTimeout(() => process.exit(), LEFTOVERS_MS).unref();
  }
}

/** Prints a configuration error as people need it, without a stack, and stops; anything else is a bug and crashes. */
export function stopOnConfigError(error: unknown): never {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(78);
}
