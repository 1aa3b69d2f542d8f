import type { Timestamp } from "@cidadao/domain/dates";
import { camelRow } from "./rows.ts";
import { type Store, unwrap } from "./store.ts";

/** The database's clock: replicas with different clocks still agree on the slots. */
export async function readDatabaseTime(store: Store, signal: AbortSignal): Promise<Date> {
  return new Date((await unwrap(store.rpc("database_time").abortSignal(signal), "reading the clock")) as string);
}

/** The newest slot that was ever claimed, or `null` for a schedule that never ran. */
export async function latestSlot(store: Store, scheduleId: string, signal: AbortSignal): Promise<Timestamp | null> {
  const question = store
    .from("schedule_runs")
    .select("slot")
    .eq("schedule_id", scheduleId)
    .order("slot", { ascending: false })
    .limit(1)
    .abortSignal(signal);
  const [row] = (await unwrap(question, "reading the latest slot")) as { slot: string }[];
  return row?.slot ?? null;
}

/** True for exactly one caller a slot. */
export async function claimSlot(
  store: Store,
  run: { scheduleId: string; slot: Timestamp; job: string; missed: number },
  signal: AbortSignal,
): Promise<boolean> {
  const args = { p_schedule_id: run.scheduleId, p_slot: run.slot, p_job: run.job, p_missed: run.missed };
  return (await unwrap(store.rpc("claim_schedule_slot", args).abortSignal(signal), "claiming the slot")) as boolean;
}

export async function takeUnqueuedRuns(
  store: Store,
  bounds: { limit: number; graceSeconds: number },
  signal: AbortSignal,
): Promise<{ scheduleId: string; slot: Timestamp; job: string; fence: number }[]> {
  const args = { p_limit: bounds.limit, p_grace_seconds: bounds.graceSeconds };
  const rows = await unwrap(
    store.rpc("take_unqueued_schedule_runs", args).abortSignal(signal),
    "sweeping scheduled runs",
  );
  return (rows as Record<string, unknown>[]).map((row) => camelRow(row));
}

/** Takes the mark "on the queue" back when the queue did not take it after all. */
export async function markRunUnqueued(
  store: Store,
  run: { scheduleId: string; slot: Timestamp },
  signal: AbortSignal,
): Promise<void> {
  const marking = store
    .from("schedule_runs")
    .update({ enqueued_at: null })
    .eq("schedule_id", run.scheduleId)
    .eq("slot", run.slot)
    .eq("status", "pending")
    .select("slot")
    .abortSignal(signal);
  await unwrap(marking, "marking the run as unqueued");
}

/** The fence to finish the run under; `null`: it is done, or running elsewhere. */
export async function startRun(
  store: Store,
  run: { scheduleId: string; slot: Timestamp },
  leaseSeconds: number,
  signal: AbortSignal,
): Promise<number | null> {
  const args = { p_schedule_id: run.scheduleId, p_slot: run.slot, p_lease_seconds: leaseSeconds };
  return (await unwrap(store.rpc("start_schedule_run", args).abortSignal(signal), "starting the run")) as number | null;
}

export async function finishRun(
  store: Store,
  run: { scheduleId: string; slot: Timestamp; fence: number },
  end: { status: "completed"; result: Record<string, unknown> } | { status: "failed"; problem: string },
  signal: AbortSignal,
): Promise<boolean> {
  const args = {
    p_schedule_id: run.scheduleId,
    p_slot: run.slot,
    p_fence: run.fence,
    p_status: end.status,
    p_result: end.status === "completed" ? end.result : null,
    p_problem: end.status === "failed" ? end.problem : null,
  };
  return (await unwrap(store.rpc("finish_schedule_run", args).abortSignal(signal), "finishing the run")) as boolean;
}
