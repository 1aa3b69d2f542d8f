import { expect, inject, test } from "vitest";
import { runIngestCampaign } from "../chaos/ingest-campaign.ts";
import { openTestStore } from "./support/stack.ts";

const redisUrl = inject("redisUrl");
const LONG_MS = 180_000;

test.each(redisUrl ? [redisUrl] : [])(
  "an ingest under 10 % faults that is killed five times leaves the rows of one that was not disturbed",
  async (url) => {
    await using db = await openTestStore();
    const perMinute = 1_200;
    const result = await runIngestCampaign({
      environment: {
        PATH: process.env["PATH"] ?? "",
        SUPABASE_URL: db.supabaseUrl,
        SUPABASE_SERVICE_ROLE_KEY: db.serviceRoleKey,
        REDIS_URL: url,
      },
      sql: db.sql,
      contracts: 4_000,
      days: 4,
      pageRows: 50,
      kills: 5,
      faultShare: 0.1,
      perMinute,
      seed: 20_251_124,
      say: () => {},
    });
    expect(result).toMatchObject({ contracts: 4_000, rowsAreEqual: true, pages: 80, kills: 5 });
    expect(result.answeredMost).toBeLessThanOrEqual(2);
    expect(result.perMinuteMax).toBeLessThanOrEqual(perMinute);
    expect(Object.values(result.faults).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
  },
  LONG_MS,
);
