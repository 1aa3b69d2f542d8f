import { finishIngestRun, type IngestProblem, startIngestRun } from "@cidadao/database/ingest-runs";
import { ingestPage } from "@cidadao/database/ingest-page";
import type { Store } from "@cidadao/database/store";
import type { SourceCoverage } from "@cidadao/domain/investigation";
import { AppError, messageOf } from "@cidadao/runtime/errors";
import type { RecordKind, Reject, SourcePage, SourceRecord } from "@cidadao/sources/define-source";
import { recordBatches } from "./record-batches.ts";

/** One question to a source, read to its end: what it is about, its pages, and the tables its records go to. */
export type IngestQuestion<Item extends SourceRecord> = {
  what: string;
  pages: (signal: AbortSignal) => AsyncIterable<SourcePage<Item>>;
};

export type IngestSummary = { coverage: SourceCoverage; sample: string | null; written: number };

/** Questions asked at the same time; how many calls a minute they make is the rate limiter's matter. */
const QUESTIONS_AT_ONCE = 8;
/** Records of several small questions are written together. */
const RECORDS_PER_WRITE = 500;
const RECORDS_PER_WRITE_MAX = 1_000;

/**
 * Reads every question to its end and stores the records as they come. A question that fails is missing in
 * the coverage with its reason, and the others go on; only a source that asks for a long pause, the database and the
 * caller's own signal end the reading.
 */
export async function ingest<Item extends SourceRecord>(
  context: { store: Store },
  input: {
    source: string;
    dataset: string;
    scope: Record<string, unknown>;
    investigationId: string | null;
    questions: IngestQuestion<Item>[];
    /** Where the records go; `null`: they are only looked at. */
    store: { kind: RecordKind; homepage: string } | null;
    /** Fewer records than this are a reading that is not complete, however well every question was answered. */
    recordsMin?: number;
    /** The same for answers that are labelled as a sample; left out: no other. */
    sampleRecordsMin?: number;
    onRecords?: (records: Item[]) => void;
    onQuestionDone?: (done: number, asked: number, records: number) => Promise<void>;
  },
  signal: AbortSignal,
): Promise<IngestSummary> {
  const { source, questions } = input;
  const coverage: SourceCoverage = {
    source,
    asked: questions.length,
    answered: 0,
    records: 0,
    rejected: 0,
    missing: [],
  };
  let written = 0;
  const problems: IngestProblem[] = [];
  let sample: string | null = null;
  let done = 0;
  let unwritten: Item[] = [];
  let unwrittenRejects: Reject[] = [];
  const seen = { excluded: 0, complaints: 0, pages: 0, pagesFromCache: 0 };
  let writing = Promise.resolve();

  const write = async (records: Item[], rejects: Reject[]) => {
    const batches =
      input.store && records.length > 0 ? recordBatches(input.store.kind, records, input.store.homepage) : [];
    const counted = { ...seen, records: records.length };
    Object.assign(seen, { excluded: 0, complaints: 0, pages: 0, pagesFromCache: 0 });
    const batch = await ingestPage(context.store, { runId, batches, rejects, cursor: null, seen: counted }, signal);
    written += batch.inserted + batch.updated;
  };
  const flush = async (recordsMin: number) => {
    if (unwritten.length + unwrittenRejects.length < recordsMin) return;
    const [records, rejects] = [unwritten, unwrittenRejects];
    unwritten = [];
    unwrittenRejects = [];
    writing = writing.then(async () => {
      await write(records.slice(0, RECORDS_PER_WRITE_MAX), rejects);
      for (let start = RECORDS_PER_WRITE_MAX; start < records.length; start += RECORDS_PER_WRITE_MAX) {
        await write(records.slice(start, start + RECORDS_PER_WRITE_MAX), []);
      }
    });
    await writing;
  };

  const runId = await startIngestRun(
    context.store,
    { source, dataset: input.dataset, scope: input.scope, investigationId: input.investigationId },
    signal,
  );

  const read = async (question: IngestQuestion<Item>) => {
    const records: Item[] = [];
    const rejects: Reject[] = [];
    try {
      for await (const page of question.pages(signal)) {
        records.push(...page.records);
        rejects.push(...page.rejects);
        sample ??= page.sample;
        seen.excluded += page.excluded.length;
        seen.complaints += page.complaints.length;
        seen.pages++;
        if (page.fromCache) seen.pagesFromCache++;
        problems.push(...page.rejects, ...page.complaints);
      }
      if (records.length === 0 && rejects.length > 0) {
        const why = `nenhum dos ${rejects.length} registros pôde ser lido: ${rejects[0]!.reason}`;
        coverage.missing.push({ what: question.what, why });
      } else coverage.answered++;
    } catch (error) {
      signal.throwIfAborted();
      if (!isSourceError(error) || asksForPause(error)) throw error;
      coverage.missing.push({ what: question.what, why: messageOf(error) });
    }
    // Pages that came before a failure are facts too; the coverage says that they are not all.
    coverage.records += records.length;
    coverage.rejected += rejects.length;
    unwritten.push(...records);
    unwrittenRejects.push(...rejects);
    await flush(RECORDS_PER_WRITE);
    input.onRecords?.(records);
    done++;
    await input.onQuestionDone?.(done, questions.length, coverage.records);
  };

  try {
    await forEachAtOnce(questions, QUESTIONS_AT_ONCE, read);
    await flush(1);
  } catch (error) {
    coverage.missing.push({ what: input.dataset, why: messageOf(error) });
    await finishIngestRun(
      context.store,
      runId,
      { coverage, problems, sample },
      AbortSignal.timeout(FINISH_TIMEOUT_MS),
    ).catch(
      () => {}, // the error that ended the reading is the one to report
    );
    throw error;
  }
  const recordsMin = (sample === null ? null : input.sampleRecordsMin) ?? input.recordsMin ?? 0;
  if (coverage.missing.length === 0 && coverage.records < recordsMin) {
    const why = `vieram ${coverage.records} registros, e são esperados ao menos ${recordsMin}`;
    coverage.missing.push({ what: input.questions[0]?.what ?? input.dataset, why });
  }
  await finishIngestRun(context.store, runId, { coverage, problems, sample }, signal);
  return { coverage, sample, written };
}

const FINISH_TIMEOUT_MS = 5_000;

const sourceErrors = new Set([
  "source_unavailable",
  "source_refused",
  "source_invalid",
  "rate_limited",
  "deadline_exceeded",
]);

export function isSourceError(error: unknown): error is AppError {
  return error instanceof AppError && sourceErrors.has(error.code);
}

/** The portal named a time to come back that is too long to sit out: the work is put off, not cut short. */
function asksForPause(error: AppError): boolean {
  return error.code === "rate_limited" && error.retryAfterSeconds !== null;
}

/** Runs `work` for every item, at most `width` at a time; the first error stops what has not begun and is thrown. */
export async function forEachAtOnce<Item>(
  items: Item[],
  width: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  let failed = false;
  const lanes = Array.from({ length: Math.min(width, items.length) }, async () => {
    for (const item of rest) {
      if (failed) return;
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  });
  const settled = await Promise.allSettled(lanes);
  const broken = settled.find((lane) => lane.status === "rejected");
  if (broken) throw broken.reason;
}
