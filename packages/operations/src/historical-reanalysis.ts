import { addDays, type IsoDate, type Timestamp } from "@cidadao/domain/dates";
import { countOutcomes } from "@cidadao/database/investigations";
import { pause } from "@cidadao/runtime/deadline";
import type { ReportProgress } from "./run-scheduled.ts";
import { localDay } from "./local-day.ts";
import { type OpenContext, openInvestigation } from "./open-investigation.ts";

const MONTHS = 6;
const POLL_MS = 2_000;
/** Slices that wait or run at the same time: the portal's limit is for everybody. */
const OPEN_AT_ONCE = 32;

type Slice = { agencyCode: string; from: IsoDate; to: IsoDate };

/**
 * Runs the detectors again over the last months, one investigation for each agency and month, which any number of workers
 * share. The investigations are the checkpoint: their keys name the slices, so a run that goes on after a crash or a
 * restart opens none twice. Ends when all of them have; a slice that failed makes the run fail, by name.
 */
export async function reanalyseHistory(
  context: OpenContext,
  input: { agencyCodes: string[]; slot: Timestamp },
  signal: AbortSignal,
  report: ReportProgress,
): Promise<Record<string, unknown>> {
  const slices = slicesOf(input.agencyCodes, localDay(new Date(input.slot)));
  const ids: string[] = [];
  for (;;) {
    const counts = await countOutcomes(context.store, ids, signal);
    const ended = counts.completed + counts.failed + counts.cancelled;
    await report({ slices: slices.length, opened: ids.length, ...counts });
    if (ended === slices.length) {
      if (counts.failed > 0)
        throw new Error(`${counts.failed} de ${slices.length} fatias falharam: ${counts.failedIds.join(", ")}`);
      return { slices: slices.length, ...counts };
    }
    const room = OPEN_AT_ONCE - (ids.length - ended);
    for (const slice of slices.slice(ids.length, ids.length + room))
      ids.push(await openSlice(context, slice, input.slot, signal));
    signal.throwIfAborted();
    await pause(POLL_MS, signal);
  }
}

async function openSlice(context: OpenContext, slice: Slice, slot: Timestamp, signal: AbortSignal): Promise<string> {
  const { agencyCode, from, to } = slice;
  const { investigation } = await openInvestigation(
    context,
    {
      query: `Reanálise de ${from} a ${to}`,
      scope: { agencyCodes: [agencyCode], from, to },
      detectors: null,
      origin: "schedule",
      priority: "low",
      idempotencyKey: `historical-reanalysis:${slot}:${agencyCode}:${from}`,
    },
    signal,
  );
  return investigation.id;
}

/** Whole months before the month of `today`, the newest first, each of every agency. */
function slicesOf(agencyCodes: string[], today: IsoDate): Slice[] {
  const slices: Slice[] = [];
  let to = addDays(`${today.slice(0, 7)}-01`, -1);
  for (let month = 0; month < MONTHS; month++) {
    const from = `${to.slice(0, 7)}-01`;
    for (const agencyCode of agencyCodes) slices.push({ agencyCode, from, to });
    to = addDays(from, -1);
  }
  return slices;
}
