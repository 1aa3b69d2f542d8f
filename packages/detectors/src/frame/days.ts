import type { IsoDate } from "@cidadao/domain/dates";
import { NONE } from "./dictionary.ts";

/** Days are counted from 1970-01-01; `NONE` is an unknown day (the day before the epoch is in no public record). */
export type Day = number;

/** The day of an ISO date; `NONE` for `null` and for text that is none. */
export function dayOf(date: IsoDate | null | undefined): Day {
  if (date === null || date === undefined || date.length !== 10) return NONE;
  const year = digits(date, 0, 4);
  const month = digits(date, 5, 2);
  const day = digits(date, 8, 2);
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= 31)) return NONE;
  return daysFromCivil(year, month, day);
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

function digits(text: string, start: number, count: number): number {
  let value = 0;
  for (let index = start; index < start + count; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function pad(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}
