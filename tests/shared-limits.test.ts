import { randomUUID } from "node:crypto";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { Redis } from "ioredis";
import { expect, inject, test } from "vitest";
import { noLimit } from "./support/records.ts";

const redisUrl = inject("redisUrl");

/** Two processes, as far as a Redis can tell. */
async function twoOf(url: string) {
  const keyPrefix = `limits-${randomUUID()}`;
  const clients = [new Redis(url, { maxRetriesPerRequest: 0 }), new Redis(url, { maxRetriesPerRequest: 0 })] as const;
  await Promise.all(clients.map((redis) => redis.ping()));
  const [one, other] = clients.map((redis) => openSharedLimits({ redis, keyPrefix }));
  return {
    one: one!,
    other: other!,
    clients,
    [Symbol.dispose]: () => clients.forEach((redis) => redis.disconnect()),
  };
}

test.each(redisUrl ? [redisUrl] : [])(
  "a pause that one process was told holds for every other, until its time",
  async (url) => {
    using both = await twoOf(url);
    const pause = { untilMs: Date.now() + 60_000, code: "rate_limited" as const, reason: "HTTP 429" };
    await both.one.pauses.set("pncp", pause);
    expect(await both.other.pauses.get("pncp")).toEqual(pause);
    expect(await both.other.pauses.get("another")).toBeNull();
    await both.one.pauses.set("pncp", { ...pause, untilMs: Date.now() - 1 });
    expect(await both.other.pauses.get("pncp")).toBeNull();
  },
);

test.each(redisUrl ? [redisUrl] : [])(
  "a process goes by the pauses it was told itself while Redis is away",
  async (url) => {
    using both = await twoOf(url);
    const pause = { untilMs: Date.now() + 60_000, code: "source_refused" as const, reason: "HTTP 403" };
    await both.one.pauses.set("portal", pause);
    for (const redis of both.clients) redis.disconnect();
    expect(await both.one.pauses.get("portal")).toEqual(pause);
    expect(await both.other.pauses.get("portal")).toBeNull();
    await both.other.pauses.set("portal", pause);
    expect(await both.other.pauses.get("portal")).toEqual(pause);
  },
);

test.each(redisUrl ? [redisUrl] : [])(
  "the turns that all processes took in this minute are counted together",
  async (url) => {
    using both = await twoOf(url);
    // Again when a minute of the clock ended in between.
    const bothTake = async () => {
      await both.one.limiter(6_000).take("pncp", noLimit);
      await both.other.limiter(6_000).take("pncp", noLimit);
      return both.one.usedThisMinute("pncp");
    };
    await expect.poll(bothTake).toBeGreaterThanOrEqual(2);
    expect(await both.one.usedThisMinute("another")).toBe(0);
    expect(await openSharedLimits(null).usedThisMinute("pncp")).toBeNull();
  },
);
