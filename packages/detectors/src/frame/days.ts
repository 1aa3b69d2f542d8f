import type { IsoDate } from "@cidadao/domain/dates";
import { NONE } from "./dictionary.ts";

/** Days are counted from 1970-01-01; `NONE` is an unknown day (the day before the epoch is in no public record). */
export type Day = number;

/** The day of an ISO date; `NONE` for `null` and for text that is none. */
export function dayOf(date: IsoDate | null | undefined): Day {
  if (date === null || date === undefined || date.length !== 10) return NONE;
  const [y0, y1, y2, y3] = [digit(date, 0), digit(date, 1), digit(date, 2), digit(date, 3)];
  const [m0, m1, d0, d1] = [digit(date, 5), digit(date, 6), digit(date, 8), digit(date, 9)];
  if ((y0 | y1 | y2 | y3 | m0 | m1 | d0 | d1) < 0) return NONE;
  const year = y0 * 1_000 + y1 * 100 + y2 * 10 + y3;
  const month = m0 * 10 + m1;
  const dayOfMonth = d0 * 10 + d1;
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

/** -1 for a character that is no digit. */
function digit(text: string, index: number): number {
  const value = text.charCodeAt(index) - 48;
  return value >= 0 && value <= 9 ? value : -1;
}

function pad(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}
