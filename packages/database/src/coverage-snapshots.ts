import type { AskedApi, CoverageSnapshot } from "@cidadao/domain/coverage";
import type { Timestamp } from "@cidadao/domain/dates";
import { camelRow } from "./rows.ts";
import { type Store, unwrap } from "./store.ts";

/** When it was taken. Those that are older than `keepDays` are deleted. */
export async function storeCoverageSnapshot(
  store: Store,
  given: { apis: AskedApi[]; off: string[]; keepDays: number },
  signal: AbortSignal,
): Promise<Timestamp> {
  const args = { p_apis: given.apis, p_off: given.off, p_keep_days: given.keepDays };
  const question = store.rpc("store_coverage_snapshot", args).abortSignal(signal);
  return (await unwrap(question, "storing the coverage")) as Timestamp;
}

/** The newest; `null` before the first. */
export async function findCoverageSnapshot(store: Store, signal: AbortSignal): Promise<CoverageSnapshot | null> {
  const newest = store
    .from("coverage_snapshots")
    .select("taken_at,apis,off")
    .order("taken_at", { ascending: false })
    .limit(1);
  const row = await unwrap(newest.abortSignal(signal).maybeSingle(), "reading the coverage");
  return row === null ? null : camelRow(row as Record<string, unknown>);
}
