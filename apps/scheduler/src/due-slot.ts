import { CronExpressionParser } from "cron-parser";
import { SCHEDULE_ZONE } from "./schedules.ts";

const MISSED_COUNTED_MAX = 10_000;

/**
 * The newest slot at or before `now` that is later than `latest`, and how many earlier ones it stands for; `null` when
 * none is due. A schedule that never ran starts with its newest past slot.
 */
export function dueSlot(cron: string, latest: Date | null, now: Date): { slot: Date; missed: number } | null {
  // `prev` gives slots strictly before its start; one millisecond later includes a slot that is exactly now.
  const options = { tz: SCHEDULE_ZONE, currentDate: new Date(now.getTime() + 1) };
  const iterator = CronExpressionParser.parse(cron, options);
  const slot = iterator.prev().toDate();
  if (latest === null) return { slot, missed: 0 };
  if (slot <= latest) return null;
  let missed = 0;
  while (missed < MISSED_COUNTED_MAX && iterator.prev().toDate() > latest) missed++;
  return { slot, missed };
}
