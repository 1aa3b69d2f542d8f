import type { ChannelId } from "@cidadao/domain/alert";
import type { Timestamp } from "@cidadao/domain/dates";
import type { Severity } from "@cidadao/domain/severity";
import type { Watched, WatchKind, WatchSubject } from "@cidadao/domain/watch";
import { type ListPosition, olderThan } from "./list-position.ts";
import { chunks } from "./records.ts";
import { camelRow } from "./rows.ts";
import { type Store, unwrap } from "./store.ts";

export type Watch = {
  id: string;
  /** The signed-in person whose watch it is; `null`: the operator keeps it. */
  ownerId: string | null;
  subjectKind: WatchKind;
  subjectId: string;
  channel: ChannelId;
  /** Names the target without its address. */
  target: string;
  severityMin: Severity | null;
  createdAt: Timestamp;
};

const COLUMNS = "id,owner_id,subject_kind,subject_id,channel,target,severity_min,created_at" as const;

/** `full`: the target watches as much as one may. */
export type OpenedWatch = { outcome: "created" | "existing"; watch: Watch } | { outcome: "full" };

/** The same subject at the same target is one watch, and stays as it is. */
export async function openWatch(
  store: Store,
  given: {
    ownerId: string | null;
    subject: WatchSubject;
    channel: ChannelId;
    target: string;
    address: string;
    severityMin: Severity | null;
    perTargetMax: number;
  },
  signal: AbortSignal,
): Promise<OpenedWatch> {
  const args = {
    p_owner: given.ownerId,
    p_subject_kind: given.subject.kind,
    p_subject_id: given.subject.id,
    p_channel: given.channel,
    p_target: given.target,
    p_address: given.address,
    p_severity_min: given.severityMin,
    p_per_target_max: given.perTargetMax,
  };
  const answer = (await unwrap(store.rpc("open_watch", args).abortSignal(signal), "opening the watch")) as {
    outcome: "created" | "existing" | "full";
    watch: Record<string, unknown> | null;
  };
  if (answer.outcome === "full") return { outcome: "full" };
  const { address: _, ...row } = answer.watch!;
  return { outcome: answer.outcome, watch: camelRow(row) };
}

/** Newest first. */
export async function listWatches(
  store: Store,
  filter: { before?: ListPosition | undefined; limit: number },
  signal: AbortSignal,
): Promise<Watch[]> {
  let question = store.from("watches").select(COLUMNS);
  if (filter.before) question = question.or(olderThan(filter.before));
  const ordered = question.order("created_at", { ascending: false }).order("id", { ascending: false });
  const rows = await unwrap(ordered.limit(filter.limit).abortSignal(signal), "listing watches");
  return (rows as Record<string, unknown>[]).map((row) => camelRow(row));
}

/** False: there is no such watch. */
export async function deleteWatch(store: Store, id: string, signal: AbortSignal): Promise<boolean> {
  const question = store.from("watches").delete().eq("id", id).select("id").abortSignal(signal);
  return ((await unwrap(question, "deleting the watch")) as unknown[]).length > 0;
}

/** What one target watches, and its address; `null` where it watches nothing. */
export async function findTargetWatches(
  store: Store,
  delivery: { channel: ChannelId; target: string },
  signal: AbortSignal,
): Promise<{ address: string; watched: Watched[] } | null> {
  const question = store
    .from("watches")
    .select("address,subject_kind,subject_id,severity_min")
    .eq("channel", delivery.channel)
    .eq("target", delivery.target)
    .order("created_at")
    .abortSignal(signal);
  const rows = (await unwrap(question, "reading what a target watches")) as {
    address: string;
    subject_kind: WatchKind;
    subject_id: string;
    severity_min: Severity | null;
  }[];
  if (rows.length === 0) return null;
  return {
    address: rows[0]!.address,
    watched: rows.map((row) => ({ kind: row.subject_kind, id: row.subject_id, severityMin: row.severity_min })),
  };
}

/** Which of these somebody watches. */
export async function listWatched(
  store: Store,
  kind: WatchKind,
  ids: string[],
  signal: AbortSignal,
): Promise<Set<string>> {
  const watched = new Set<string>();
  for (const some of chunks(ids)) {
    const question = store.from("watches").select("subject_id").eq("subject_kind", kind).in("subject_id", some);
    const rows = (await unwrap(question.abortSignal(signal), "reading what is watched")) as { subject_id: string }[];
    for (const row of rows) watched.add(row.subject_id);
  }
  return watched;
}
