import type { SourceCoverage } from "@cidadao/domain/investigation";
import type { Timestamp } from "@cidadao/domain/dates";
import { camelRow } from "./rows.ts";
import { type Store, unwrap } from "./store.ts";

export type IngestProblem = { sourceId: string | null; field?: string; reason: string; raw?: unknown };

/** A run keeps this many problems in full; the count of all of them is always exact. */
const PROBLEMS_KEPT = 100;

export async function startIngestRun(
  store: Store,
  run: { source: string; dataset: string; scope: Record<string, unknown>; investigationId: string | null },
  signal: AbortSignal,
): Promise<string> {
  const row = {
    source: run.source,
    dataset: run.dataset,
    scope: run.scope,
    investigation_id: run.investigationId,
    status: "running",
  };
  const inserting = store.from("ingest_runs").insert(row).select("id").abortSignal(signal).single();
  const inserted = await unwrap<{ id: string } | null>(inserting, "opening the ingest run");
  return inserted.id;
}

/**
 * The last run of this scope, opened again to go on with it, unless it is complete; a new run otherwise. A run that is
 * begun anew closes what an earlier process left open.
 */
export async function resumeIngestRun(
  store: Store,
  run: { source: string; dataset: string; scope: Record<string, unknown>; resume: boolean },
  signal: AbortSignal,
): Promise<string> {
  const last = store
    .from("ingest_runs")
    .select("id,status")
    .eq("source", run.source)
    .eq("dataset", run.dataset)
    .contains("scope", run.scope)
    .order("started_at", { ascending: false })
    .limit(1)
    .abortSignal(signal);
  const [found] = (await unwrap(last, "looking for an open ingest run")) as { id: string; status: string }[];
  const change = async (row: Record<string, unknown>) => {
    const changing = store.from("ingest_runs").update(row).eq("id", found!.id).select("id").abortSignal(signal);
    await unwrap(changing, "opening or closing an earlier ingest run");
  };
  if (found && run.resume && found.status !== "completed") {
    await change({ status: "running", finished_at: null });
    return found.id;
  }
  if (found?.status === "running") {
    await change({ status: "failed", problems: [{ sourceId: null, reason: "interrompida" }], finished_at: now() });
  }
  return startIngestRun(store, { ...run, investigationId: null }, signal);
}

/** What the run held has been counted page by page; this says what is missing, and closes it. */
export async function finishIngestRun(
  store: Store,
  id: string,
  end: {
    coverage: Pick<SourceCoverage, "asked" | "answered" | "missing">;
    problems: IngestProblem[];
    sample: string | null;
  },
  signal: AbortSignal,
): Promise<void> {
  const { coverage } = end;
  const missing = coverage.missing.map(({ what, why }) => ({ sourceId: null, reason: `${what}: ${why}` }));
  const row = {
    status: coverage.missing.length === 0 ? "completed" : coverage.answered > 0 ? "partial" : "failed",
    asked: coverage.asked,
    answered: coverage.answered,
    problems: [...missing, ...end.problems].slice(0, PROBLEMS_KEPT),
    sample: end.sample,
    finished_at: now(),
  };
  await unwrap(
    store.from("ingest_runs").update(row).eq("id", id).select("id").abortSignal(signal),
    "closing the ingest run",
  );
}

export type IngestTotals = {
  records: number;
  inserted: number;
  updated: number;
  unchanged: number;
  rejected: number;
  quarantined: number;
  excluded: number;
  pages: number;
  pagesFromCache: number;
};

/** What a run has counted, over every process that had a part in it. */
export async function readIngestTotals(store: Store, id: string, signal: AbortSignal): Promise<IngestTotals> {
  const columns = "records,inserted,updated,unchanged,rejected,quarantined,excluded,pages,pages_from_cache";
  const question = store.from("ingest_runs").select(columns).eq("id", id).abortSignal(signal).single();
  return camelRow<IngestTotals>((await unwrap(question, "reading the ingest run")) as Record<string, unknown>);
}

function now(): Timestamp {
  return new Date().toISOString();
}

/** When the dataset, or any of the source, was last read completely; `null` if it never was. */
export async function lastCompleteRun(
  store: Store,
  source: string,
  dataset: string | null,
  signal: AbortSignal,
): Promise<{ finishedAt: Timestamp; sample: string | null } | null> {
  const all = store.from("ingest_runs").select("finished_at,sample").eq("source", source).eq("status", "completed");
  const question = (dataset === null ? all : all.eq("dataset", dataset))
    .order("finished_at", { ascending: false })
    .limit(1)
    .abortSignal(signal);
  const [row] = (await unwrap(question, "reading the last ingest run")) as {
    finished_at: string;
    sample: string | null;
  }[];
  return row ? { finishedAt: row.finished_at, sample: row.sample } : null;
}

export async function readCursor(
  store: Store,
  source: string,
  name: string,
  signal: AbortSignal,
): Promise<Record<string, unknown> | null> {
  const question = store
    .from("ingest_cursors")
    .select("position")
    .eq("source", source)
    .eq("name", name)
    .abortSignal(signal)
    .maybeSingle();
  const row = (await unwrap(question, "reading the cursor")) as { position: Record<string, unknown> } | null;
  return row?.position ?? null;
}

export async function writeCursor(
  store: Store,
  cursor: { source: string; name: string; position: Record<string, unknown> },
  signal: AbortSignal,
): Promise<void> {
  const row = { ...cursor, updated_at: now() };
  await unwrap(store.from("ingest_cursors").upsert(row).select("name").abortSignal(signal), "writing the cursor");
}
