import { createHash } from "node:crypto";
import type { IsoDate, Timestamp } from "./dates.ts";
import type { Cents } from "./money.ts";
import type { Severity } from "./severity.ts";

export const anomalyStatuses = ["detected", "under_review", "confirmed", "false_positive", "resolved"] as const;
export type AnomalyStatus = (typeof anomalyStatuses)[number];

/** What a person may say of a finding; both are statuses. */
export const verdicts = ["confirmed", "false_positive"] as const satisfies readonly AnomalyStatus[];
export type Verdict = (typeof verdicts)[number];

export const subjectKinds = ["contract", "supplier", "agency", "unit", "process"] as const;
export type SubjectKind = (typeof subjectKinds)[number];

/**
 * What a finding is about. `id` is a record key for contracts; for the others the parts that make the group, joined by
 * "/", for example supplier, agency and year. A supplier is found by `supplierTaxId`, not by this.
 */
export type Subject = { kind: SubjectKind; id: string; label: string };

export const evidenceUnits = ["cents", "count", "ratio", "share", "score", "date", "text", "days"] as const;
export type EvidenceUnit = (typeof evidenceUnits)[number];

/** One number that went into the arithmetic, named so that a reader can redo it. `share` and `ratio` are plain fractions. */
export type EvidenceFact = { name: string; label: string; value: number | string; unit: EvidenceUnit };

/** A record the numbers were taken from, and where a person can check it. */
export type EvidenceRecord = {
  kind: "contract" | "contract_item" | "amendment" | "sanction" | "registration" | "process";
  /** Record key: source and id at the source. */
  id: string;
  label: string;
  url: string;
  retrievedAt: Timestamp;
};

export type Evidence = {
  /** The formula with its variables named as in `facts`. */
  formula: string;
  facts: EvidenceFact[];
  records: EvidenceRecord[];
  /** How many subjects of the run were computable for this detector, and how many of those it raised. */
  baseRate: { tested: number; fired: number };
};

export type LegalReference = { norm: string; article: string; validFrom: IsoDate; validTo: IsoDate | null };

/** A red flag ("indício"): a reason to look, raised by a detector's arithmetic. Never an accusation. */
export type Finding = {
  detector: string;
  detectorVersion: number;
  subject: Subject;
  title: string;
  /** Why it deserves a look, in one Portuguese sentence made from the numbers. */
  reason: string;
  score: number;
  severity: Severity;
  amountAtRiskCents: Cents;
  agencyCode: string | null;
  agencyName: string | null;
  supplierTaxId: string | null;
  supplierName: string | null;
  evidence: Evidence;
  legalBasis: LegalReference[];
  innocentExplanations: string[];
};

/** The same flag on the same subject has the same fingerprint in every run; it is what alerts are deduplicated by. */
export function findingFingerprint(finding: Pick<Finding, "detector" | "detectorVersion" | "subject">): string {
  const { detector, detectorVersion, subject } = finding;
  return createHash("sha256")
    .update(JSON.stringify([detector, detectorVersion, subject.kind, subject.id]))
    .digest("hex");
}

/** Gravest first: score, then money, then a fixed order, so that equal input gives equal output. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    b.score - a.score ||
    b.amountAtRiskCents - a.amountAtRiskCents ||
    compareText(a.detector, b.detector) ||
    compareText(a.subject.id, b.subject.id)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
