import { afterAll, expect, test } from "vitest";
import { runSchedulerCampaign } from "../chaos/scheduler-campaign.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
afterAll(() => db[Symbol.asyncDispose]());

test("through kills, redeploys at due times and wrong clocks every slot happens once, by its policy", async () => {
  const { store, supabaseUrl, serviceRoleKey } = db;
  const campaign = { days: 2, kills: 8, redeploys: 3, clockSteps: 6, seed: 20_181_105 };
  const figures = await runSchedulerCampaign({ store, supabaseUrl, serviceRoleKey, ...campaign });
  const { kills, redeploys, clockSteps, violations } = figures;
  expect(violations).toEqual([]);
  expect({ kills, redeploys, clockSteps }).toEqual({ kills: 8, redeploys: 3, clockSteps: 6 });
  expect(figures.runs + figures.missed).toBe(figures.slots);
}, 300_000);
