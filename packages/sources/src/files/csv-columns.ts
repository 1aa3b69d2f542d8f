import type { Complain } from "./complaints.ts";
import { type CsvHeader, plain } from "./csv-rows.ts";

/** Finds columns by their name, whatever its case and accents; `null` for a cell whose column the file does not have. */
export type CellReader = (cells: string[], column: string) => string | null;

/**
 * Looks the columns up once. `null` when a required one is missing: the file is of no use, and the complaint says what
 * it has instead. A missing optional column is complained about once.
 */
export function cellReader(
  header: CsvHeader,
  columns: { required: readonly string[]; optional: readonly string[] },
  complain: Complain,
): CellReader | null {
  const indexes = new Map(
    [...columns.required, ...columns.optional].map((name) => [name, header.columns.indexOf(plain(name))]),
  );
  const missing = columns.required.filter((name) => indexes.get(name) === -1);
  if (missing.length > 0) {
    const found = header.columns.slice(0, COLUMNS_SHOWN_MAX).join("; ").slice(0, 1000);
    const reason = `the file was not read: it has no column ${missing.join(", ")}; its columns are: ${found}`;
    complain("missing-column", { line: 1, field: missing.join(", "), reason });
    return null;
  }
  for (const name of columns.optional) {
    if (indexes.get(name) === -1)
      complain("missing-column", { line: 1, field: name, reason: `there is no column ${name}` });
  }
  return (cells, column) => cells[indexes.get(column) ?? -1] ?? null;
}

const COLUMNS_SHOWN_MAX = 60;
