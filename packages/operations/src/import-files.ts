import { finishIngestRun, type IngestProblem, startIngestRun } from "@cidadao/database/ingest-runs";
import { type IngestCounts, ingestRecords, type RecordTable } from "@cidadao/database/records";
import type { SourceRecord } from "@cidadao/database/rows";
import type { Store } from "@cidadao/database/store";
import { messageOf } from "@cidadao/runtime/errors";
import type { Batch } from "@cidadao/sources/files/define-file-format";
import { type ReadRequest, readFiles, type ReadSummary } from "@cidadao/sources/files/read-files";
import { referredRecords } from "./referred-records.ts";

export type ImportSummary = { read: ReadSummary; written: Record<RecordTable, IngestCounts> };

/** Batches on their way to the database while the next is read. */
const BATCHES_AT_ONCE = 3;
/** Agencies and suppliers that were written already; beyond these some are written again, and found unchanged. */
const REFERRED_KEPT_MAX = 200_000;
/** Complaints that are handed to the run in full; all of them are counted. */
const PROBLEMS_MAX = 1_000;

/**
 * Reads files and stores their records as they come, in one `ingest_runs` row. What makes no sense in them is counted
 * among the complaints; the same files again write nothing. Throws an `AppError` for a file that cannot be read, and
 * whatever the database says; what was stored before stays, and the run says how it ended.
 */
export async function importFiles(
  context: { store: Store },
  input: ReadRequest & { onWritten?: (records: number) => void },
  signal: AbortSignal,
): Promise<ImportSummary> {
  const { store } = context;
  const reading = readFiles(input);
  const written = emptyCounts();
  const counts = { inserted: 0, updated: 0, unchanged: 0 };
  const problems: IngestProblem[] = [];
  const referred = new Set<string>();
  const scope = { files: input.paths.length + (input.sanctions?.length ?? 0) };
  const run = { source: "files", dataset: input.format ?? "files", scope, investigationId: null };
  const runId = await startIngestRun(store, run, signal);
  let records = 0;
  let referredWritten: Promise<unknown> = Promise.resolve();
  let contractsWritten: Promise<unknown> = Promise.resolve();
  const writing = new Set<Promise<void>>();
  let failure: { error: unknown } | null = null;

  const write = async (table: RecordTable, rows: SourceRecord[]) => {
    if (rows.length === 0) return;
    const batch = await ingestRecords(store, table, rows, signal);
    for (const count of ["inserted", "updated", "unchanged"] as const) {
      written[table][count] += batch[count];
      counts[count] += batch[count];
    }
    records += rows.length;
    input.onWritten?.(records);
  };
  const isNew = ({ provenance: { source, sourceId } }: SourceRecord, table: string) => {
    const key = `${table} ${source} ${sourceId}`;
    if (referred.has(key)) return false;
    if (referred.size < REFERRED_KEPT_MAX) referred.add(key);
    return true;
  };
  // What a batch refers to may be on its way with the one before: contracts wait for all agencies and suppliers so far,
  // items and amendments for all contracts so far.
  const writeBatch = async (batch: Batch): Promise<void> => {
    problems.push(...batch.complaints.slice(0, PROBLEMS_MAX - problems.length).map(problemOf));
    const { agencies, suppliers } = referredRecords(batch.contracts, ({ provenance }) => provenance.url);
    const referredRows = [
      write(
        "agencies",
        agencies.filter((one) => isNew(one, "agencies")),
      ),
      write(
        "suppliers",
        suppliers.filter((one) => isNew(one, "suppliers")),
      ),
    ];
    referredWritten = Promise.all([referredWritten, ...referredRows]);
    const ownContracts = referredWritten.then(() => write("contracts", batch.contracts));
    contractsWritten = Promise.all([contractsWritten, ownContracts]);
    await contractsWritten;
    await Promise.all([
      write("contract_items", batch.items),
      write("amendments", batch.amendments),
      write("sanctions", batch.sanctions),
      write("registrations", batch.registrations),
    ]);
  };

  try {
    for await (const batch of reading.batches) {
      signal.throwIfAborted();
      const task = writeBatch(batch)
        .catch((error: unknown) => void (failure ??= { error }))
        .finally(() => writing.delete(task));
      writing.add(task);
      if (writing.size >= BATCHES_AT_ONCE) await Promise.race(writing);
      if (failure) break;
    }
    await Promise.all(writing);
    if (failure) throw (failure as { error: unknown }).error;
  } catch (error) {
    const missing = [{ what: "arquivos", why: messageOf(error) }];
    await finish({ answered: 0, missing }, AbortSignal.timeout(FINISH_TIMEOUT_MS)).catch(() => {});
    throw error;
  }
  await finish({ answered: 1, missing: [] }, signal);
  return { read: reading.summary(), written };

  function finish(end: { answered: number; missing: { what: string; why: string }[] }, stop: AbortSignal) {
    const rejected = reading.summary().complaints.reduce((sum, { count }) => sum + count, 0);
    const coverage = { source: run.source, asked: 1, records, rejected, ...end };
    return finishIngestRun(store, runId, { coverage, counts, problems, sample: input.sample ?? null }, stop);
  }
}

const FINISH_TIMEOUT_MS = 5_000;

function problemOf({ kind, file, line, field, reason }: Batch["complaints"][number]): IngestProblem {
  return {
    sourceId: line === null ? file : `${file}:${line}`,
    ...(field === null ? {} : { field }),
    reason: `${kind}: ${reason}`,
  };
}

function emptyCounts(): ImportSummary["written"] {
  const none = () => ({ inserted: 0, updated: 0, unchanged: 0 });
  return {
    agencies: none(),
    suppliers: none(),
    contracts: none(),
    contract_items: none(),
    amendments: none(),
    sanctions: none(),
    registrations: none(),
  };
}
