import type { Timestamp } from "@cidadao/domain/dates";
import { camelRow } from "./rows.ts";
import { type Store, unwrap } from "./store.ts";

/** The database's clock: replicas with different clocks still agree on the slots. */
export async function readDatabaseTime(store: Store, signal: AbortSignal): Promise<Date> {
  return new Date((await unwrap(store.rpc("database_time").abortSignal(signal), "reading the clock")) as string);
}

/** The database's clock, and for each schedule its newest claimed slot, or else the one after which it begins. */
export async function readScheduleState(
  store: Store,
  ids: string[],
  signal: AbortSignal,
): Promise<{ now: Date; latest: Map<string, Date> }> {
  const question = store.rpc("schedule_state", { p_ids: ids }).abortSignal(signal);
  const { now, latest } = (await unwrap(question, "reading the timetable")) as {
    now: string;
    latest: Record<string, string | null>;
  };
  const claimed = Object.entries(latest).flatMap(([id, slot]) =>
    slot === null ? [] : [[id, new Date(slot)] as const],
  );
  return { now: new Date(now), latest: new Map(claimed) };
}

/** Lets a schedule that never ran begin with the first slot after this one. */
export async function startScheduleAfter(
  store: Store,
  start: { scheduleId: string; slot: Date },
  signal: AbortSignal,
): Promise<void> {
  const args = { p_schedule_id: start.scheduleId, p_slot: start.slot.toISOString() };
  await unwrap(store.rpc("start_schedule_after", args).abortSignal(signal), "starting the schedule");
}

/** True for exactly one caller a slot, and only while `after` is the newest slot of the schedule. */
export async function claimSlot(
  store: Store,
  run: { scheduleId: string; slot: Date; after: Date | null; job: string; missed: number },
  signal: AbortSignal,
): Promise<boolean> {
  const args = {
    p_schedule_id: run.scheduleId,
    p_slot: run.slot.toISOString(),
    p_job: run.job,
    p_missed: run.missed,
    p_after: run.after?.toISOString() ?? null,
  };
  return (await unwrap(store.rpc("claim_schedule_slot", args).abortSignal(signal), "claiming the slot")) as boolean;
}

/** A run outside the timetable; resolves with the moment that names it. */
export async function openManualRun(
  store: Store,
  run: { scheduleId: string; job: string },
  signal: AbortSignal,
): Promise<Timestamp> {
  const args = { p_schedule_id: run.scheduleId, p_job: run.job };
  const slot = await unwrap(store.rpc("open_manual_run", args).abortSignal(signal), "opening the run");
  return new Date(slot as string).toISOString();
}

export type ScheduleRun = {
  scheduleId: string;
  slot: Timestamp;
  job: string;
  origin: "schedule" | "manual";
  status: "pending" | "running" | "completed" | "failed";
  missed: number;
  crashes: number;
  progress: Record<string, unknown> | null;
  result: Record<string, unknown> | null;
  problem: string | null;
  claimedAt: Timestamp;
  startedAt: Timestamp | null;
  finishedAt: Timestamp | null;
};

/** The newest run of each schedule, and when one of its runs last ended well. */
export async function latestRuns(
  store: Store,
  ids: string[],
  signal: AbortSignal,
): Promise<Map<string, { run: ScheduleRun | null; completedAt: Timestamp | null }>> {
  const question = store.rpc("latest_schedule_runs", { p_ids: ids }).abortSignal(signal);
  const rows = (await unwrap(question, "reading the latest runs")) as {
    schedule_id: string;
    run: Record<string, unknown> | null;
    completed_at: string | null;
  }[];
  return new Map(
    rows.map((row) => [
      row.schedule_id,
      { run: row.run === null ? null : camelRow<ScheduleRun>(row.run), completedAt: row.completed_at },
    ]),
  );
}

export async function findRun(
  store: Store,
  run: { scheduleId: string; slot: Timestamp },
  signal: AbortSignal,
): Promise<ScheduleRun | null> {
  const question = store
    .from("schedule_runs")
    .select("*")
    .eq("schedule_id", run.scheduleId)
    .eq("slot", run.slot)
    .abortSignal(signal)
    .maybeSingle();
  const row = (await unwrap(question, "reading the run")) as Record<string, unknown> | null;
  return row === null ? null : camelRow<ScheduleRun>(row);
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

/** The fence to finish the run under; `null`: it is done, runs elsewhere, or its workers died too often. */
export async function startRun(
  store: Store,
  run: { scheduleId: string; slot: Timestamp },
  bounds: { leaseSeconds: number; crashesMax: number },
  signal: AbortSignal,
): Promise<number | null> {
  const args = {
    p_schedule_id: run.scheduleId,
    p_slot: run.slot,
    p_lease_seconds: bounds.leaseSeconds,
    p_crashes_max: bounds.crashesMax,
  };
  return (await unwrap(store.rpc("start_schedule_run", args).abortSignal(signal), "starting the run")) as number | null;
}

type StartedRun = { scheduleId: string; slot: Timestamp; fence: number };

/** Renews the lease, and with `progress` replaces what is shown of the run. False: it is no longer ours. */
export async function renewRun(
  store: Store,
  run: StartedRun,
  given: { leaseSeconds: number; progress: Record<string, unknown> | null },
  signal: AbortSignal,
): Promise<boolean> {
  const args = {
    p_schedule_id: run.scheduleId,
    p_slot: run.slot,
    p_fence: run.fence,
    p_lease_seconds: given.leaseSeconds,
    p_progress: given.progress,
  };
  return (await unwrap(store.rpc("renew_schedule_run", args).abortSignal(signal), "renewing the run")) as boolean;
}

/** Gives an unfinished run back without blame. */
export async function releaseRun(store: Store, run: StartedRun, signal: AbortSignal): Promise<boolean> {
  const args = { p_schedule_id: run.scheduleId, p_slot: run.slot, p_fence: run.fence };
  return (await unwrap(store.rpc("release_schedule_run", args).abortSignal(signal), "releasing the run")) as boolean;
}

export async function finishRun(
  store: Store,
  run: StartedRun,
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
