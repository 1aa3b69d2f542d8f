import type { Anomaly } from "./anomalies.ts";
import type { IsoDate, Timestamp } from "@cidadao/domain/dates";
import type { OpeningSign } from "@cidadao/domain/opening-rule";
import type { Severity } from "@cidadao/domain/severity";
import { camelRow } from "./rows.ts";
import { type Store, unwrap } from "./store.ts";

type Figures = Record<string, unknown>;

/** Counts of one day of São Paulo, stored; the same day again is written anew. */
export async function computeDailyMetrics(store: Store, day: IsoDate, signal: AbortSignal): Promise<Figures> {
  const question = store.rpc("compute_daily_metrics", { p_day: day }).abortSignal(signal);
  return (await unwrap(question, "computing the day's metrics")) as Figures;
}

export async function computeEntityRisks(store: Store, signal: AbortSignal): Promise<Figures> {
  return (await unwrap(store.rpc("compute_entity_risks").abortSignal(signal), "computing risks")) as Figures;
}

export type SupplierLink = { a: string; b: string; agencies: string[]; contracts: number; valueCents: number };

const LINKS_PER_READ = 1_000;

export async function readSupplierLinks(
  store: Store,
  bounds: { agenciesMin: number; suppliersMax: number; linksMax: number },
  signal: AbortSignal,
): Promise<SupplierLink[]> {
  const args = { p_agencies_min: bounds.agenciesMin, p_suppliers_max: bounds.suppliersMax };
  const links: SupplierLink[] = [];
  while (links.length < bounds.linksMax) {
    const page = store.rpc("supplier_links", args).range(links.length, links.length + LINKS_PER_READ - 1);
    const rows = (await unwrap(page.abortSignal(signal), "reading supplier links")) as Record<string, unknown>[];
    links.push(...rows.map((row) => camelRow<SupplierLink>(row)));
    if (rows.length < LINKS_PER_READ) break;
  }
  return links;
}

export async function replaceCommunities(store: Store, rows: Figures[], signal: AbortSignal): Promise<number> {
  const question = store.rpc("replace_supplier_communities", { p_rows: rows }).abortSignal(signal);
  return (await unwrap(question, "storing communities")) as number;
}

export type SanctionMatch = {
  source: string;
  sanctionId: string;
  supplierTaxId: string;
  supplierName: string;
  list: string;
  kind: string;
  sanctioningBody: string;
  url: string;
  contracts: number;
  valueCents: number;
};

/** Suppliers with contracts and sanctions in force on that day, of those that were not found before. */
export async function findNewSanctionMatches(
  store: Store,
  day: IsoDate,
  signal: AbortSignal,
): Promise<SanctionMatch[]> {
  const question = store.rpc("find_new_sanction_matches", { p_day: day }).abortSignal(signal);
  const rows = (await unwrap(question, "checking suppliers against the sanctions")) as Record<string, unknown>[];
  return rows.map((row) => camelRow(row));
}

/** From now on these are not new. */
export async function storeSanctionMatches(store: Store, matches: SanctionMatch[], signal: AbortSignal): Promise<void> {
  if (matches.length === 0) return;
  const rows = matches.map(({ source, sanctionId, supplierTaxId, contracts, valueCents }) => ({
    source,
    sanction_id: sanctionId,
    supplier_tax_id: supplierTaxId,
    contracts,
    value_cents: valueCents,
  }));
  const storing = store.from("sanction_matches").upsert(rows, { ignoreDuplicates: true }).select("sanction_id");
  await unwrap(storing.abortSignal(signal), "storing sanction matches");
}

export async function deleteExpired(
  store: Store,
  bounds: { days: Record<"runs" | "events" | "ingests" | "probes", number>; limit: number },
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const args = { p_days: bounds.days, p_limit: bounds.limit };
  return (await unwrap(store.rpc("delete_expired", args).abortSignal(signal), "deleting")) as Record<string, number>;
}

export async function storeProbe(
  store: Store,
  probe: {
    source: string;
    isUp: boolean;
    records: number | null;
    durationMs: number;
    problem: string | null;
    sample: string | null;
  },
  signal: AbortSignal,
): Promise<void> {
  const { isUp, durationMs, ...rest } = probe;
  const row = { ...rest, is_up: isUp, duration_ms: durationMs };
  await unwrap(store.from("source_probes").insert(row).select("source").abortSignal(signal), "storing the probe");
}

