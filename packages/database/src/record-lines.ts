import { hash } from "node:crypto";
import type { SourceRecord } from "./rows.ts";

/** A batch of records as `ingest_lines` takes it. */
export type RecordLines = {
  columns: string[];
  /** Columns that are not in the lines, with the field that every one of them has. */
  constants: Record<string, string | null>;
  lines: string;
};

/** ASCII's own separators, and its "substitute" for null: no publisher means anything by them. */
const [FIELD_END, LINE_END, NULL] = ["\u001F", "\u001E", "\u001A"] as const;
/** Between the lines of one table and those of the next. */
export const TABLE_END = "\u001C";
// oxlint-disable-next-line no-control-regex
const SEPARATOR = /[\0\u001A\u001C\u001E\u001F]/;
const ALL_SEPARATORS = new RegExp(SEPARATOR, "g");

/** `fields`: of every record, in the order of the records. */
type Column = { name: string; fields: string[] };

/**
 * The columns of records: those of their provenance, those of their own fields, and `content_hash` over every field that
 * is not null but the moment of retrieval. A column that a record lacks is null in it. PostgreSQL cannot store U+0000 and
 * the separators are ours: they are left out of every text.
 */
export function recordLines(records: readonly SourceRecord[]): RecordLines {
  const columns = new Map<string, Column>();
  const columnOf = (name: string): Column => {
    const known = columns.get(name);
    if (known !== undefined) return known;
    const column = { name: snakeCase(name), fields: records.map((): string => NULL) };
    columns.set(name, column);
    return column;
  };
  const content: string[] = [];
  const put = (place: number, { name, fields }: Column, value: unknown) => {
    if (value === null || value === undefined) return;
    const field = fieldOf(value);
    fields[place] = field;
    content.push(name, field);
  };
  const [source, sourceId, url] = [columnOf("source"), columnOf("sourceId"), columnOf("url")];
  const [sample, contentHash, retrievedAt] = [columnOf("sample"), columnOf("contentHash"), columnOf("retrievedAt")];
  for (const [place, record] of records.entries()) {
    const { provenance } = record;
    content.length = 0;
    put(place, source, provenance.source);
    put(place, sourceId, provenance.sourceId);
    put(place, url, provenance.url);
    put(place, sample, provenance.sample);
    for (const name in record) if (name !== "provenance") put(place, columnOf(name), record[name]);
    contentHash.fields[place] = hash("sha256", content.join(FIELD_END), "hex");
    retrievedAt.fields[place] = fieldOf(provenance.retrievedAt);
  }
  return linesOf([...columns.values()], records.length);
}

/** `source_id` is never constant, so that a line is never empty. */
function linesOf(columns: Column[], count: number): RecordLines {
  const isConstant = ({ name, fields }: Column) => name !== "source_id" && fields.every((field) => field === fields[0]);
  const constant = columns.filter(isConstant);
  const varying = columns.filter((column) => !constant.includes(column));
  const line: string[] = [];
  const lines = Array.from({ length: count }, (_, place) => {
    for (const [index, { fields }] of varying.entries()) line[index] = fields[place]!;
    return line.join(FIELD_END);
  });
  return {
    columns: varying.map(({ name }) => name),
    constants: Object.fromEntries(
      constant.map(({ name, fields: [field] }) => [name, field === undefined || field === NULL ? null : field]),
    ),
    lines: lines.join(LINE_END),
  };
}

function fieldOf(value: {}): string {
  if (typeof value === "string") return clean(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "string" ? clean(part) : part));
}

function clean(text: string): string {
  const wellFormed = text.toWellFormed();
  return SEPARATOR.test(wellFormed) ? wellFormed.replaceAll(ALL_SEPARATORS, "") : wellFormed;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
