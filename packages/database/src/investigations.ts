import {
  type InvestigationOrigin,
  type InvestigationOutcome,
  type InvestigationPhase,
  type InvestigationPriority,
  type InvestigationScope,
  type InvestigationStatus,
  type SourceCoverage,
} from "@cidadao/domain/investigation";
import type { Timestamp } from "@cidadao/domain/dates";
import type { DetectorReport } from "@cidadao/domain/dataset";
import type { AnomalyRow } from "./anomaly-row.ts";
import type { AlertAddressee } from "./alerts.ts";
import { type ListPosition, olderThan } from "./list-position.ts";
import { camelRow } from "./rows.ts";
import { type Store, unwrap } from "./store.ts";

export type Investigation = {
  id: string;
  query: string | null;
  scope: InvestigationScope;
  detectors: string[] | null;
  origin: InvestigationOrigin;
  priority: InvestigationPriority;
  ownerId: string | null;
  visibility: "public" | "private";
  requestHash: string;
  status: InvestigationStatus;
  outcome: InvestigationOutcome | null;
  phase: InvestigationPhase;
  progress: number;
  events: number;
  fence: number;
  attempts: number;
  crashes: number;
  records: number;
  anomalies: number;
  coverage: SourceCoverage[];
  sample: string | null;
  failureCode: string | null;
  failureMessage: string | null;
  createdAt: Timestamp;
  startedAt: Timestamp | null;
  completedAt: Timestamp | null;
};

export type NewInvestigation = {
  query: string | null;
  scope: InvestigationScope;
  detectors: string[] | null;
  origin: InvestigationOrigin;
  priority: InvestigationPriority;
  /** `null`: the caller gave no Idempotency-Key. */
  idempotencyHash: string | null;
  requestHash: string;
};

const COLUMNS =
  "id,query,scope,detectors,origin,priority,owner_id,visibility,request_hash,status,outcome,phase,progress,events,fence," +
  "attempts,crashes,records,anomalies,coverage,sample,failure_code,failure_message,created_at,started_at,completed_at";

/**
 * Inserts the row, marked as enqueued: one round trip. `created` is false when the Idempotency-Key was used before;
 * then the row is the earlier one.
 */
export async function insertInvestigation(
  store: Store,
  given: NewInvestigation,
  signal: AbortSignal,
): Promise<{ investigation: Investigation; created: boolean }> {
  const row = {
    query: given.query,
    scope: given.scope,
    detectors: given.detectors,
    origin: given.origin,
    priority: given.priority,
    request_hash: given.requestHash,
    ...(given.idempotencyHash === null ? {} : { idempotency_hash: given.idempotencyHash }),
  };
  const table = store.from("investigations");
  // What the database adds to a new row is its id and its birth; everything else is what was given, or a first value.
  const inserting =
    given.idempotencyHash === null
      ? table.insert(row).select("id,created_at").abortSignal(signal)
      : table
          .upsert(row, { onConflict: "owner_id,idempotency_hash", ignoreDuplicates: true })
          .select("id,created_at")
          .abortSignal(signal);
  const [inserted] = (await unwrap(inserting, "storing the investigation")) as { id: string; created_at: string }[];
  if (inserted) return { investigation: newborn(given, inserted.id, inserted.created_at), created: true };
  const reading = store
    .from("investigations")
    .select(COLUMNS)
    .is("owner_id", null)
    .eq("idempotency_hash", given.idempotencyHash!)
    .abortSignal(signal)
    .single();
  const earlier = (await unwrap(reading, "reading the earlier investigation")) as unknown as Record<string, unknown>;
  return { investigation: camelRow(earlier), created: false };
}

/** A row as `insertInvestigation` leaves it; a test holds this equal to the defaults of the schema. */
function newborn(given: NewInvestigation, id: string, createdAt: Timestamp): Investigation {
  const { idempotencyHash: _, ...asked } = given;
  return {
    ...asked,
    id,
    ownerId: null,
    visibility: "public",
    status: "pending",
    outcome: null,
    phase: "opened",
    progress: 0,
    events: 0,
    fence: 0,
    attempts: 0,
    crashes: 0,
    records: 0,
    anomalies: 0,
    coverage: [],
    sample: null,
    failureCode: null,
    failureMessage: null,
    createdAt,
    startedAt: null,
    completedAt: null,
  };
}

