import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { csvHeader, plain, readCsvRows } from "@cidadao/sources/files/csv-rows";
import { openFile } from "@cidadao/sources/files/open-text";
import { fieldReader } from "@cidadao/sources/reading";

export type Row = (column: string) => string;

/** The rows of a published CSV file, each as a function of its columns: what the reader drops or merges is still here. */
export async function readRows(path: string): Promise<Row[]> {
  const file = await openFile(path);
  const header = await csvHeader(file);
  if (header === null) return [];
  const indexes = new Map(header.columns.map((column, index) => [column, index]));
  const rows: Row[] = [];
  for await (const batch of readCsvRows(file, header, () => undefined)) {
    for (const { cells } of batch) rows.push((column) => cells[indexes.get(plain(column)) ?? -1] ?? "");
  }
  return rows;
}

const fields = fieldReader("");

export function cents(row: Row, column: string): number | null {
  return fields.money(column, row(column));
}

export function day(row: Row, column: string): string | null {
  return fields.date(column, row(column));
}

/** A published JSON file, or one of JSON lines, gzipped: its text. */
export async function readPacked(path: string): Promise<string> {
  return gunzipSync(await readFile(path)).toString("utf8");
}
