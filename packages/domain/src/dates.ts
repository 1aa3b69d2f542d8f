/** A calendar day, "YYYY-MM-DD". Public records carry no time of day. */
export type IsoDate = string;
/** A moment, ISO 8601 with zone. */
export type Timestamp = string;

const ISO = /^(\d{4})-(\d{2})-(\d{2})$/;
const BRAZILIAN = /^(\d{2})\/(\d{2})\/(\d{4})$/;
/** Brazilian public contracts in open data begin after the 1988 Constitution; 0022 and 2204 are typing errors. */
const YEAR_MIN = 1988;
const YEAR_MAX = 2100;

/** Reads "YYYY-MM-DD" or "DD/MM/YYYY"; `null` for anything that is not a real day between 1988 and 2100. */
export function parseDate(text: string): IsoDate | null {
  const trimmed = text.trim();
  const brazilian = BRAZILIAN.exec(trimmed);
  const iso = brazilian ? `${brazilian[3]}-${brazilian[2]}-${brazilian[1]}` : trimmed;
  const match = ISO.exec(iso);
  if (!match) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (year < YEAR_MIN || year > YEAR_MAX) return null;
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? iso : null;
}

/** "31/01/2024" */
export function formatDate(date: IsoDate): string {
  return `${date.slice(8, 10)}/${date.slice(5, 7)}/${date.slice(0, 4)}`;
}

/** Whole days from `from` to `to`; negative when `to` is earlier. */
export function daysBetween(from: IsoDate, to: IsoDate): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
}

/** The day `days` later; earlier when negative. */
export function addDays(date: IsoDate, days: number): IsoDate {
  return new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
}