export async function findInvestigation(store: Store, id: string, signal: AbortSignal): Promise<Investigation | null> {
  const question = store.from("investigations").select(COLUMNS).eq("id", id).abortSignal(signal).maybeSingle();
  const row = (await unwrap(question, "reading the investigation")) as unknown as Record<string, unknown> | null;
  return row === null ? null : camelRow(row);
}

export async function listInvestigations(
  store: Store,
  filter: { status?: InvestigationStatus | undefined; before?: ListPosition | undefined; limit: number },
  signal: AbortSignal,
): Promise<Investigation[]> {
  let question = store.from("investigations").select(COLUMNS).eq("visibility", "public");
  if (filter.status) question = question.eq("status", filter.status);
  if (filter.before) question = question.or(olderThan(filter.before));
  const ordered = question.order("created_at", { ascending: false }).order("id", { ascending: false });
  const rows = await unwrap(ordered.limit(filter.limit).abortSignal(signal), "listing investigations");
  return (rows as unknown as Record<string, unknown>[]).map((row) => camelRow<Investigation>(row));
}

export type ClaimOutcome = "claimed" | "leased" | "early" | "final" | "unknown" | "poison";

export async function claimInvestigation(
  store: Store,
  claim: { id: string; worker: string; leaseSeconds: number; crashesMax: number },
  signal: AbortSignal,
): Promise<{ outcome: "claimed"; investigation: Investigation } | { outcome: Exclude<ClaimOutcome, "claimed"> }> {
  const args = {
    p_id: claim.id,
    p_worker: claim.worker,
    p_lease_seconds: claim.leaseSeconds,
    p_crashes_max: claim.crashesMax,
  };
  const answer = await unwrap(store.rpc("claim_investigation", args).abortSignal(signal), "claiming the investigation");
  const { outcome, investigation } = answer as { outcome: ClaimOutcome; investigation?: Record<string, unknown> };
  if (outcome === "claimed") return { outcome, investigation: camelRow(investigation!) };
  return { outcome };
}

/** A claimed investigation, as its worker names it in every write. */
export type Claim = { id: string; fence: number; leaseSeconds: number };

export type Progress = {
  phase: InvestigationPhase;
  progress: number;
  message: string;
  data?: Record<string, unknown>;
};

/** False: the investigation is no longer ours. Also renews the lease. */
export async function recordProgress(
  store: Store,
  claim: Claim,
  step: Progress,
  signal: AbortSignal,
): Promise<boolean> {
  const args = {
    p_id: claim.id,
    p_fence: claim.fence,
    p_lease_seconds: claim.leaseSeconds,
    p_phase: step.phase,
    p_progress: step.progress,
    p_message: step.message,
    p_data: step.data ?? {},
  };
  return (await unwrap(store.rpc("record_progress", args).abortSignal(signal), "recording progress")) as boolean;
}

/** False: the investigation is no longer ours. */
export async function renewInvestigation(store: Store, claim: Claim, signal: AbortSignal): Promise<boolean> {
  const args = { p_id: claim.id, p_fence: claim.fence, p_lease_seconds: claim.leaseSeconds };
  return (await unwrap(store.rpc("renew_investigation", args).abortSignal(signal), "renewing the lease")) as boolean;
}

export async function releaseInvestigation(
  store: Store,
  claim: Claim,
  release: { delaySeconds: number; reason: string },
  signal: AbortSignal,
): Promise<boolean> {
  const args = {
    p_id: claim.id,
    p_fence: claim.fence,
    p_delay_seconds: release.delaySeconds,
    p_reason: release.reason,
  };
  return (await unwrap(
    store.rpc("release_investigation", args).abortSignal(signal),
    "releasing the investigation",
  )) as boolean;
}

/** `delaySeconds: null` fails for good; otherwise it fails for good only when no attempt is left. */
export async function failInvestigation(
  store: Store,
  claim: Claim,
  failure: { code: string; message: string; delaySeconds: number | null; attemptsMax: number },
  signal: AbortSignal,
): Promise<"pending" | "failed" | "refused"> {
  const args = {
    p_id: claim.id,
    p_fence: claim.fence,
    p_code: failure.code,
    p_message: failure.message,
    p_delay_seconds: failure.delaySeconds,
    p_attempts_max: failure.attemptsMax,
  };
  const answer = await unwrap(store.rpc("fail_investigation", args).abortSignal(signal), "recording the failure");
  return answer as "pending" | "failed" | "refused";
}

