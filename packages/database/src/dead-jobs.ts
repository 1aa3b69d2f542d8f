import type { Timestamp } from "@cidadao/domain/dates";
import { camelRow } from "./rows.ts";
import { type Store, unwrap } from "./store.ts";

export const deadJobKinds = ["investigation", "schedule_run", "alert_delivery"] as const;
export type DeadJobKind = (typeof deadJobKinds)[number];

export type DeadJob = {
  kind: DeadJobKind;
  id: string;
  name: string;
  reason: string;
  attempts: number;
  crashes: number;
  diedAt: Timestamp;
};

/** What ended for good without its result, newest first. */
export async function listDeadJobs(
  store: Store,
  page: { before: Timestamp; limit: number },
  signal: AbortSignal,
): Promise<DeadJob[]> {
  const question = store.rpc("list_dead_jobs", { p_before: page.before, p_limit: page.limit }).abortSignal(signal);
  return ((await unwrap(question, "listing dead jobs")) as Record<string, unknown>[]).map((row) => camelRow(row));
}

/** Gives a dead job another life; the sweep puts it on its queue. False: it is not dead. */
export async function redriveDeadJob(
  store: Store,
  job: Pick<DeadJob, "kind" | "id">,
  signal: AbortSignal,
): Promise<boolean> {
  const question = store.rpc("redrive_dead_job", { p_kind: job.kind, p_id: job.id }).abortSignal(signal);
  return (await unwrap(question, "redriving the job")) as boolean;
}
