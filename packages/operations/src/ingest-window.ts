import { ingestPage } from "@cidadao/database/ingest-page";
import {
  finishIngestRun,
  type IngestProblem,
  type IngestTotals,
  readCursor,
  readIngestTotals,
  resumeIngestRun,
  writeCursor,
} from "@cidadao/database/ingest-runs";
import type { Store } from "@cidadao/database/store";
import { addDays } from "@cidadao/domain/dates";
import { AppError, messageOf } from "@cidadao/runtime/errors";
import type { IngestScope, OpenedSlice, OpenedSource, Position, Source } from "@cidadao/sources/define-source";
import { forEachAtOnce, isSourceError } from "./ingest.ts";
import { recordBatches } from "./record-batches.ts";

export type WindowSummary = IngestTotals & {
  runId: string;
  /** Questions that cover the scope, those that are read to their end now, and those of them that were already. */
  asked: number;
  answered: number;
  settled: number;
  missing: { what: string; why: string }[];
  sample: string | null;
};

type Progress = { slices: number; slicesDone: number; records: number; pages: number };

export type WindowInput = {
  source: Source;
  opened: OpenedSource;
  resource: string;
  scope: IngestScope;
  /** Goes on where an earlier reading stopped, and does not ask again about days that are settled. */
  resume: boolean;
  onProgress?: (progress: Progress) => void;
};

/** While the source thinks about one question, what another brought is written. */
const SLICES_AT_ONCE = 4;
const FINISH_TIMEOUT_MS = 5_000;
/** Complaints and rejects a run shows; rejects are kept whole in quarantine, and all are counted. */
const PROBLEMS_SHOWN_MAX = 100;

type CursorPosition = { next: Position | null; doneAt: string | null };

/**
 * Brings a window of days of one resource in. Each of its questions has a cursor that moves with every stored page, so
 * that a process that dies loses nothing but the page it was at. A question that fails is missing, with the reason, and
 * the others go on; a source that wants to be asked later, the database and the caller's own signal end the reading.
 */
export async function ingestWindow(
  context: { store: Store; clock?: { now(): number } },
  input: WindowInput,
  signal: AbortSignal,
): Promise<WindowSummary> {
  const { store, clock = Date } = context;
  const { source, resource, scope } = input;
  const slices = input.opened.slices(resource, scope);
  const described = source.resources[resource];
  if (!described || slices.length === 0) {
    throw new AppError("invalid_request", `${source.id} has no ${resource} that could be brought in whole`);
  }
  const run = { source: source.id, dataset: resource, scope, resume: input.resume };
  const runId = await resumeIngestRun(store, run, signal);
  const missing: WindowSummary["missing"] = [];
  const problems: IngestProblem[] = [];
  const progress: Progress = { slices: slices.length, slicesDone: 0, records: 0, pages: 0 };
  let answered = 0;
  let settled = 0;
  let sample: string | null = null;

  const read = async (slice: OpenedSlice) => {
    const name = `${resource}: ${slice.name}`;
    const known = input.resume ? await readPosition(store, source.id, name, signal) : null;
    if (known?.doneAt && isSettled(slice, known.doneAt, described.overlapDays)) {
      settled++;
      answered++;
      return;
    }
    const from = known?.doneAt ? null : (known?.next ?? null);
    try {
      for await (const page of slice.pages(from, signal)) {
        const cursor = page.next === null ? null : { name, position: position(page.next, null) };
        await ingestPage(
          store,
          {
            runId,
            batches: recordBatches(described.kind, page.records, source.homepage),
            rejects: page.rejects,
            cursor,
            seen: {
              records: page.records.length,
              excluded: page.excluded.length,
              complaints: page.complaints.length,
              pages: 1,
              pagesFromCache: page.fromCache ? 1 : 0,
            },
          },
          signal,
        );
        sample ??= page.sample;
        if (problems.length < PROBLEMS_SHOWN_MAX) problems.push(...page.rejects, ...page.complaints);
        progress.records += page.records.length;
        progress.pages++;
        input.onProgress?.(progress);
      }
      const doneAt = new Date(clock.now()).toISOString();
      await writeCursor(store, { source: source.id, name, position: position(null, doneAt) }, signal);
      answered++;
    } catch (error) {
      signal.throwIfAborted();
      if (!isSourceError(error) || error.retryAfterSeconds !== null) throw error;
      missing.push({ what: slice.what, why: messageOf(error) });
    }
  };

  const readAndCount = async (slice: OpenedSlice) => {
    await read(slice);
    progress.slicesDone++;
    input.onProgress?.(progress);
  };

  try {
    await forEachAtOnce(slices, SLICES_AT_ONCE, readAndCount);
  } catch (error) {
    // A reading that is put off stays open, to be gone on with; any other end closes it.
    if (!signal.aborted && !(error instanceof AppError && error.retry)) {
      const coverage = { asked: slices.length, answered, missing: [{ what: resource, why: messageOf(error) }] };
      await finishIngestRun(store, runId, { coverage, problems, sample }, AbortSignal.timeout(FINISH_TIMEOUT_MS)).catch(
        () => {}, // the error that ended the reading is the one to report
      );
    }
    throw error;
  }
  const totals = await readIngestTotals(store, runId, signal);
  if (missing.length === 0 && settled === 0 && totals.records < (described.recordsMin ?? 0)) {
    const why = `vieram ${totals.records} registros, e são esperados ao menos ${described.recordsMin}`;
    missing.push({ what: slices[0]!.what, why });
  }
  await finishIngestRun(
    store,
    runId,
    { coverage: { asked: slices.length, answered, missing }, problems, sample },
    signal,
  );
  return { ...totals, runId, asked: slices.length, answered, settled, missing, sample };
}

function position(next: Position | null, doneAt: string | null): CursorPosition {
  return { next, doneAt };
}

async function readPosition(
  store: Store,
  source: string,
  name: string,
  signal: AbortSignal,
): Promise<CursorPosition | null> {
  return (await readCursor(store, source, name, signal)) as CursorPosition | null;
}

/** What was read so many days after its last day can have changed no more, in this resource. */
function isSettled(slice: OpenedSlice, doneAt: string, overlapDays: number | undefined): boolean {
  if (slice.lastDay === null || overlapDays === undefined) return false;
  return doneAt.slice(0, 10) > addDays(slice.lastDay, overlapDays);
}
