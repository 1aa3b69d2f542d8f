import type { Timestamp } from "@cidadao/domain/dates";
import { type Store, unwrap } from "./store.ts";

/** This worker is there, and takes jobs. */
export async function noteWorker(store: Store, worker: string, signal: AbortSignal): Promise<void> {
  await unwrap(store.rpc("note_worker", { p_worker: worker }).abortSignal(signal), "noting the worker");
}

/** Since when no worker was heard of, by the database's clock; both `null` where there never was one. */
export async function readWorkerSilence(
  store: Store,
  signal: AbortSignal,
): Promise<{ seenAt: Timestamp | null; silentSeconds: number | null }> {
  const answer = await unwrap(store.rpc("worker_silence").abortSignal(signal), "reading when a worker was seen");
  return answer as { seenAt: Timestamp | null; silentSeconds: number | null };
}
