import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  cacheKey,
  createMemoryCache,
  observedCache,
  type CacheOutcome,
  type CachedResponse,
} from "./response-cache.ts";

const answer: CachedResponse = { text: "[]", headers: {}, retrievedAt: "2024-01-31T12:00:00.000Z" };

test("gives one key for the same parameters in any order", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string()), (params) => {
      const reversed = Object.fromEntries(Object.entries(params).toReversed());
      expect(cacheKey("portal", "/contratos", reversed)).toBe(cacheKey("portal", "/contratos", params));
    }),
  );
});

test("gives another key when a source, a path, a name or a value differs", () => {
  const keys = [
    cacheKey("portal", "/a", { x: "1" }),
    cacheKey("pncp", "/a", { x: "1" }),
    cacheKey("portal", "/b", { x: "1" }),
    cacheKey("portal", "/a", { x: "2" }),
    cacheKey("portal", "/a", { y: "1" }),
    cacheKey("portal", "/a", { x: "1", y: "" }),
    cacheKey("portal", "/a", { x: "1&y=2" }),
    cacheKey("portal", "/a", { x: "1", y: "2" }),
    cacheKey("portal", "/a", {}),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test("forgets an answer when its time is over", async () => {
  const clock = { ms: 0, now: () => clock.ms };
  const cache = createMemoryCache({ clock });
  await cache.set("key", answer, 60);
  clock.ms = 59_999;
  expect(await cache.get("key")).toEqual(answer);
  clock.ms = 60_000;
  expect(await cache.get("key")).toBeNull();
});

test("never holds more entries than it may", async () => {
  const cache = createMemoryCache({ entriesMax: 2 });
  for (const key of ["a", "b", "c"]) await cache.set(key, answer, 60);
  expect(await Promise.all(["a", "b", "c"].map((key) => cache.get(key)))).toEqual([null, answer, answer]);
});

test("goes on without a store that fails, and says so", async () => {
  const outcomes: CacheOutcome[] = [];
  const broken = { get: () => Promise.reject(new Error("away")), set: () => Promise.reject(new Error("away")) };
  const cache = observedCache(broken, (outcome) => outcomes.push(outcome));
  expect(await cache.get("key")).toBeNull();
  await cache.set("key", answer, 60);
  const working = observedCache(createMemoryCache(), (outcome) => outcomes.push(outcome));
  await working.get("key");
  await working.set("key", answer, 60);
  await working.get("key");
  expect(outcomes).toEqual(["failed", "failed", "miss", "stored", "hit"]);
});
