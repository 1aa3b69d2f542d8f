import { describe, expect, test } from "vitest";
import { schedules } from "./schedules.ts";
import { dueSlots, nextSlot, scheduleProblems } from "./slots.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const at = (text: string) => new Date(text);
const everySixHours = { cron: "10 1,7,13,19 * * *", catchUp: { kind: "latest" } } as const;

/** Slots in (from, to], found by asking forwards: independent of how `dueSlots` looks back. */
function slotsBetween(cron: string, from: Date, to: Date): Date[] {
  const slots: Date[] = [];
  for (let slot = nextSlot(cron, from); slot <= to; slot = nextSlot(cron, slot)) slots.push(slot);
  return slots;
}

describe("the slot that is due", () => {
  test("is the newest one that has passed, when the schedule never ran, whatever its policy", () => {
    const now = at("2024-01-31T12:00:00Z");
    for (const catchUp of [{ kind: "latest" }, { kind: "cursor" }, { kind: "each", slotsMax: 9 }] as const) {
      expect(dueSlots({ ...everySixHours, catchUp }, null, now)).toEqual([
        { slot: at("2024-01-31T10:10:00Z"), after: null, missed: 0 },
      ]);
    }
  });

  test("is none until the next one has come, and includes the one that is exactly now", () => {
    const latest = at("2024-01-31T10:10:00Z");
    expect(dueSlots(everySixHours, latest, latest)).toEqual([]);
    expect(dueSlots(everySixHours, latest, at("2024-01-31T16:09:59.999Z"))).toEqual([]);
    expect(dueSlots(everySixHours, latest, at("2024-01-31T16:10:00Z"))).toEqual([
      { slot: at("2024-01-31T16:10:00Z"), after: latest, missed: 0 },
    ]);
  });

  test("is none while the clock stands before the last one", () => {
    expect(dueSlots(everySixHours, at("2024-01-31T16:10:00Z"), at("2024-01-31T15:30:00Z"))).toEqual([]);
  });
});

describe.each(schedules.map((schedule) => [schedule.id, schedule] as const))("%s, after a downtime", (_, schedule) => {
  test.each([
    ["1 hour", HOUR_MS],
    ["1 day", DAY_MS],
    ["10 days", 10 * DAY_MS],
  ])("of %s, catches up as its policy says and loses count of no slot", (_what, downMs) => {
    const up = at("2026-03-05T15:00:00Z");
    const down = new Date(up.getTime() - downMs);
    const latest = dueSlots(schedule, null, down)[0]!.slot;
    const passed = slotsBetween(schedule.cron, latest, up);
    const due = dueSlots(schedule, latest, up);
    const bound = schedule.catchUp.kind === "each" ? schedule.catchUp.slotsMax : 1;
    expect(due.map(({ slot }) => slot)).toEqual(passed.slice(-bound));
    // Counted up to two thousand: a minute's schedule passes more in ten days.
    const missed = due.reduce((sum, one) => sum + one.missed, 0);
    expect(missed).toBe(Math.min(Math.max(passed.length - bound, 0), 2_000));
    expect(due.map(({ after }) => after)).toEqual([latest, ...due.map(({ slot }) => slot)].slice(0, due.length));
  });
});

const named = schedules.map(({ id, cron }) => [id, cron] as const);
const isInterval = (cron: string) => cron.split(" ")[1] === "*";

describe.each([
  ["skips midnight", "2018-11-03T15:00:00Z"],
  ["repeats the hour before midnight", "2018-02-17T15:00:00Z"],
])("around the day on which the zone %s", (_what, from) => {
  const [start, end] = [at(from), new Date(at(from).getTime() + 14 * DAY_MS)];

  test.each(named.filter(([, cron]) => isInterval(cron)))("%s keeps its interval", (_, cron) => {
    const slots = slotsBetween(cron, start, new Date(start.getTime() + 2 * DAY_MS));
    const gaps = slots.slice(1).map((slot, index) => slot.getTime() - slots[index]!.getTime());
    expect(new Set(gaps).size).toBe(1);
  });

  test.each(named.filter(([, cron]) => !isInterval(cron)))("%s comes at each of its local times once", (_, cron) => {
    const slots = slotsBetween(cron, start, end);
    const local = new Intl.DateTimeFormat("en-GB", {
      timeZone: "America/Sao_Paulo",
      dateStyle: "short",
      timeStyle: "short",
    });
    const written = slots.map((slot) => local.format(slot));
    expect(new Set(written).size).toBe(written.length);
    const days = cron.split(" ")[4] === "*" ? 14 : 2;
    expect(slots).toHaveLength(days * cron.split(" ")[1]!.split(",").length);
    // One tick every ten minutes, as of a slow scheduler, finds the same slots.
    const found: Date[] = [];
    const schedule = { cron, catchUp: { kind: "latest" } } as const;
    let latest = dueSlots(schedule, null, start)[0]!.slot;
    for (let now = start.getTime(); now <= end.getTime(); now += 600_000) {
      for (const { slot } of dueSlots(schedule, latest, new Date(now))) found.push((latest = slot));
    }
    expect(found).toEqual(slots);
  });
});

describe("the timetable", () => {
  test("is usable", () => {
    expect(scheduleProblems(schedules)).toEqual([]);
  });

  test.each([
    [{ cron: "0 0 * * *" }, "hour (23 or 0)"],
    [{ cron: "30 23 * * 1" }, "hour (23 or 0)"],
    [{ cron: "61 * * * *" }, "no cron expression"],
    [{ cron: "* * * *" }, "five fields"],
    [{ cron: "0 8 * * *", job: "no-such-job" }, "no job no-such-job"],
    [{ cron: "0 8 * * *", job: "deliver-alert" }, "no job deliver-alert for a schedule"],
    [{ id: "Not An Id" }, "lower-case words"],
    [{ id: schedules[1]!.id }, "twice"],
    [{ catchUp: { kind: "each", slotsMax: 0 } }, "no slot at all"],
  ])("with an entry of %j is refused, and says why", (wrong, why) => {
    const entry = { ...schedules[0]!, id: "another", ...wrong } as (typeof schedules)[number];
    expect(scheduleProblems([...schedules, entry]).join()).toContain(why);
  });
});
