/** A batch of rows as `ingest_lines` takes it. */
export type RecordLines = { columns: string[]; lines: string };

/** Private characters: no publisher writes them, JSON carries them as they are. */
const [FIELD_END, LINE_END, NULL] = ["\uE000", "\uE001", "\uE002"] as const;
const PRIVATE = /[\uE000-\uE002\0]/;
const ALL_PRIVATE = new RegExp(PRIVATE, "g");

/** Columns that a row lacks are null in it. PostgreSQL cannot store U+0000 and the three separators are ours: they are left out. */
export function recordLines(rows: readonly Record<string, unknown>[]): RecordLines {
  const columns = columnsOf(rows);
  let lines = "";
  for (const [place, row] of rows.entries()) {
    if (place > 0) lines += LINE_END;
    for (let index = 0; index < columns.length; index++) {
      if (index > 0) lines += FIELD_END;
      lines += fieldOf(row[columns[index]!]);
    }
  }
  return { columns, lines };
}

function columnsOf(rows: readonly Record<string, unknown>[]): string[] {
  const columns = new Set<string>();
  for (const row of rows) for (const column of Object.keys(row)) columns.add(column);
  return [...columns];
}

function fieldOf(value: unknown): string {
  if (value === null || value === undefined) return NULL;
  if (typeof value === "string") return clean(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "string" ? clean(part) : part));
}

function clean(text: string): string {
  const wellFormed = text.toWellFormed();
  return PRIVATE.test(wellFormed) ? wellFormed.replaceAll(ALL_PRIVATE, "") : wellFormed;
}
