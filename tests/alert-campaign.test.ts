import { afterAll, expect, test } from "vitest";
import { runAlertCampaign } from "../chaos/alert-campaign.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
afterAll(() => db[Symbol.asyncDispose]());

test.each([
  ["each its own message", { alerts: 80, kills: 4, groupMax: 1 }],
  ["in bursts", { alerts: 200, kills: 3, groupMax: 10 }],
])(
  "through dying senders and a Discord that answers badly no alert is posted twice and each ends (%s)",
  async (_, form) => {
    await db.sql("truncate alerts, alert_targets cascade");
    const { store, supabaseUrl, serviceRoleKey } = db;
    const figures = await runAlertCampaign({
      store,
      supabaseUrl,
      serviceRoleKey,
      faultShare: 0.15,
      sendLeaseSeconds: 8,
      seed: 20_240_131,
      ...form,
    });
    expect(figures.violations).toEqual([]);
    expect(figures).toMatchObject({ kills: form.kills, duplicates: 0 });
    expect(figures.faults).toBeGreaterThan(0);
    expect(figures.sent).toBeGreaterThanOrEqual(form.alerts - form.kills * form.groupMax - figures.failed);
  },
  180_000,
);
