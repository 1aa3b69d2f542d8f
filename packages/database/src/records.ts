import type { Amendment, Contract, ContractItem } from "@cidadao/domain/contract";
import type { InvestigationScope } from "@cidadao/domain/investigation";
import type { Municipality } from "@cidadao/domain/municipality";
import type { Sanction } from "@cidadao/domain/sanction";
import { recordOf, type SourceRecord } from "./rows.ts";
import { type Store, unwrap } from "./store.ts";

export type RecordTable =
  | "agencies"
  | "suppliers"
  | "contracts"
  | "contract_items"
  | "amendments"
  | "price_registrations"
  | "sanctions"
  | "registrations"
  | "register_entries"
  | "municipalities"
  | "reference_prices"
  | "company_flags"
  | "expense_documents"
  | "tenderers"
  | "commitments";
export type IngestCounts = { inserted: number; updated: number; unchanged: number };

/** Hosted PostgREST gives 1,000 rows a request at most, so everything is read by key, page by page. */
const PAGE_ROWS = 1_000;
/** Keys named in one question: they travel in its URL. */
const KEYS_PER_QUESTION = 100;

/**
 * Contracts of one source and of the scope, in key order: of its agencies or supplier, in force at some time in its
 * window. Another source may hold the same contracts under other ids.
 */
export async function loadContracts(
  store: Store,
  source: string,
  scope: InvestigationScope,
  signal: AbortSignal,
): Promise<Contract[]> {
  return readByKey<Contract>((after) => {
    let question = store
      .from("contracts")
      .select("*")
      .eq("source", source)
      .or(`starts_on.is.null,starts_on.lte.${scope.to}`)
      .or(`ends_on.is.null,ends_on.gte.${scope.from}`);
    if (scope.agencyCodes) question = question.in("agency_code", scope.agencyCodes);
    if (scope.supplierCnpj) question = question.eq("supplier_tax_id", scope.supplierCnpj);
    return page(question, after, signal);
  }, "loading contracts");
}

/** Agencies of a source that bear one of these names, or have one of these codes. */
export async function findAgencies(
  store: Store,
  source: string,
  by: { column: "code" | "name"; values: string[] },
  signal: AbortSignal,
): Promise<{ code: string; name: string }[]> {
  const found: { code: string; name: string }[] = [];
  for (const values of chunks(by.values)) {
    const question = store.from("agencies").select("code,name").eq("source", source).in(by.column, values);
    const rows = await unwrap(question.limit(PAGE_ROWS).abortSignal(signal), "finding agencies");
    found.push(...(rows as { code: string; name: string }[]));
  }
  return found;
}

/** Some 5,600. */
export async function loadMunicipalities(store: Store, signal: AbortSignal): Promise<Municipality[]> {
  return readByKey<Municipality>(
    (after) => page(store.from("municipalities").select("*"), after, signal),
    "loading the municipalities",
  );
}

export function loadItems(
  store: Store,
  source: string,
  contractIds: string[],
  signal: AbortSignal,
): Promise<ContractItem[]> {
  return readOfContracts<ContractItem>(store, "contract_items", source, contractIds, signal);
}

export function loadAmendments(
  store: Store,
  source: string,
  contractIds: string[],
  signal: AbortSignal,
): Promise<Amendment[]> {
  return readOfContracts<Amendment>(store, "amendments", source, contractIds, signal);
}

/** Sanctions of companies with one of these CNPJ roots (first 8 characters): exact matches and those of other branches. */
export async function loadSanctions(store: Store, cnpjRoots: string[], signal: AbortSignal): Promise<Sanction[]> {
  const sanctions: Sanction[] = [];
  for (const roots of chunks([...new Set(cnpjRoots)].toSorted())) {
    const anyRoot = roots.map((root) => `tax_id.like.${root}*`).join(",");
    const found = await readByKey<Sanction>(
      (after) => page(store.from("sanctions").select("*").eq("supplier_kind", "company").or(anyRoot), after, signal),
      "loading sanctions",
    );
    sanctions.push(...found);
  }
  return sanctions;
}

async function readOfContracts<Kind extends SourceRecord>(
  store: Store,
  table: "contract_items" | "amendments",
  source: string,
  contractIds: string[],
  signal: AbortSignal,
): Promise<Kind[]> {
  const records: Kind[] = [];
  for (const ids of chunks(contractIds)) {
    const found = await readByKey<Kind>(
      (after) => page(store.from(table).select("*").eq("source", source).in("contract_id", ids), after, signal),
      `loading ${table}`,
    );
    records.push(...found);
  }
  return records;
}

type Key = { source: string; sourceId: string };
type Question = ReturnType<ReturnType<Store["from"]>["select"]>;
type Row = Record<string, unknown>;

/** `(source, source_id)` after the given key, the next `PAGE_ROWS` of them. */
export function page(question: Question, after: Key | null, signal: AbortSignal) {
  const rest = after
    ? question.or(
        `source.gt.${quoted(after.source)},and(source.eq.${quoted(after.source)},source_id.gt.${quoted(after.sourceId)})`,
      )
    : question;
  return rest.order("source").order("source_id").limit(PAGE_ROWS).abortSignal(signal);
}

export async function readByKey<Kind extends SourceRecord>(
  ask: (after: Key | null) => ReturnType<typeof page>,
  what: string,
): Promise<Kind[]> {
  const records: Kind[] = [];
  for (let after: Key | null = null; ;) {
    const rows = (await unwrap(ask(after), what)) as unknown as Row[];
    for (const row of rows) records.push(recordOf<Kind>(row));
    if (rows.length < PAGE_ROWS) return records;
    after = records.at(-1)!.provenance;
  }
}

function quoted(value: string): string {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

export function chunks<Item>(items: Item[]): Item[][] {
  return Array.from({ length: Math.ceil(items.length / KEYS_PER_QUESTION) }, (_, index) =>
    items.slice(index * KEYS_PER_QUESTION, (index + 1) * KEYS_PER_QUESTION),
  );
}
