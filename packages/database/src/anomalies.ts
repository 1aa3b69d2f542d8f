import type { AnomalyStatus, Evidence, LegalReference, SubjectKind } from "@cidadao/domain/anomaly";
import type { Timestamp } from "@cidadao/domain/dates";
import { type Severity, severities } from "@cidadao/domain/severity";
import { type ListPosition, olderThan } from "./list-position.ts";
import { camelRow } from "./rows.ts";
import { type Store, unwrap } from "./store.ts";

/** A finding as stored, with the explanation it got. */
export type Anomaly = {
  id: string;
  investigationId: string;
  rank: number;
  fingerprint: string;
  detector: string;
  detectorVersion: number;
  subjectKind: SubjectKind;
  subjectId: string;
  subjectLabel: string;
  title: string;
  reason: string;
  score: number;
  severity: Severity;
  amountAtRiskCents: number;
  agencyCode: string | null;
  agencyName: string | null;
  supplierTaxId: string | null;
  supplierName: string | null;
  evidence: Evidence;
  legalBasis: LegalReference[];
  innocentExplanations: string[];
  explanation: string | null;
  explanationSource: "model" | "template" | null;
  explanationModel: string | null;
  status: AnomalyStatus;
  sample: string | null;
  createdAt: Timestamp;
};

const COLUMNS = "*, investigations!inner(visibility)";

/** Anomalies of one investigation, gravest first, after the given rank. */
export async function listAnomaliesOf(
  store: Store,
  investigationId: string,
  page: { afterRank: number; limit: number },
  signal: AbortSignal,
): Promise<Anomaly[]> {
  const question = store
    .from("anomalies")
    .select("*")
    .eq("investigation_id", investigationId)
    .gt("rank", page.afterRank)
    .order("rank")
    .limit(page.limit)
    .abortSignal(signal);
  return ((await unwrap(question, "reading anomalies")) as Record<string, unknown>[]).map((row) => camelRow(row));
}

export type AnomalyFilter = {
  detector?: string | undefined;
  severityMin?: Severity | undefined;
  agencyCode?: string | undefined;
  supplierTaxId?: string | undefined;
  before?: ListPosition | undefined;
  limit: number;
};

/** Anomalies of public investigations, newest first. */
export async function listAnomalies(store: Store, filter: AnomalyFilter, signal: AbortSignal): Promise<Anomaly[]> {
  let question = store.from("anomalies").select(COLUMNS).eq("investigations.visibility", "public");
  if (filter.detector) question = question.eq("detector", filter.detector);
  if (filter.severityMin) question = question.in("severity", severities.slice(severities.indexOf(filter.severityMin)));
  if (filter.agencyCode) question = question.eq("agency_code", filter.agencyCode);
  if (filter.supplierTaxId) question = question.eq("supplier_tax_id", filter.supplierTaxId);
  if (filter.before) question = question.or(olderThan(filter.before));
  const ordered = question.order("created_at", { ascending: false }).order("id", { ascending: false });
  const rows = (await unwrap(ordered.limit(filter.limit).abortSignal(signal), "listing anomalies")) as Record<
    string,
    unknown
  >[];
  return rows.map(({ investigations: _, ...row }) => camelRow<Anomaly>(row));
}
