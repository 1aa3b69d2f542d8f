import { finishRun, releaseRun, renewRun, startRun } from "@cidadao/database/schedule-runs";
import type { ScheduledRun } from "@cidadao/queue/jobs";
import { isTimeout, repeat } from "@cidadao/runtime/deadline";
import { messageOf } from "@cidadao/runtime/errors";
import type { Telemetry } from "@cidadao/runtime/telemetry";
import { tell, type TellContext } from "./tell.ts";

export type ScheduledContext = TellContext & { telemetry: Telemetry };

/** Replaces what is shown of the run while it is under way. */
export type ReportProgress = (progress: Record<string, unknown>) => Promise<void>;

const LEASE_SECONDS = 120;
const HEARTBEAT_MS = 20_000;
const CRASHES_MAX = 4;
const SETTLE_TIMEOUT_MS = 5_000;

/**
 * Runs the work of one slot once: under a fence and a lease that is renewed, its result or its failure stored with the
 * slot. A run that is already done or running elsewhere is left alone; one that dies here is taken again when its lease
 * ends, one that is interrupted at once.
 */
export async function runScheduled(
  context: ScheduledContext,
  run: ScheduledRun,
  signal: AbortSignal,
  work: (signal: AbortSignal, report: ReportProgress) => Promise<Record<string, unknown>>,
): Promise<void> {
  const bounds = { leaseSeconds: LEASE_SECONDS, crashesMax: CRASHES_MAX };
  const fence = await startRun(context.store, run, bounds, signal);
  if (fence === null) return;
  const log = context.logger.child({ schedule: run.scheduleId, slot: run.slot });
  const started = { ...run, fence };
  const lost = new AbortController();
  const finished = new AbortController();
  const renew = async (progress: Record<string, unknown> | null, renewing: AbortSignal) => {
    if (await renewRun(context.store, started, { leaseSeconds: LEASE_SECONDS, progress }, renewing)) return;
    if (!finished.signal.aborted) lost.abort(new Error("another worker has taken the run over"));
  };
  const onError = (error: unknown) => log.warn({ error: messageOf(error) }, "heartbeat failed");
  const heartbeat = repeat({ intervalMs: HEARTBEAT_MS, signal: finished.signal, onError }, () =>
    renew(null, AbortSignal.any([finished.signal, AbortSignal.timeout(HEARTBEAT_MS)])),
  );
  const running = AbortSignal.any([signal, lost.signal]);
  const end = await work(running, (progress) => renew(progress, running)).then(
    (result) => ({ status: "completed" as const, result }),
    (error: unknown) => ({ status: "failed" as const, problem: messageOf(error) }),
  );
  finished.abort();
  await heartbeat;
  if (end.status === "failed" && lost.signal.aborted) {
    log.info("stopped: the run is no longer ours");
    return;
  }
  if (end.status === "failed" && signal.aborted && !isTimeout(signal.reason)) {
    const released = await releaseRun(context.store, started, AbortSignal.timeout(SETTLE_TIMEOUT_MS));
    log.info({ released }, "the scheduled run was interrupted and given back");
    return;
  }
  if (!(await finishRun(context.store, started, end, AbortSignal.timeout(SETTLE_TIMEOUT_MS)))) return;
  context.telemetry.scheduleRuns.inc({ schedule: run.scheduleId, result: end.status });
  if (end.status === "completed") {
    log.debug({ result: end.result }, "the scheduled run is done");
    return;
  }
  log.error({ problem: end.problem }, "the scheduled run failed");
  await tellOfFailure(context, run, end.problem).catch((error: unknown) =>
    log.error({ error: messageOf(error) }, "nobody could be told of the failed run"),
  );
}

/** One alert a schedule and day: a job that fails every minute is one problem, not a thousand. */
async function tellOfFailure(context: ScheduledContext, run: ScheduledRun, problem: string): Promise<void> {
  const day = run.slot.slice(0, 10);
  const message = {
    title: `A tarefa agendada ${run.scheduleId} falhou`,
    severity: "high" as const,
    summary: problem,
    notes: [
      `Execução de ${run.slot}. Novas falhas desta tarefa em ${day} não geram outro alerta; veja /api/v1/schedules.`,
    ],
    findings: [],
    findingsTotal: 0,
    investigationUrl: null,
    sample: null,
  };
  const alert = { kind: "operations" as const, dedupeKey: `run-failed:${run.scheduleId}:${day}`, message };
  await tell(context, alert, AbortSignal.timeout(SETTLE_TIMEOUT_MS));
}
