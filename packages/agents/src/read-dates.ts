import { type IsoDate, parseDate } from "@cidadao/domain/dates";
import { fold } from "./plain-text.ts";

/** A day, or a part of one: `test` says whether a day is what was written. `iso` is set when it is a whole day. */
export type WrittenDate = { iso: IsoDate | null; test: (day: IsoDate) => boolean };

const months = [
  "janeiro",
  "fevereiro",
  "marco",
  "abril",
  "maio",
  "junho",
  "julho",
  "agosto",
  "setembro",
  "outubro",
  "novembro",
  "dezembro",
];
const MONTH = "(janeiro|fevereiro|mar[cç]o|abril|maio|junho|julho|agosto|setembro|outubro|novembro|dezembro)";
const DAY = "(\\d{1,2}|primeiro)\\s?[º°o]?";
const SHAPES = new RegExp(
  [
    "(?<!\\d)(?<isoYear>\\d{4})-(?<isoMonth>\\d{2})-(?<isoDay>\\d{2})(?!\\d)",
    "(?<![\\d/])(?<day>\\d{1,2})[/.-](?<month>\\d{1,2})[/.-](?<year>\\d{4}|\\d{2})(?![\\d/])",
    `(?<![\\p{L}\\d])${DAY.replace("(", "(?<wordDay>")}\\s+de\\s+${MONTH.replace("(", "(?<wordMonth>")}(?:\\s+de\\s+(?<wordYear>\\d{4}))?(?![\\p{L}\\d])`,
    `(?<![\\p{L}\\d])${MONTH.replace("(", "(?<onlyMonth>")}(?:\\s+(?:de|/)\\s*|/)(?<onlyYear>\\d{4})(?![\\p{L}\\d])`,
    `(?<![\\p{L}\\d/])(?<slashMonth>\\d{1,2})/(?<slashYear>(?:19|20)\\d{2})(?![\\d/])`,
  ].join("|"),
  "giu",
);

/** Every date of the text, and the text with them taken out. */
export function readDates(text: string): { dates: WrittenDate[]; rest: string } {
  const dates: WrittenDate[] = [];
  const rest = text.replace(SHAPES, (...match) => {
    dates.push(readDate(match.at(-1) as Record<string, string | undefined>));
    return " ; ";
  });
  return { dates, rest };
}

function readDate(found: Record<string, string | undefined>): WrittenDate {
  const day = found["isoDay"] ?? found["day"] ?? found["wordDay"];
  const name = found["wordMonth"] ?? found["onlyMonth"];
  const month =
    name === undefined
      ? (found["isoMonth"] ?? found["month"] ?? found["slashMonth"])
      : String(months.indexOf(fold(name)) + 1);
  const year = found["isoYear"] ?? found["year"] ?? found["wordYear"] ?? found["onlyYear"] ?? found["slashYear"];
  const wanted = {
    day: day === undefined ? null : two(day === "primeiro" ? "1" : day),
    month: two(month ?? ""),
    year: year === undefined ? null : year.length === 2 ? `20${year}` : year,
  };
  const iso =
    wanted.year === null || wanted.day === null ? null : parseDate(`${wanted.year}-${wanted.month}-${wanted.day}`);
  return {
    iso,
    test: (known) =>
      known.slice(5, 7) === wanted.month &&
      (wanted.year === null || known.slice(0, 4) === wanted.year) &&
      (wanted.day === null || known.slice(8, 10) === wanted.day),
  };
}

function two(text: string): string {
  return text.padStart(2, "0");
}
