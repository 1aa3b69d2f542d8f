import type { SourceCoverage } from "@cidadao/domain/investigation";
import type { Timestamp } from "@cidadao/domain/dates";
import type { IngestCounts } from "./records.ts";
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

export async function finishIngestRun(
  store: Store,
  id: string,
  end: { coverage: SourceCoverage; counts: IngestCounts; problems: IngestProblem[]; sample: string | null },
  signal: AbortSignal,
): Promise<void> {
  const { coverage } = end;
  const missing = coverage.missing.map(({ what, why }) => ({ sourceId: null, reason: `${what}: ${why}` }));
  const row = {
    status: coverage.missing.length === 0 ? "completed" : coverage.answered > 0 ? "partial" : "failed",
    asked: coverage.asked,
    answered: coverage.answered,
    records: coverage.records,
    rejected: coverage.rejected,
    ...end.counts,
    problems: [...missing, ...end.problems].slice(0, PROBLEMS_KEPT),
    sample: end.sample,
    finished_at: new Date().toISOString(),
  };
  await unwrap(
    store.from("ingest_runs").update(row).eq("id", id).select("id").abortSignal(signal),
    "closing the ingest run",
  );
}

/** When the dataset was last read completely, or `null` if it never was. */
export async function lastCompleteRun(
  store: Store,
  source: string,
  dataset: string,
  signal: AbortSignal,
): Promise<{ finishedAt: Timestamp; sample: string | null } | null> {
  const question = store
    .from("ingest_runs")
    .select("finished_at,sample")
    .eq("source", source)
    .eq("dataset", dataset)
    .eq("status", "completed")
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
  const row = { ...cursor, updated_at: new Date().toISOString() };
  await unwrap(store.from("ingest_cursors").upsert(row).select("name").abortSignal(signal), "writing the cursor");
}
