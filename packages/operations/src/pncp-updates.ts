import { readCursor, writeCursor } from "@cidadao/database/ingest-runs";
import type { Store } from "@cidadao/database/store";
import { addDays, type Timestamp } from "@cidadao/domain/dates";
import type { OpenedSource } from "@cidadao/sources/define-source";
import { pncp } from "@cidadao/sources/pncp/source";
import { z } from "zod";
import { ingestThroughPauses } from "./ingest-through-pauses.ts";
import { localDay } from "./local-day.ts";
import type { ReportProgress } from "./run-scheduled.ts";

/** A day of the PNCP goes on changing for two more: each window begins this long before the last complete one ended. */
const OVERLAP_DAYS = 2;
const FIRST_WINDOW_DAYS = 7;
const RESOURCE = "contract-updates";
const CURSOR = `job ${RESOURCE}`;
/** A worker waits no longer for the PNCP; the next run goes on where this one stopped. */
const PAUSE_SECONDS_MAX = 120;
const MISSING_SHOWN_MAX = 20;

const position = z.object({ doneTo: z.string() });

/**
 * Brings in the contracts that the PNCP published or changed since the last complete run. Days that are settled are not
 * asked about again, and an interrupted day goes on at its page. The cursor moves only when every question was answered:
 * what is missing makes the run fail, after what came was stored. `pncp` is `null` where the PNCP is not in use.
 */
export async function readPncpUpdates(
  context: { store: Store; pncp: OpenedSource | null; clock?: { now(): number } },
  input: { slot: Timestamp },
  signal: AbortSignal,
  report: ReportProgress,
): Promise<Record<string, unknown>> {
  const { store, pncp: opened, clock = Date } = context;
  if (opened === null) return { off: "SOURCES leaves the PNCP out" };
  const to = localDay(new Date(input.slot));
  const cursor = position.nullable().parse(await readCursor(store, pncp.id, CURSOR, signal));
  const from = cursor === null ? addDays(to, -FIRST_WINDOW_DAYS) : addDays(cursor.doneTo, -OVERLAP_DAYS);
  const { missing, ...counts } = await ingestThroughPauses(
    { store, clock },
    {
      source: pncp,
      opened,
      resource: RESOURCE,
      scope: { from, to, agency: null },
      resume: true,
      pauseSecondsMax: PAUSE_SECONDS_MAX,
      onPause: (why, seconds) => void report({ message: `${why}; espera de ${seconds} s` }).catch(() => {}),
    },
    signal,
  );
  if (missing.length > 0) {
    const shown = missing.slice(0, MISSING_SHOWN_MAX).map(({ what, why }) => `${what}: ${why}`);
    throw new Error(`leitura incompleta (${JSON.stringify({ from, to, ...counts })}): ${shown.join("; ")}`);
  }
  await writeCursor(store, { source: pncp.id, name: CURSOR, position: { doneTo: to } }, signal);
  return { from, to, ...counts };
}
