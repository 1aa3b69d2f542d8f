import {
  claimSlot,
  latestSlot,
  markRunUnqueued,
  readDatabaseTime,
  takeUnqueuedRuns,
} from "@cidadao/database/schedule-runs";
import type { Store } from "@cidadao/database/store";
import { jobCatalogue, type ScheduledJobName } from "@cidadao/queue/jobs";
import type { Enqueue } from "@cidadao/queue/produce";
import { messageOf } from "@cidadao/runtime/errors";
import type { Logger } from "@cidadao/runtime/logger";
import { dueSlot } from "./due-slot.ts";
import type { Schedule } from "./schedules.ts";

export type TickContext = { store: Store; enqueue: Enqueue; queueIsReady: () => boolean; logger: Logger };

const RUNS_PER_TICK = 50;
const ENQUEUED_GRACE_SECONDS = 120;
const ENQUEUE_TIMEOUT_MS = 2_500;

/**
 * Claims every due slot by the database's clock, then puts claimed slots on the queue. The row comes before the job:
 * with the queue away slots are still written, and any replica hands them over when it is back.
 */
export async function tick(context: TickContext, schedules: readonly Schedule[], signal: AbortSignal): Promise<void> {
  const now = await readDatabaseTime(context.store, signal);
  for (const schedule of schedules) {
    const latest = await latestSlot(context.store, schedule.id, signal);
    const due = dueSlot(schedule.cron, latest === null ? null : new Date(latest), now);
    if (!due) continue;
    const slot = due.slot.toISOString();
    const run = { scheduleId: schedule.id, slot, job: schedule.job, missed: due.missed };
    const claimed = await claimSlot(context.store, run, signal);
    if (claimed) context.logger.info({ schedule: schedule.id, slot, missed: due.missed }, "slot claimed");
  }
  if (!context.queueIsReady()) return;
  const bounds = { limit: RUNS_PER_TICK, graceSeconds: ENQUEUED_GRACE_SECONDS };
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

function isScheduledJob(job: string): job is ScheduledJobName {
  return (
    Object.hasOwn(jobCatalogue, job) && "scheduleId" in jobCatalogue[job as keyof typeof jobCatalogue].payload.shape
  );
}
