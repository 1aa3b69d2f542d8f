import { finishRun, startRun } from "@cidadao/database/schedule-runs";
import type { Store } from "@cidadao/database/store";
import type { ScheduledRun } from "@cidadao/queue/jobs";
import { isTimeout } from "@cidadao/runtime/deadline";
import { messageOf } from "@cidadao/runtime/errors";
import type { Logger } from "@cidadao/runtime/logger";
import type { Telemetry } from "@cidadao/runtime/telemetry";

export type ScheduledContext = { store: Store; logger: Logger; telemetry: Telemetry };

const SETTLE_TIMEOUT_MS = 5_000;

/**
 * Runs the work of one slot once: under a fence, its result or its failure stored with the slot. A run that is already
 * done or running elsewhere is left alone; one that dies here is taken again when its lease ends.
 */
export async function runScheduled(
  context: ScheduledContext,
  input: { run: ScheduledRun; leaseSeconds: number },
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Record<string, unknown>>,
): Promise<void> {
  const { run } = input;
  const fence = await startRun(context.store, run, input.leaseSeconds, signal);
  if (fence === null) return;
  const log = context.logger.child({ schedule: run.scheduleId, slot: run.slot });
  const end = await work(signal).then(
    (result) => ({ status: "completed" as const, result }),
    (error: unknown) => ({ status: "failed" as const, problem: messageOf(error) }),
  );
  if (end.status === "failed" && signal.aborted && !isTimeout(signal.reason)) {
    log.info("the scheduled run was interrupted; it is taken again when its lease ends");
    return;
  }
  await finishRun(context.store, { ...run, fence }, end, AbortSignal.timeout(SETTLE_TIMEOUT_MS));
  context.telemetry.scheduleRuns.inc({ schedule: run.scheduleId, result: end.status });
  if (end.status === "failed") log.error({ problem: end.problem }, "the scheduled run failed");
  else log.debug({ result: end.result }, "the scheduled run is done");
}
