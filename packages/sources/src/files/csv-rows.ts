import { parse } from "csv-parse/sync";
import type { Complain } from "./complaints.ts";
import { headText, type OpenedFile, readLines } from "./open-text.ts";

export type CsvHeader = { columns: string[]; delimiter: string };
/** As many cells as the header has columns. */
export type CsvRow = { line: number; cells: string[] };

/** A quoted cell may hold line breaks; a row of more lines than this has a broken quote. */
const ROW_LINES_MAX = 20;
const DELIMITERS = [";", ",", "\t", "|"];

/** The first line that is not empty, read as a header; `null` when there is none in the file's head. */
export async function csvHeader(file: OpenedFile): Promise<CsvHeader | null> {
  const head = await headText(file);
  const first = head.split("\n").find((line) => line.trim() !== "");
  return first === undefined ? null : headerOf(first);
}

export function headerOf(line: string): CsvHeader {
  const delimiter = DELIMITERS.map((text) => ({ text, count: line.split(text).length })).reduce((best, next) =>
    next.count > best.count ? next : best,
  ).text;
  const cells = rowsOf(line, delimiter)?.[0] ?? line.split(delimiter);
  return { delimiter, columns: cells.map(plain) };
}

/** Lower case, without accents: the form in which columns are compared. */
export function plain(text: string): string {
  return text.trim().normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** The rows below the header, in batches. What is no row is complained about, with its line. */
export async function* readCsvRows(file: OpenedFile, header: CsvHeader, complain: Complain): AsyncGenerator<CsvRow[]> {
  let isHeader = true;
  let open: { line: number; texts: string[] } | null = null;
  const refuse = (broken: { line: number; texts: string[] }) =>
    complain("broken-csv-row", {
      line: broken.line,
      reason: `not a row of ${header.columns.length} columns`,
      count: broken.texts.length,
    });

  for await (const lines of readLines(file, complain)) {
    const rows: CsvRow[] = [];
    for (const { line, text } of lines) {
      if (isHeader) {
        isHeader = text.trim() === "";
        continue;
      }
      const cells = splitRow(text, header);
      if (cells !== null) {
        // A line that is a whole row ends whatever a broken quote has opened before it.
        if (open !== null) refuse(open);
        open = null;
        rows.push({ line, cells });
      } else if (open !== null) {
        open.texts.push(text);
        const joined = hasOpenQuote(text) ? splitRow(open.texts.join("\n"), header) : null;
        if (joined !== null) rows.push({ line: open.line, cells: joined });
        else if (open.texts.length >= ROW_LINES_MAX) refuse(open);
        if (joined !== null || open.texts.length >= ROW_LINES_MAX) open = null;
      } else if (hasOpenQuote(text)) {
        open = { line, texts: [text] };
      } else if (text.trim() !== "") {
        refuse({ line, texts: [text] });
      }
    }
    if (rows.length > 0) yield rows;
  }
  if (open !== null) refuse(open);
}

/** The cells of a row, or `null` when the text is not a row of this many. */
function splitRow(text: string, { columns, delimiter }: CsvHeader): string[] | null {
  const count = columns.length;
  const quotes = quotesIn(text);
  if (quotes === 0) {
    const cells = text.split(delimiter);
    return cells.length === count && !(count === 1 && text.trim() === "") ? cells : null;
  }
  // Two quotes a cell and nothing between them but delimiters: there is none inside a cell.
  if (quotes === 2 * count && text.startsWith('"') && text.endsWith('"')) {
    const cells = text.slice(1, -1).split(`"${delimiter}"`);
    if (cells.length === count) return cells;
  }
  const rows = quotes % 2 === 0 ? rowsOf(text, delimiter) : null;
  return rows?.length === 1 && rows[0]!.length === count ? rows[0]! : null;
}

function rowsOf(text: string, delimiter: string): string[][] | null {
  try {
    return parse(text, { delimiter, relax_column_count: true, record_delimiter: "\u0000" });
  } catch {
    return null;
  }
}

function hasOpenQuote(text: string): boolean {
  return quotesIn(text) % 2 === 1;
}

function quotesIn(text: string): number {
  let count = 0;
  for (let index = text.indexOf('"'); index !== -1; index = text.indexOf('"', index + 1)) count++;
  return count;
}
