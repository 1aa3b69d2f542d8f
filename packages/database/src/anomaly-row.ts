import { type Finding, findingFingerprint } from "@cidadao/domain/anomaly";

export type StoredExplanation = { text: string; source: "model" | "template"; model: string | null };

/** The columns of an anomaly; `rank` counts from 1, gravest first. */
export function anomalyRow(finding: Finding, rank: number, explanation: StoredExplanation | null) {
  return {
    rank,
    fingerprint: findingFingerprint(finding),
    detector: finding.detector,
    detector_version: finding.detectorVersion,
    subject_kind: finding.subject.kind,
    subject_id: finding.subject.id,
    subject_label: finding.subject.label,
    title: finding.title,
    reason: finding.reason,
    score: Number(finding.score.toFixed(4)),
    severity: finding.severity,
    amount_at_risk_cents: finding.amountAtRiskCents,
    agency_code: finding.agencyCode,
    agency_name: finding.agencyName,
    supplier_tax_id: finding.supplierTaxId,
    supplier_name: finding.supplierName,
    evidence: finding.evidence,
    legal_basis: finding.legalBasis,
    innocent_explanations: finding.innocentExplanations,
    explanation: explanation?.text ?? null,
    explanation_source: explanation?.source ?? null,
    explanation_model: explanation?.model ?? null,
  };
}

export type AnomalyRow = ReturnType<typeof anomalyRow>;
