/** A batch of rows as `ingest_lines` takes it. */
export type RecordLines = { columns: string[]; lines: string };

/** Private characters: no publisher writes them, JSON carries them as they are. */
const [FIELD_END, LINE_END, NULL] = ["\uE000", "\uE001", "\uE002"] as const;
const PRIVATE = /[\uE000-\uE002\0]/g;

/** Columns that a row lacks are null in it. PostgreSQL cannot store U+0000 and the three separators are ours: they are left out. */
export function recordLines(rows: readonly Record<string, unknown>[]): RecordLines {
  const columns = [...new Set(rows.flatMap(Object.keys))];
  const lines = rows.map((row) => columns.map((column) => fieldOf(row[column])).join(FIELD_END)).join(LINE_END);
  return { columns, lines };
}

function fieldOf(value: unknown): string {
  if (value === null || value === undefined) return NULL;
  if (typeof value === "string") return clean(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "string" ? clean(part) : part));
}

function clean(text: string): string {
  return text.toWellFormed().replace(PRIVATE, "");
}
