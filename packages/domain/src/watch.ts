import { isAtLeast, type Severity } from "./severity.ts";
import { bareTaxId, parseCnpj } from "./tax-id.ts";

/** What a watch may be about. */
export const watchKinds = ["supplier", "agency", "detector"] as const;
export type WatchKind = (typeof watchKinds)[number];

export type WatchSubject = {
  kind: WatchKind;
  /** A CNPJ without punctuation, the code of an agency as its source numbers it, or the id of a detector. */
  id: string;
};

export type Watched = WatchSubject & {
  /** Only of findings at least this grave; `null`: of all. */
  severityMin: Severity | null;
};

/** SIAFI numbers organs by 5 digits; other sources name an agency by its CNPJ. */
const SIAFI = /^\d{5}$/;

/** The subject as records name it; `null` where the text can be none of its kind. Detectors are known elsewhere. */
export function parseWatchSubject(kind: WatchKind, text: string): WatchSubject | null {
  const trimmed = text.trim();
  if (kind === "detector") return { kind, id: trimmed };
  const cnpj = parseCnpj(trimmed);
  if (cnpj !== null) return { kind, id: cnpj };
  return kind === "agency" && SIAFI.test(bareTaxId(trimmed)) ? { kind, id: bareTaxId(trimmed) } : null;
}

type WatchableFinding = {
  detector: string;
  severity: Severity;
  agencyCode: string | null;
  supplierTaxId: string | null;
};

/** Whether the watch is about this finding. */
export function concerns(watch: Watched, finding: WatchableFinding): boolean {
  return (
    isAtLeast(finding.severity, watch.severityMin ?? "info") &&
    { supplier: finding.supplierTaxId, agency: finding.agencyCode, detector: finding.detector }[watch.kind] === watch.id
  );
}
