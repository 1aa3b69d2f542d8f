import { ingestPage } from "@cidadao/database/ingest-page";
import { startIngestRun } from "@cidadao/database/ingest-runs";
import type { IngestCounts, RecordTable } from "@cidadao/database/records";
import type { SourceRecord } from "@cidadao/database/rows";
import type { Store } from "@cidadao/database/store";

const BATCH_ROWS = 1_000;

/** Records of one table into the database, in pages of a run of their own. */
export async function ingestRecords(
  store: Store,
  table: RecordTable,
  records: SourceRecord[],
  signal: AbortSignal,
): Promise<IngestCounts> {
  const run = { source: "test", dataset: table, scope: {}, investigationId: null };
  const runId = await startIngestRun(store, run, signal);
  const counts = { inserted: 0, updated: 0, unchanged: 0 };
  for (let start = 0; start < records.length; start += BATCH_ROWS) {
    const batch = records.slice(start, start + BATCH_ROWS);
    const seen = { records: batch.length, excluded: 0, complaints: 0, pages: 1, pagesFromCache: 0 };
    const page = { runId, batches: [{ table, records: batch }], rejects: [], cursor: null, seen };
    const { inserted, updated, unchanged } = await ingestPage(store, page, signal);
    counts.inserted += inserted;
    counts.updated += updated;
    counts.unchanged += unchanged;
  }
  return counts;
}
