import { deleteExpired } from "@cidadao/database/scheduled-work";
import type { Store } from "@cidadao/database/store";

/** How many days each kind of row is kept. Findings, reports and alerts stay. */
const RETENTION_DAYS = { runs: 90, events: 90, ingests: 180, probes: 90 };
/** Rows of one kind in one transaction; turns until nothing is left, or until enough is done for a week. */
const ROWS_PER_TURN = 5_000;
const TURNS_MAX = 200;

/** Deletes what its retention is over for, a bounded batch at a time. */
export async function cleanUp(context: { store: Store }, signal: AbortSignal): Promise<Record<string, number>> {
  const deleted: Record<string, number> = {};
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    const counts = await deleteExpired(context.store, { days: RETENTION_DAYS, limit: ROWS_PER_TURN }, signal);
    for (const [kind, count] of Object.entries(counts)) deleted[kind] = (deleted[kind] ?? 0) + count;
    if (Object.values(counts).every((count) => count < ROWS_PER_TURN)) break;
  }
  return deleted;
}
