import type { CachedResponse, ResponseCache } from "@cidadao/runtime/response-cache";
import { type Store, storeError, unwrap } from "./store.ts";

/** The response cache that outlives processes and is shared by them. */
export function createStoredCache(store: Store): ResponseCache {
  return {
    async get(key) {
      const question = store
        .from("source_responses")
        .select("response")
        .eq("key", key)
        .gt("expires_at", new Date().toISOString())
        .maybeSingle();
      const row = (await unwrap(question, "reading the response cache")) as { response: CachedResponse } | null;
      return row?.response ?? null;
    },
    async set(key, response, ttlSeconds) {
      const now = Date.now();
      const row = {
        key,
        response,
        stored_at: new Date(now).toISOString(),
        expires_at: new Date(now + ttlSeconds * 1_000).toISOString(),
      };
      const writing = store.from("source_responses").upsert(row).select("key");
      await unwrap(writing, "writing the response cache");
    },
  };
}

/** Forgets what is no longer valid; returns how many answers that were. */
export async function deleteExpiredResponses(store: Store, signal: AbortSignal): Promise<number> {
  const deleting = store
    .from("source_responses")
    .delete({ count: "exact" })
    .lt("expires_at", new Date().toISOString())
    .abortSignal(signal);
  const { error, count, status } = await deleting;
  if (error) throw storeError(error, status, "cleaning the response cache");
  return count ?? 0;
}
