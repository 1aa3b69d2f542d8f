import { hash } from "node:crypto";
import type { Provenance } from "@cidadao/domain/provenance";

/** A record of the domain: its fields and where it came from. Dates are text and money is integers on both sides. */
export type SourceRecord = { provenance: Provenance; [field: string]: unknown };

const BOOKKEEPING = new Set(["content_hash", "first_seen_at", "changed_at"]);
const PROVENANCE = new Set(["source", "source_id", "url", "retrieved_at", "sample"]);

/** The columns of a record, `content_hash` over everything but the moment of retrieval. */
export function rowOf(record: SourceRecord): Record<string, unknown> {
  const { provenance } = record;
  const row: Record<string, unknown> = {
    source: provenance.source,
    source_id: provenance.sourceId,
    url: provenance.url,
    sample: provenance.sample,
  };
  for (const name of Object.keys(record)) if (name !== "provenance") row[snakeCase(name)] = record[name];
  row["content_hash"] = hash("sha256", JSON.stringify(row), "hex");
  row["retrieved_at"] = provenance.retrievedAt;
  return row;
}

/** The record of a row of `contracts`, `contract_items`, `amendments`, `suppliers`, `agencies` or `sanctions`. */
export function recordOf<Kind extends SourceRecord>(row: Record<string, unknown>): Kind {
  const record: Record<string, unknown> = {
    provenance: {
      source: row["source"],
      sourceId: row["source_id"],
      url: row["url"],
      retrievedAt: row["retrieved_at"],
      sample: row["sample"],
    },
  };
  for (const [name, value] of Object.entries(row)) {
    if (!BOOKKEEPING.has(name) && !PROVENANCE.has(name)) record[camelCase(name)] = value;
  }
  return record as Kind;
}

/** Any row with its columns named as in code. */
export function camelRow<Row>(row: Record<string, unknown>): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [camelCase(name), value])) as Row;
}

const snakes = new Map<string, string>();
const camels = new Map<string, string>();

function snakeCase(name: string): string {
  return remember(snakes, name, (text) => text.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

function camelCase(name: string): string {
  return remember(camels, name, (text) => text.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
}

/** The names are the columns of the schema, so the memory is bounded by it. */
function remember(memory: Map<string, string>, name: string, convert: (name: string) => string): string {
  const known = memory.get(name);
  if (known !== undefined) return known;
  const converted = convert(name);
  memory.set(name, converted);
  return converted;
}
