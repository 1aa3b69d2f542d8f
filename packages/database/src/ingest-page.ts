import { createHash } from "node:crypto";
import type { IngestCounts, RecordTable } from "./records.ts";
import { recordLines } from "./record-lines.ts";
import { rowOf, type SourceRecord } from "./rows.ts";
import { type Store, unwrap } from "./store.ts";

/** `onlyNew`: what other records mention; the first mention stays. */
export type RecordBatch = { table: RecordTable; records: SourceRecord[]; onlyNew?: boolean };
type Reject = { sourceId: string | null; reason: string; raw: unknown };

export type IngestedPage = {
  runId: string;
  /** In the order in which they refer to one another. */
  batches: RecordBatch[];
  rejects: Reject[];
  /** Where the reading goes on after this page; `null` leaves the cursor where it is. */
  cursor: { name: string; position: Record<string, unknown> } | null;
  seen: { records: number; excluded: number; complaints: number; pages: number; pagesFromCache: number };
};

/** Stores a page, what of it was refused, and where the reading goes on: all of it, or nothing. */
export async function ingestPage(
  store: Store,
  page: IngestedPage,
  signal: AbortSignal,
): Promise<IngestCounts & { quarantined: number }> {
  const { seen } = page;
  const answer = store
    .rpc("ingest_page", {
      p_run: page.runId,
      p_tables: page.batches
        .filter(({ records }) => records.length > 0)
        .map(({ table, records, onlyNew = false }) => ({
          table,
          ...recordLines(records.map(rowOf)),
          only_new: onlyNew,
        })),
      p_rejects: page.rejects.map(({ sourceId, reason, raw }) => ({
        key: createHash("sha256")
          .update(JSON.stringify([sourceId, reason, raw]))
          .digest("hex"),
        source_id: sourceId,
        reason,
        raw: raw ?? null,
      })),
      p_cursor: page.cursor,
      p_seen: {
        records: seen.records,
        rejected: page.rejects.length,
        excluded: seen.excluded,
        complaints: seen.complaints,
        pages: seen.pages,
        pages_from_cache: seen.pagesFromCache,
      },
    })
    .abortSignal(signal);
  const [counts] = (await unwrap(answer, "storing a page")) as (IngestCounts & { quarantined: number })[];
  return counts!;
}
