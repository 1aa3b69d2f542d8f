import type { Timestamp } from "@cidadao/domain/dates";

/** A good answer of a source, kept so that the same question is not asked twice. Errors are never stored. */
export type CachedResponse = {
  text: string;
  /** Only the headers the source reads again. */
  headers: Record<string, string>;
  retrievedAt: Timestamp;
};

export type ResponseCache = {
  /** The stored answer, or `null` when there is none or its time is over. */
  get(key: string): Promise<CachedResponse | null>;
  set(key: string, response: CachedResponse, ttlSeconds: number): Promise<void>;
};

export type CacheParams = Record<string, string | number | null | undefined>;

/** One text for one question: every parameter that is sent, in one order, whatever order it was written in. */
export function cacheKey(source: string, path: string, params: CacheParams): string {
  const pairs = Object.entries(params)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .sort();
  return `${encodeURIComponent(source)} ${encodeURI(path)}?${pairs.join("&")}`;
}

const cacheOutcomes = ["hit", "miss", "stored", "failed"] as const;
export type CacheOutcome = (typeof cacheOutcomes)[number];

/** Reports what the cache did, and goes on without it when its store fails: a cache may cost time, never an answer. */
export function observedCache(
  cache: ResponseCache,
  onOutcome: (outcome: CacheOutcome, error?: unknown) => void,
): ResponseCache {
  return {
    async get(key) {
      try {
        const found = await cache.get(key);
        onOutcome(found ? "hit" : "miss");
        return found;
      } catch (error) {
        onOutcome("failed", error);
        return null;
      }
    },
    async set(key, response, ttlSeconds) {
      try {
        await cache.set(key, response, ttlSeconds);
        onOutcome("stored");
      } catch (error) {
        onOutcome("failed", error);
      }
    },
  };
}

const ENTRIES_MAX = 1_000;

/** Forgets the entry that was stored first when it is full. */
export function createMemoryCache(options: { entriesMax?: number; clock?: { now(): number } } = {}): ResponseCache {
  const { entriesMax = ENTRIES_MAX, clock = Date } = options;
  const entries = new Map<string, { response: CachedResponse; expiresAtMs: number }>();
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry && entry.expiresAtMs > clock.now()) return Promise.resolve(entry.response);
      entries.delete(key);
      return Promise.resolve(null);
    },
    set(key, response, ttlSeconds) {
      entries.delete(key);
      entries.set(key, { response, expiresAtMs: clock.now() + ttlSeconds * 1_000 });
      if (entries.size > entriesMax) entries.delete(entries.keys().next().value!);
      return Promise.resolve();
    },
  };
}
