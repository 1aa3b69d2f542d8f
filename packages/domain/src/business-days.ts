import type { IsoDate } from "./dates.ts";

const DAY_MS = 86_400_000;
const FIRST_YEAR = 1988;
const LAST_YEAR = 2100;
const FIRST_DAY = Date.UTC(FIRST_YEAR, 0, 1) / DAY_MS;
const LAST_DAY = Date.UTC(LAST_YEAR, 11, 31) / DAY_MS;

/** National holidays by month and day, and since which year: Leis 662/1949, 6.802/1980, 10.607/2002 and 14.759/2023. */
const FIXED: readonly (readonly [month: number, day: number, since: number])[] = [
  [1, 1, FIRST_YEAR],
  [4, 21, FIRST_YEAR],
  [5, 1, FIRST_YEAR],
  [9, 7, FIRST_YEAR],
  [10, 12, FIRST_YEAR],
  [11, 2, FIRST_YEAR],
  [11, 15, FIRST_YEAR],
  [11, 20, 2024],
  [12, 25, FIRST_YEAR],
];

let counted: Int32Array | null = null;

/**
 * Business days after `from` up to and including `to`, days since 1970-01-01: neither weekends nor national holidays,
 * with Good Friday. Days of the optional calendar (Carnival, Corpus Christi) count as business days.
 */
export function businessDaysBetween(from: number, to: number): number {
  counted ??= countBusinessDays();
  return counted[indexOf(to)]! - counted[indexOf(from)]!;
}

/** The day on which `count` business days after `from` have passed. */
export function addBusinessDays(from: number, count: number): number {
  let day = from;
  for (let left = count; left > 0 && day < LAST_DAY;) if (businessDaysBetween(day, ++day) === 1) left--;
  return day;
}

/** The national holidays of a year, in order. */
export function nationalHolidays(year: number): IsoDate[] {
  const fixed = FIXED.filter(([, , since]) => year >= since).map(([month, day]) => Date.UTC(year, month - 1, day));
  return [...fixed, goodFriday(year)]
    .toSorted((a, b) => a - b)
    .map((time) => new Date(time).toISOString().slice(0, 10));
}

function countBusinessDays(): Int32Array {
  const counts = new Int32Array(LAST_DAY - FIRST_DAY + 1);
  const holidays = new Set<number>();
  for (let year = FIRST_YEAR; year <= LAST_YEAR; year++) {
    for (const date of nationalHolidays(year)) holidays.add(Date.parse(date) / DAY_MS);
  }
  let count = 0;
  for (let day = FIRST_DAY; day <= LAST_DAY; day++) {
    const weekday = (day + 4) % 7;
    if (weekday !== 0 && weekday !== 6 && !holidays.has(day)) count++;
    counts[day - FIRST_DAY] = count;
  }
  return counts;
}

function indexOf(day: number): number {
  return Math.min(Math.max(day, FIRST_DAY), LAST_DAY) - FIRST_DAY;
}

/** Two days before Easter, by the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, ch. 8). */
function goodFriday(year: number): number {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const g = Math.floor((8 * b + 13) / 25);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 19 * l) / 433);
  const month = Math.floor((h + l - 7 * m + 90) / 25);
  const day = (h + l - 7 * m + 33 * month + 19) % 32;
  return Date.UTC(year, month - 1, day) - 2 * DAY_MS;
}
