import { CronExpressionParser } from "cron-parser";
import { isScheduledJob } from "./jobs.ts";
import { type CatchUp, type Schedule, SCHEDULE_ZONE } from "./schedules.ts";

/** How far back missed slots are counted; the number is for people, the policy does not need it. */
const MISSED_COUNTED_MAX = 2_000;
const HOURS_IN_A_DAY = 24;
/** Local hours that a change of daylight saving time in São Paulo removes or repeats. */
const UNSAFE_HOURS = [23, 0];

/** A run to claim; `after` is the slot before it, `missed` how many slots in between it stands for. */
export type DueSlot = { slot: Date; after: Date | null; missed: number };

/**
 * The slots to claim at `now`, oldest first, when `latest` was the last one claimed. Without one it is
 * the newest past slot.
 */
export function dueSlots(
  schedule: Pick<Schedule, "cron" | "catchUp">,
  latest: Date | null,
  now: Date,
): readonly DueSlot[] {
  // `prev` gives slots strictly before its start; one millisecond later includes a slot that is exactly now.
  const iterator = parse(schedule.cron, new Date(now.getTime() + 1));
  const newest = iterator.prev().toDate();
  if (latest === null) return [{ slot: newest, after: null, missed: 0 }];
  if (newest <= latest) return [];
  const { catchUp } = schedule;
  const slotsMax = catchUp.kind === "each" ? catchUp.slotsMax : 1;
  const slots = [newest];
  let missed = 0;
  for (
    let slot = iterator.prev().toDate();
    slot > latest && missed < MISSED_COUNTED_MAX;
    slot = iterator.prev().toDate()
  )
    if (slots.length < slotsMax) slots.push(slot);
    else missed++;
  return slots
    .toReversed()
    .map((slot, index, all) => ({ slot, after: all[index - 1] ?? latest, missed: index === 0 ? missed : 0 }));
}

/** The first slot after `now`. */
export function nextSlot(cron: string, now: Date): Date {
  return parse(cron, now).next().toDate();
}

/** In words, for lists. */
export function describeCatchUp(catchUp: CatchUp): string {
  return catchUp.kind === "each" ? `each, up to ${catchUp.slotsMax}` : catchUp.kind;
}

/** What is wrong with a timetable, one line each; a scheduler does not start while there is any. */
export function scheduleProblems(timetable: readonly Schedule[]): string[] {
  const problems: string[] = [];
  const ids = new Set<string>();
  for (const { id, cron, job, catchUp } of timetable) {
    if (!/^[a-z]+(?:-[a-z]+)*$/.test(id)) problems.push(`${id}: an id is lower-case words joined by hyphens`);
    if (ids.has(id)) problems.push(`${id}: is there twice`);
    ids.add(id);
    if (!isScheduledJob(job)) problems.push(`${id}: there is no job ${String(job)} for a schedule`);
    if (catchUp.kind === "each" && !(catchUp.slotsMax >= 1)) problems.push(`${id}: catches up with no slot at all`);
    const problem = cronProblem(cron);
    if (problem !== null) problems.push(`${id}: "${cron}" ${problem}`);
  }
  return problems;
}

function cronProblem(cron: string): string | null {
  if (cron.trim().split(/\s+/).length !== 5) return "has not five fields";
  try {
    const hours = parse(cron, new Date(0)).fields.hour.values.map(Number);
    const unsafe = hours.length < HOURS_IN_A_DAY && UNSAFE_HOURS.some((hour) => hours.includes(hour));
    return unsafe ? `names an hour (23 or 0) that some days in ${SCHEDULE_ZONE} do not have exactly once` : null;
  } catch (error) {
    return `is no cron expression: ${(error as Error).message}`;
  }
}

function parse(cron: string, from: Date) {
  return CronExpressionParser.parse(cron, { tz: SCHEDULE_ZONE, currentDate: from });
}
