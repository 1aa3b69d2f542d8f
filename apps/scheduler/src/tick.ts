import {
  claimSlot,
  markRunUnqueued,
  readScheduleState,
  startScheduleAfter,
  takeUnqueuedRuns,
} from "@cidadao/database/schedule-runs";
import type { Store } from "@cidadao/database/store";
import { isScheduledJob } from "@cidadao/queue/jobs";
import type { Enqueue } from "@cidadao/queue/produce";
import type { Schedule } from "@cidadao/queue/schedules";
import { dueSlots } from "@cidadao/queue/slots";
import { messageOf } from "@cidadao/runtime/errors";
import type { Logger } from "@cidadao/runtime/logger";

export type TickContext = {
  store: Store;
  enqueue: Enqueue;
  queueIsReady: () => boolean;
  /** The time that slots are computed from, given the database's; left out: the database's. */
  clock?: (databaseTime: Date) => Date;
  /** A run that waits on the queue for longer is put there again, in case the queue lost it. */
  graceSeconds: number;
  logger: Logger;
};

const RUNS_PER_TICK = 50;
const ENQUEUE_TIMEOUT_MS = 2_500;
/** Two clocks further apart than this make leases and logs hard to read. */
const CLOCK_DRIFT_MS_MAX = 2_000;

/**
 * Claims every due slot by the database's clock, then puts claimed slots on the queue. The row comes before the job:
 * with the queue away slots are still written, and any replica hands them over when it is back.
 */
export async function tick(context: TickContext, schedules: readonly Schedule[], signal: AbortSignal): Promise<void> {
  const ids = schedules.map(({ id }) => id);
  const askedAt = Date.now();
  const state = await readScheduleState(context.store, ids, signal);
  const driftMs = Math.max(askedAt - state.now.getTime(), state.now.getTime() - Date.now());
  if (driftMs > CLOCK_DRIFT_MS_MAX)
    context.logger.warn({ driftMs }, "this clock and the database's differ; set both by NTP");
  const now = context.clock ? context.clock(state.now) : state.now;
  for (const schedule of schedules) {
    const latest = state.latest.get(schedule.id) ?? null;
    for (const due of dueSlots(schedule, latest, now)) {
      if (latest === null && schedule.firstSlot === "next") {
        await startScheduleAfter(context.store, { scheduleId: schedule.id, slot: due.slot }, signal);
        break;
      }
      const run = { scheduleId: schedule.id, job: schedule.job, ...due };
      if (!(await claimSlot(context.store, run, signal))) break; // another replica is ahead of us
      context.logger.info({ schedule: schedule.id, slot: due.slot.toISOString(), missed: due.missed }, "slot claimed");
    }
  }
  if (!context.queueIsReady()) return;
  const bounds = { limit: RUNS_PER_TICK, graceSeconds: context.graceSeconds };
  for (const run of await takeUnqueuedRuns(context.store, bounds, signal)) {
    if (!isScheduledJob(run.job)) {
      context.logger.error({ schedule: run.scheduleId, job: run.job }, "a slot names a job that does not exist");
      continue;
    }
    const payload = { scheduleId: run.scheduleId, slot: new Date(run.slot).toISOString(), fence: run.fence };
    try {
      await context.enqueue(run.job, payload, { timeoutMs: ENQUEUE_TIMEOUT_MS });
    } catch (error) {
      context.logger.warn({ schedule: run.scheduleId, error: messageOf(error) }, "slot not enqueued");
      await markRunUnqueued(context.store, run, signal); // taken again by the next tick
    }
  }
}
