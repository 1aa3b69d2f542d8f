import type { IsoDate } from "@cidadao/domain/dates";
import { NONE } from "./dictionary.ts";

/** Days are counted from 1970-01-01; `NONE` is an unknown day (the day before the epoch is in no public record). */
export type Day = number;

/** The day of an ISO date; `NONE` for `null` and for text that is none. */
export function dayOf(date: IsoDate | null | undefined): Day {
  if (date === null || date === undefined || date.length !== 10) return NONE;
  const century = twoDigits(date, 0);
  const yearOfCentury = twoDigits(date, 2);
  const month = twoDigits(date, 5);
  const dayOfMonth = twoDigits(date, 8);
  if ((century | yearOfCentury | month | dayOfMonth) < 0) return NONE;
  const year = century * 100 + yearOfCentury;
  if (month < 1 || month > 12 || dayOfMonth < 1 || dayOfMonth > lastDayOf(year, month)) return NONE;
  firstDays ??= Int32Array.from({ length: TABLED_MONTHS }, (_, index) =>
    daysFromCivil(TABLED_FROM + Math.floor(index / 12), (index % 12) + 1, 1),
  );
  const index = (year - TABLED_FROM) * 12 + month - 1;
  const first = index >= 0 && index < TABLED_MONTHS ? firstDays[index]! : daysFromCivil(year, month, 1);
  return first + dayOfMonth - 1;
}

/** First days of the months from 1970 to 2100. */
const TABLED_FROM = 1_970;
const TABLED_MONTHS = 131 * 12;
let firstDays: Int32Array | null = null;

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function lastDayOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : MONTH_DAYS[month - 1]!;
}

export function dateOf(day: Day): IsoDate | null {
  if (day === NONE) return null;
  const { year, month, dayOfMonth } = civilFromDays(day);
  return `${String(year).padStart(4, "0")}-${pad(month)}-${pad(dayOfMonth)}`;
}

export function yearOf(day: Day): number {
  return Math.floor(monthIndexOf(day) / 12);
}

/** Months since year 0: equal for two days of one month. */
export function monthIndexOf(day: Day): number {
  months ??= Int32Array.from({ length: TABLED_DAYS }, (_, index) => workOutMonthIndex(index));
  return day >= 0 && day < TABLED_DAYS ? months[day]! : workOutMonthIndex(day);
}

/** Days from 1970 to 2100, asked for again and again. */
const TABLED_DAYS = 47_847;
let months: Int32Array | null = null;

/** What `workOut` gives for a day, a whole number from 0 on, asked of it once a day. */
export type DayTable = { workOut: (day: Day) => number; known: Int32Array };

export function createDayTable(workOut: (day: Day) => number): DayTable {
  return { workOut, known: new Int32Array(TABLED_DAYS).fill(NONE) };
}

export function onDay({ workOut, known }: DayTable, day: Day): number {
  if (day < 0 || day >= TABLED_DAYS) return workOut(day);
  if (known[day] === NONE) known[day] = workOut(day);
  return known[day]!;
}

function workOutMonthIndex(day: Day): number {
  const { year, month } = civilFromDays(day);
  return year * 12 + month - 1;
}

/** 0 is Sunday. */
export function weekdayOf(day: Day): number {
  return (((day + 4) % 7) + 7) % 7;
}

/** The proleptic Gregorian calendar after Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
export function daysFromCivil(year: number, month: number, dayOfMonth: number): Day {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + dayOfMonth - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

export function civilFromDays(day: Day): { year: number; month: number; dayOfMonth: number } {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const dayOfMonth = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth };
}

/** -1 where there is another character. */
function twoDigits(text: string, index: number): number {
  const tens = text.charCodeAt(index) ^ ZERO;
  const ones = text.charCodeAt(index + 1) ^ ZERO;
  return tens > 9 || ones > 9 ? -1 : tens * 10 + ones;
}

/** The code of "0"; those of the ten digits differ from it by what they stand for. */
const ZERO = 48;

function pad(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}
