import type { EvidenceFact, EvidenceRecord, LegalReference, Subject } from "@cidadao/domain/anomaly";
import type { Dataset } from "@cidadao/domain/dataset";
import type { Cents } from "@cidadao/domain/money";
import type { z } from "zod";

export type Need = "contracts" | "items" | "amendments" | "sanctions";

/** What a detector that declares the needs `N` may read. */
export type DataFor<N extends Need> = Pick<Dataset, N | (N extends "sanctions" ? "sanctionListsRead" : never)>;

/** What a detector says about a subject it raises; score, severity and base rate are derived from it in one place. */
export type Flag = {
  subject: Subject;
  reason: string;
  /** Weight of the evidence in [0, 1], before the money is looked at. */
  strength: number;
  amountAtRiskCents: Cents;
  agencyCode: string | null;
  agencyName: string | null;
  supplierTaxId: string | null;
  supplierName: string | null;
  formula: string;
  facts: EvidenceFact[];
  records: EvidenceRecord[];
  legalBasis: LegalReference[];
};

/** Exactly one verdict for every subject seen: that is why the counts of a report add up. */
export type Verdict =
  | { outcome: "fired"; subjectId: string; flag: Flag }
  | { outcome: "not_fired"; subjectId: string; note: string | null }
  | { outcome: "not_computable"; subjectId: string; reason: string }
  | { outcome: "excluded"; subjectId: string; reason: string };

/** `flags`, `notComputable` and `excluded` are complete lists of subject ids; every other subject is not fired. */
export type DetectorExample = {
  title: string;
  dataset: Dataset;
  params?: Record<string, unknown>;
  flags: string[];
  notComputable?: string[];
  excluded?: string[];
};

export type DetectorFields = {
  id: string;
  version: number;
  title: string;
  question: string;
  /** What one subject is, in the plural: the unit of every count in the report. */
  subjects: string;
  method: string;
  legalBasis: LegalReference[];
  references: string[];
  exclusions: string[];
  assumptions: string[];
  innocentExplanations: string[];
  examples: DetectorExample[];
};

export type Detector = DetectorFields & {
  needs: readonly Need[];
  params: z.ZodObject;
  /** Throws a `ZodError` when `params` does not fit the detector's schema. */
  assess: (dataset: Dataset, params: unknown) => Verdict[];
};

export function defineDetector<const Needs extends readonly Need[], Params extends z.ZodObject>(
  spec: DetectorFields & {
    needs: Needs;
    params: Params;
    detect: (data: DataFor<Needs[number]>, params: z.output<Params>) => Verdict[];
  },
): Detector {
  const { detect, ...fields } = spec;
  return { ...fields, assess: (dataset, params) => detect(dataset, spec.params.parse(params)) };
}

export function fired(flag: Flag): Verdict {
  return { outcome: "fired", subjectId: flag.subject.id, flag };
}

/** `note` is worth a count in the report: why something that looks like a flag is none. */
export function notFired(subjectId: string, note: string | null = null): Verdict {
  return { outcome: "not_fired", subjectId, note };
}

export function notComputable(subjectId: string, reason: string): Verdict {
  return { outcome: "not_computable", subjectId, reason };
}

export function excluded(subjectId: string, reason: string): Verdict {
  return { outcome: "excluded", subjectId, reason };
}
