import { readBacklog } from "@cidadao/database/investigations";
import { latestRuns, readScheduleState } from "@cidadao/database/schedule-runs";
import type { Store } from "@cidadao/database/store";
import type { QueueName } from "@cidadao/queue/jobs";
import { schedules } from "@cidadao/queue/schedules";
import { nextSlot } from "@cidadao/queue/slots";

export type HealthContext = {
  store: Store;
  queueDepths: (timeoutMs: number) => Promise<Record<QueueName, number> | null>;
  /** The time that schedules are late by, given the database's; left out: the database's. */
  clock?: (databaseTime: Date) => Date;
};

const DEPTHS_TIMEOUT_MS = 5_000;
const CLOCK_DRIFT_MS_MAX = 2_000;
/** The oldest investigation may have waited for so long; then workers are too few, or stuck. */
const WAIT_SECONDS_MAX = 3_600;
/** A schedule is late when its next slot passed so long ago and nobody claimed it. */
const LATE_MS_MAX = 600_000;

/**
 * Looks at what this system depends on and at itself: clocks, queues, how long work waits, and whether every schedule came
 * when it had to. Fails with every problem there is, so that somebody is told.
 */
export async function checkHealth(context: HealthContext, signal: AbortSignal): Promise<Record<string, unknown>> {
  const problems: string[] = [];
  const ids = schedules.map(({ id }) => id);
  const askedAt = Date.now();
  const state = await readScheduleState(context.store, ids, signal);
  const driftMs = Math.max(0, askedAt - state.now.getTime(), state.now.getTime() - Date.now());
  if (driftMs > CLOCK_DRIFT_MS_MAX) problems.push(`o relógio desta máquina e o do banco diferem em ${driftMs} ms`);
  const depths = await context.queueDepths(DEPTHS_TIMEOUT_MS);
  if (depths === null) problems.push("a fila não responde");
  const backlog = await readBacklog(context.store, signal);
  if (backlog.oldestSeconds > WAIT_SECONDS_MAX)
    problems.push(`${backlog.waiting} investigações esperam, a mais antiga há ${backlog.oldestSeconds} s`);
  const now = context.clock ? context.clock(state.now) : state.now;
  for (const { id, cron } of schedules) {
    const latest = state.latest.get(id);
    if (latest === undefined) continue; // it has not come yet
    const lateMs = now.getTime() - nextSlot(cron, latest).getTime();
    if (lateMs > LATE_MS_MAX) problems.push(`a agenda ${id} está atrasada em ${Math.round(lateMs / 60_000)} minutos`);
  }
  const crashed = [...(await latestRuns(context.store, ids, signal)).values()]
    .flatMap(({ run }) => (run?.status === "failed" && run.crashes > 0 ? [run] : []))
    .map((run) => `${run.scheduleId}: ${run.problem}`);
  problems.push(...crashed);
  if (problems.length > 0) throw new Error(problems.join("; "));
  return { driftMs, depths, backlog };
}
