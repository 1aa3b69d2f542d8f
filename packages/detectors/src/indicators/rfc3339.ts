export type Instant = { seconds: number; nanoseconds: number };

const DATE_TIME = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** A date-time with its offset from UTC; `null` for anything else, days that do not exist among them. */
export function parseRfc3339(text: string): Instant | null {
  const match = DATE_TIME.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as Six;
  const [fraction = "", sign = "+", offsetHours = "0", offsetMinutes = "0"] = match.slice(7);
  if (hour > 23 || minute > 59 || second > 60 || Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === "-" ? -60 : 60);
  return {
    seconds: date.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset,
    nanoseconds: Number(fraction.slice(0, 9).padEnd(9, "0")),
  };
}

type Six = [number, number, number, number, number, number];

/** Whole days from `start` to `end`, truncated towards zero. */
export function wholeDaysBetween(start: Instant, end: Instant): number {
  const rest = end.nanoseconds - start.nanoseconds;
  const seconds = end.seconds - start.seconds;
  const isShortened = Math.sign(rest) === -Math.sign(seconds) && rest !== 0;
  return Math.trunc((isShortened ? seconds + Math.sign(rest) : seconds) / 86_400) + 0;
}
