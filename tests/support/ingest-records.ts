import { recordLines } from "@cidadao/database/record-lines";
import type { IngestCounts, RecordTable } from "@cidadao/database/records";
import { rowOf, type SourceRecord } from "@cidadao/database/rows";
import { type Store, unwrap } from "@cidadao/database/store";

const BATCH_ROWS = 1_000;

/** Records of one table into the database, without a run that counts them: what a page does for each of its tables. */
export async function ingestRecords(
  store: Store,
  table: RecordTable,
  records: SourceRecord[],
  signal: AbortSignal,
): Promise<IngestCounts> {
  const counts = { inserted: 0, updated: 0, unchanged: 0 };
  for (let start = 0; start < records.length; start += BATCH_ROWS) {
    const { columns, lines } = recordLines(records.slice(start, start + BATCH_ROWS).map(rowOf));
    const given = { p_table: table, p_columns: columns, p_lines: lines };
    const answer = store.rpc("ingest_lines", given).abortSignal(signal);
    const [batch] = (await unwrap(answer, `storing ${table}`)) as IngestCounts[];
    counts.inserted += batch!.inserted;
    counts.updated += batch!.updated;
    counts.unchanged += batch!.unchanged;
  }
  return counts;
}
