import type { Provenance } from "@cidadao/domain/provenance";

/** A record of the domain: its fields and where it came from. Dates are text and money is integers on both sides. */
export type SourceRecord = { provenance: Provenance; [field: string]: unknown };

const BOOKKEEPING = new Set(["content_hash", "first_seen_at", "changed_at"]);
const PROVENANCE = new Set(["source", "source_id", "url", "retrieved_at", "sample"]);

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

const camels = new Map<string, string>();

/** The names are the columns of the schema, so the memory is bounded by it. */
function camelCase(name: string): string {
  const known = camels.get(name);
  if (known !== undefined) return known;
  const converted = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  camels.set(name, converted);
  return converted;
}
