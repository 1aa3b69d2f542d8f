import { ingestPage, type RecordBatch } from "@cidadao/database/ingest-page";
import {
  finishIngestRun,
  type IngestProblem,
  type IngestTotals,
  readIngestTotals,
  startIngestRun,
} from "@cidadao/database/ingest-runs";
import type { SourceRecord } from "@cidadao/database/rows";
import type { Store } from "@cidadao/database/store";
import { messageOf } from "@cidadao/runtime/errors";
import type { Batch } from "@cidadao/sources/files/define-file-format";
import { type ReadRequest, readFiles, type ReadSummary } from "@cidadao/sources/files/read-files";
import { referredRecords } from "./referred-records.ts";

/** `missing`: what a whole reading would have held; empty when all came. */
export type ImportSummary = IngestTotals & { read: ReadSummary; missing: { what: string; why: string }[] };

export type ImportInput = ReadRequest & {
  /** What the run is called, where the files are not somebody's own. */
  run?: { source: string; dataset: string; scope: Record<string, unknown> };
  /** Fewest sanctions of a whole list; fewer means that it shrank in silence. */
  sanctionsMin?: number;
};

/** Complaints that are handed to the run in full; all of them are counted. */
const PROBLEMS_MAX = 100;
const BATCHES_AT_ONCE = 3;
const FINISH_TIMEOUT_MS = 5_000;

/**
 * Reads files and stores their records as they come, in one `ingest_runs` row. What makes no sense in them is counted
 * among the complaints; the same files again write nothing. Throws an `AppError` for a file that cannot be read, and
 * whatever the database says; what was stored before stays, and the run says how it ended.
 */
export async function importFiles(
  context: { store: Store },
  input: ImportInput,
  signal: AbortSignal,
): Promise<ImportSummary> {
  const { store } = context;
  const reading = readFiles(input);
  const problems: IngestProblem[] = [];
  const scope = { files: [...input.paths, ...(input.sanctions ?? [])] };
  const run = input.run ?? { source: "files", dataset: input.format ?? "files", scope };
  const runId = await startIngestRun(store, { ...run, investigationId: null }, signal);
  const mentions = writtenMentions();

  // Batches are written while the next are read, and may overtake each other. One that refers to contracts waits for all
  // that brought some before it; agencies and suppliers come with every batch that names them, until one with them is written.
  const writing: Promise<unknown>[] = [];
  let bringsContracts = false;
  try {
    for await (const batch of reading.batches) {
      problems.push(...batch.complaints.slice(0, PROBLEMS_MAX - problems.length).map(problemOf));
      const referring = [batch.items, batch.amendments, batch.tenderers, batch.commitments];
      const refersToContracts = referring.some(({ length }) => length > 0);
      if (refersToContracts && bringsContracts) {
        await Promise.all(writing.splice(0));
        bringsContracts = false;
      } else if (writing.length >= BATCHES_AT_ONCE) await writing.shift();
      bringsContracts ||= batch.contracts.length > 0;
      const task = write(batch);
      task.catch(() => {}); // seen when it is awaited, even where reading fails first
      writing.push(task);
    }
    await Promise.all(writing);
  } catch (error) {
    const missing = [{ what: "arquivos", why: messageOf(error) }];
    await finish({ answered: 0, missing }, AbortSignal.timeout(FINISH_TIMEOUT_MS)).catch(() => {});
    throw error;
  }
  const read = reading.summary();
  const { sanctionsMin = 0 } = input;
  const why = `vieram ${read.sanctions} registros, e são esperados ao menos ${sanctionsMin}`;
  const missing = read.sanctions < sanctionsMin ? [{ what: run.dataset, why }] : [];
  await finish({ answered: 1, missing }, signal);
  return { ...(await readIngestTotals(store, runId, signal)), read, missing };

  async function write(batch: Batch) {
    const referred = referredRecords(batch.contracts, ({ provenance }) => provenance.url);
    const agencies = referred.agencies.filter((one) => !mentions.has("agency", one));
    const suppliers = referred.suppliers.filter((one) => !mentions.has("supplier", one));
    const complaints = batch.complaints.reduce((sum, { count }) => sum + count, 0);
    // In the order in which they refer to one another.
    const read: RecordBatch[] = [
      { table: "contracts", records: batch.contracts },
      { table: "contract_items", records: batch.items },
      { table: "amendments", records: batch.amendments },
      { table: "tenderers", records: batch.tenderers },
      { table: "commitments", records: batch.commitments },
      { table: "sanctions", records: batch.sanctions },
      { table: "registrations", records: batch.registrations },
    ];
    const mentioned: RecordBatch[] = [
      { table: "agencies", records: agencies, onlyNew: true },
      { table: "suppliers", records: suppliers, onlyNew: true },
    ];
    const seen = { records: read.reduce((sum, { records }) => sum + records.length, 0), excluded: 0, complaints };
    const page = { runId, batches: [...mentioned, ...read], rejects: [], cursor: null };
    await ingestPage(store, { ...page, seen: { ...seen, pages: 1, pagesFromCache: 0 } }, signal);
    mentions.add("agency", agencies);
    mentions.add("supplier", suppliers);
  }

  function finish(end: { answered: number; missing: { what: string; why: string }[] }, stop: AbortSignal) {
    const coverage = { asked: 1, ...end };
    return finishIngestRun(store, runId, { coverage, problems, sample: input.sample ?? null }, stop);
  }
}

/** Agencies and suppliers that are remembered as written; beyond these some are written again, and found there. */
const MENTIONS_MAX = 200_000;

type Mentioned = Pick<SourceRecord, "provenance">;

function writtenMentions() {
  const written = new Set<string>();
  const keyOf = (kind: string, { provenance }: Mentioned) => `${kind} ${provenance.source} ${provenance.sourceId}`;
  return {
    has: (kind: string, one: Mentioned): boolean => written.has(keyOf(kind, one)),
    add(kind: string, all: Mentioned[]): void {
      for (const one of all) if (written.size < MENTIONS_MAX) written.add(keyOf(kind, one));
    },
  };
}

function problemOf({ kind, file, line, field, reason }: Batch["complaints"][number]): IngestProblem {
  return {
    sourceId: line === null ? file : `${file}:${line}`,
    ...(field === null ? {} : { field }),
    reason: `${kind}: ${reason}`,
  };
}
