import type { Store } from "@cidadao/database/store";
import { pause } from "@cidadao/runtime/deadline";
import { AppError, messageOf } from "@cidadao/runtime/errors";
import { ingestWindow, type WindowInput, type WindowSummary } from "./ingest-window.ts";

/** So many pauses without a single new page are a source that is down. */
const PAUSES_MAX = 10;
const PAUSE_SECONDS = 5;

/**
 * Brings a window in as `ingestWindow` does, and sits out the pauses that the source or the database asks for. A longer
 * one than `pauseSecondsMax` ends the reading with the failure; it can be gone on with later.
 */
export async function ingestThroughPauses(
  context: { store: Store; clock?: { now(): number } },
  input: WindowInput & { pauseSecondsMax: number; onPause?: (why: string, seconds: number) => void },
  signal: AbortSignal,
): Promise<WindowSummary> {
  const { pauseSecondsMax, onPause, ...window } = input;
  let pauses = 0;
  const onProgress: WindowInput["onProgress"] = (progress) => {
    if (progress.pages > 0) pauses = 0;
    input.onProgress?.(progress);
  };
  for (let resume = input.resume; ; resume = true) {
    try {
      return await ingestWindow(context, { ...window, resume, onProgress }, signal);
    } catch (error) {
      const seconds = error instanceof AppError && error.retry ? (error.retryAfterSeconds ?? PAUSE_SECONDS) : null;
      if (signal.aborted || seconds === null || seconds > pauseSecondsMax || ++pauses > PAUSES_MAX) throw error;
      onPause?.(messageOf(error), seconds);
      await pause(seconds * 1_000, signal);
      signal.throwIfAborted();
    }
  }
}
