import { createHash } from "node:crypto";
import type { IngestCounts, RecordTable } from "./records.ts";
import { recordLines, TABLE_END } from "./record-lines.ts";
import type { SourceRecord } from "./rows.ts";
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
  const tables: unknown[] = [];
  const parts: string[] = [];
  for (const { table, records, onlyNew = false } of page.batches) {
    if (records.length === 0) continue;
    const { columns, constants, lines } = recordLines(records);
    tables.push({ table, columns, constants, only_new: onlyNew });
    parts.push(lines);
  }
  const head = {
    run: page.runId,
    tables,
    rejects: page.rejects.map(({ sourceId, reason, raw }) => ({
      key: createHash("sha256")
        .update(JSON.stringify([sourceId, reason, raw]))
        .digest("hex"),
      source_id: sourceId,
      reason,
      raw: raw ?? null,
    })),
    cursor: page.cursor,
    seen: {
      records: seen.records,
      rejected: page.rejects.length,
      excluded: seen.excluded,
      complaints: seen.complaints,
      pages: seen.pages,
      pages_from_cache: seen.pagesFromCache,
    },
  };
  // JSON escapes control characters: the head holds no separator.
  const text = [JSON.stringify(head), ...parts].join(TABLE_END);
  const answer = store.callWithText("ingest_page", text, signal);
  const [counts] = (await unwrap(answer, "storing a page")) as (IngestCounts & { quarantined: number })[];
  return counts!;
}
