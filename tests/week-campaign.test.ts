import { schedules } from "@cidadao/queue/schedules";
import { afterAll, expect, test } from "vitest";
import { runWeekCampaign } from "../chaos/week-campaign.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
afterAll(() => db[Symbol.asyncDispose]());

test("from Sunday to Monday every job of the timetable runs and does its work on the recorded portals", async () => {
  const { store, supabaseUrl, serviceRoleKey, sql } = db;
  const figures = await runWeekCampaign({
    store,
    supabaseUrl,
    serviceRoleKey,
    sql,
    dataFolder: "data",
    agencies: ["26408", "52000"],
    start: new Date("2024-01-07T07:50:00Z"),
    end: new Date("2024-01-08T11:05:00Z"),
    stepMinutes: 15,
  });
  expect(figures.problems).toEqual([]);
  const ran = figures.schedules.flatMap(({ schedule, runs }) => (runs > 0 ? [schedule] : []));
  expect(ran).toEqual(schedules.map(({ id }) => id));
  expect(figures.schedules.filter(({ schedule }) => schedule.endsWith("-reanalysis"))).toMatchObject([
    { runs: 1, failed: 0, rows: 12 },
  ]);
  expect(figures.alerts.map(({ kind, status }) => `${kind} ${status}`)).toEqual(["findings sent"]);
  expect(figures.messages).toBeGreaterThan(0);
}, 300_000);