/** Anomalies of this severity that were stored in the window, gravest first, at most `limit`, each subject once. */
export async function listAnomaliesIn(
  store: Store,
  window: { since: Timestamp; until: Timestamp; severity: Severity; limit: number },
  signal: AbortSignal,
): Promise<Anomaly[]> {
  const question = store
    .from("anomalies")
    .select("*, investigations!inner(visibility)")
    .eq("investigations.visibility", "public")
    .eq("severity", window.severity)
    .gte("created_at", window.since)
    .lt("created_at", window.until)
    .order("score", { ascending: false })
    .order("id")
    .limit(window.limit)
    .abortSignal(signal);
  const rows = (await unwrap(question, "reading the window's anomalies")) as Record<string, unknown>[];
  const found = rows.map(({ investigations: _, ...row }) => camelRow<Anomaly>(row));
  return [...new Map(found.map((anomaly) => [anomaly.fingerprint, anomaly])).values()];
}

export type TroubledDelivery = {
  channel: string;
  target: string;
  status: "failed" | "unknown";
  alertId: string;
  problem: string | null;
};

/** Deliveries that failed, or may not have arrived, in the window. */
export async function listTroubledDeliveries(
  store: Store,
  window: { since: Timestamp; until: Timestamp; limit: number },
  signal: AbortSignal,
): Promise<TroubledDelivery[]> {
  const question = store
    .from("alert_deliveries")
    .select("channel,target,status,alert_id,problem")
    .in("status", ["failed", "unknown"])
    .gte("settled_at", window.since)
    .lt("settled_at", window.until)
    .order("settled_at")
    .limit(window.limit)
    .abortSignal(signal);
  const rows = (await unwrap(question, "reading troubled deliveries")) as Record<string, unknown>[];
  return rows.map((row) => camelRow(row));
}

const KEYS_PER_QUESTION = 100;

/** Of these contracts, the ids of those that were screened before. */
export async function listScreened(
  store: Store,
  source: string,
  sourceIds: string[],
  signal: AbortSignal,
): Promise<Set<string>> {
  const screened = new Set<string>();
  for (let start = 0; start < sourceIds.length; start += KEYS_PER_QUESTION) {
    const some = sourceIds.slice(start, start + KEYS_PER_QUESTION);
    const question = store.from("contract_screenings").select("source_id").eq("source", source).in("source_id", some);
    const rows = (await unwrap(question.abortSignal(signal), "reading screenings")) as { source_id: string }[];
    for (const row of rows) screened.add(row.source_id);
  }
  return screened;
}

export async function storeScreenings(
  store: Store,
  rows: { source: string; sourceId: string; points: number; signs: OpeningSign[]; investigationId: string | null }[],
  signal: AbortSignal,
): Promise<void> {
  if (rows.length === 0) return;
  const columns = rows.map(({ sourceId, investigationId, ...rest }) => ({
    ...rest,
    source_id: sourceId,
    investigation_id: investigationId,
  }));
  const writing = store.from("contract_screenings").upsert(columns).select("source_id").abortSignal(signal);
  await unwrap(writing, "storing screenings");
}

/** Which of these suppliers a sanction in force on that day names. */
export async function listSanctionedSuppliers(
  store: Store,
  taxIds: string[],
  day: IsoDate,
  signal: AbortSignal,
): Promise<Set<string>> {
  const sanctioned = new Set<string>();
  for (let start = 0; start < taxIds.length; start += KEYS_PER_QUESTION) {
    const question = store
      .from("sanctions")
      .select("tax_id")
      .in("tax_id", taxIds.slice(start, start + KEYS_PER_QUESTION))
      .or(`starts_on.is.null,starts_on.lte.${day}`)
      .or(`ends_on.is.null,ends_on.gte.${day}`);
    const rows = (await unwrap(question.abortSignal(signal), "reading sanctions")) as { tax_id: string }[];
    for (const row of rows) sanctioned.add(row.tax_id);
  }
  return sanctioned;
}