/** What a run stores, all of it or none. Keys of `anomalies` and `report` are columns. */
export type InvestigationResult = {
  outcome: InvestigationOutcome;
  records: number;
  coverage: SourceCoverage[];
  sample: string | null;
  message: string;
  anomalies: AnomalyRow[];
  report: {
    title: string;
    markdown: string;
    totals: Record<string, unknown>;
    detectors: DetectorReport[];
    coverage: SourceCoverage[];
  };
  alert: { fingerprints: string[]; targets: AlertAddressee[] };
};

export type Completion = { completed: boolean; alertId: string | null; deliveries: string[] };

export async function completeInvestigation(
  store: Store,
  claim: Claim,
  result: InvestigationResult,
  signal: AbortSignal,
): Promise<Completion> {
  const args = { p_id: claim.id, p_fence: claim.fence, p_result: result };
  const answer = await unwrap(store.rpc("complete_investigation", args).abortSignal(signal), "storing the result");
  return answer as Completion;
}

export async function cancelInvestigation(
  store: Store,
  id: string,
  signal: AbortSignal,
): Promise<"cancelled" | "final" | "unknown"> {
  const answer = await unwrap(store.rpc("cancel_investigation", { p_id: id }).abortSignal(signal), "cancelling");
  return answer as "cancelled" | "final" | "unknown";
}

export async function takeUnqueuedInvestigations(
  store: Store,
  bounds: { limit: number; graceSeconds: number },
  signal: AbortSignal,
): Promise<{ id: string; fence: number; priority: InvestigationPriority }[]> {
  const args = { p_limit: bounds.limit, p_grace_seconds: bounds.graceSeconds };
  const rows = await unwrap(
    store.rpc("take_unqueued_investigations", args).abortSignal(signal),
    "sweeping investigations",
  );
  return rows as { id: string; fence: number; priority: InvestigationPriority }[];
}

export async function markUnqueued(store: Store, id: string, signal: AbortSignal): Promise<void> {
  await unwrap(store.rpc("mark_unqueued", { p_id: id }).abortSignal(signal), "marking as unqueued");
}

export type Backlog = { waiting: number; oldestSeconds: number; endedLastMinute: number };

export async function readBacklog(store: Store, signal: AbortSignal): Promise<Backlog> {
  return (await unwrap(store.rpc("investigation_backlog").abortSignal(signal), "reading the backlog")) as Backlog;
}

/** What an Idempotency-Key has opened, if anything. */
export async function findByIdempotencyHash(
  store: Store,
  hash: string,
  signal: AbortSignal,
): Promise<Investigation | null> {
  const question = store.from("investigations").select(COLUMNS).eq("idempotency_hash", hash).is("owner_id", null);
  const row = await unwrap(question.abortSignal(signal).maybeSingle(), "reading by idempotency key");
  return row === null ? null : camelRow<Investigation>(row as unknown as Record<string, unknown>);
}

export type OutcomeCounts = {
  waiting: number;
  running: number;
  completed: number;
  failed: number;
  cancelled: number;
  anomalies: number;
  failedIds: string[];
};

const IDS_PER_QUESTION = 100;

/** What has become of these investigations so far. */
export async function countOutcomes(store: Store, ids: string[], signal: AbortSignal): Promise<OutcomeCounts> {
  const counts: OutcomeCounts = {
    waiting: 0,
    running: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    anomalies: 0,
    failedIds: [],
  };
  for (let start = 0; start < ids.length; start += IDS_PER_QUESTION) {
    const some = ids.slice(start, start + IDS_PER_QUESTION);
    const question = store.from("investigations").select("id,status,anomalies").in("id", some).abortSignal(signal);
    const rows = await unwrap(question, "counting outcomes");
    for (const { id, status, anomalies } of rows as { id: string; status: InvestigationStatus; anomalies: number }[]) {
      counts[status === "pending" ? "waiting" : status]++;
      counts.anomalies += anomalies;
      if (status === "failed") counts.failedIds.push(id);
    }
  }
  return counts;
}
