import { expect, test } from "vitest";
import { dateOf, dayOf, monthIndexOf, weekdayOf, yearOf } from "./days.ts";
import { NONE } from "./dictionary.ts";

const MS_A_DAY = 86_400_000;

test("every day from 1988 to 2100 is that of the calendar of Date, and comes back as it went in", () => {
  const wrong: string[] = [];
  let days = 0;
  for (let ms = Date.UTC(1988, 0, 1); ms <= Date.UTC(2100, 11, 31); ms += MS_A_DAY, days++) {
    const date = new Date(ms);
    const text = date.toISOString().slice(0, 10);
    const day = dayOf(text);
    const isRight =
      day === ms / MS_A_DAY &&
      dateOf(day) === text &&
      yearOf(day) === date.getUTCFullYear() &&
      monthIndexOf(day) === date.getUTCFullYear() * 12 + date.getUTCMonth() &&
      weekdayOf(day) === date.getUTCDay();
    if (!isRight) wrong.push(text);
  }
  expect(wrong).toEqual([]);
  expect(days).toBe(41_273);
});

test("a day before 1970 or after 2100 is a day too", () => {
  for (const text of ["0001-01-01", "1600-02-29", "1900-03-01", "1969-12-30", "2101-01-01", "2400-02-29"]) {
    const day = dayOf(text);
    const date = new Date(`${text}T00:00:00Z`);
    expect(day).toBe(date.getTime() / MS_A_DAY);
    expect(dateOf(day)).toBe(text);
    expect([yearOf(day), weekdayOf(day)]).toEqual([date.getUTCFullYear(), date.getUTCDay()]);
  }
});

test.each([
  null,
  undefined,
  "",
  "2024",
  "2024-1-1",
  "2024-13-01",
  "2024-00-10",
  "2024-01-32",
  "2024-01-00",
  "ontem mesmo",
  "20x4-01-01",
])("%j is no day", (text) => {
  expect(dayOf(text)).toBe(NONE);
});

test("no day has no date", () => {
  expect(dateOf(NONE)).toBeNull();
});
