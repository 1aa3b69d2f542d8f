import { findRun, markRunUnqueued, openManualRun, type ScheduleRun } from "@cidadao/database/schedule-runs";
import type { Store } from "@cidadao/database/store";
import type { Enqueue } from "@cidadao/queue/produce";
import { schedules } from "@cidadao/queue/schedules";
import { AppError, messageOf } from "@cidadao/runtime/errors";
import type { Logger } from "@cidadao/runtime/logger";

export type TriggerContext = { store: Store; enqueue: Enqueue; logger: Logger };

const ENQUEUE_TIMEOUT_MS = 700;

/** Runs a schedule's job now, beside its timetable; a queue that is away gets it from a scheduler when it is back. */
export async function triggerSchedule(
  context: TriggerContext,
  input: { scheduleId: string },
  signal: AbortSignal,
): Promise<ScheduleRun> {
  const schedule = schedules.find(({ id }) => id === input.scheduleId);
  if (!schedule) {
    const known = schedules.map(({ id }) => id).join(", ");
    throw new AppError("not_found", `Não existe a agenda ${input.scheduleId}. Existem: ${known}.`);
  }
  const slot = await openManualRun(context.store, { scheduleId: schedule.id, job: schedule.job }, signal);
  const payload = { scheduleId: schedule.id, slot, fence: 0 };
  try {
    await context.enqueue(schedule.job, payload, { timeoutMs: ENQUEUE_TIMEOUT_MS });
  } catch (error) {
    context.logger.warn({ schedule: schedule.id, error: messageOf(error) }, "not enqueued; a scheduler will do it");
    await markRunUnqueued(context.store, { scheduleId: schedule.id, slot }, signal);
  }
  const run = await findRun(context.store, { scheduleId: schedule.id, slot }, signal);
  if (!run) throw new AppError("internal", `the run of ${schedule.id} at ${slot} is gone`);
  return run;
}
