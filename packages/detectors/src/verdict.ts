import type { EvidenceFact, EvidenceRecord, LegalReference, Subject } from "@cidadao/domain/anomaly";
import type { Cents } from "@cidadao/domain/money";
import type { RowGroups } from "./frame/group-rows.ts";

/** What a detector says about a subject it raises; score, severity and base rate are derived from it in one place. */
export type Flag = {
  /** Weight of the evidence in [0, 1], before the money and the base rate are looked at. */
  strength: number;
  amountAtRiskCents: Cents;
  /**
   * Chance of a deviation at least this large where nothing is odd; `null` for a rule, which is met or not. Flags with a
   * p-value must pass the control of false discoveries over all subjects that their detector tested.
   */
  pValue: number | null;
  /** Called only for a flag that is shown, after everything has been weighed. */
  describe: () => FlagDescription;
};

export type FlagDescription = {
  /** Its id is that of the contract or group that was answered about. */
  subject: Omit<Subject, "id">;
  reason: string;
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
  | { outcome: "fired"; flag: Flag }
  | { outcome: "not_fired"; note: string | null }
  | { outcome: "not_computable"; reason: string }
  | { outcome: "excluded"; reason: string };

/** Contracts that are judged together. `id` is the subject's, made only when somebody asks. */
export type Group = { id: () => string; rows: ArrayLike<number> };

/** Many groups at once: nothing is made for a group but its verdict, and an id only where it fired. */
export type Groups = { groups: RowGroups; idOf: (group: number) => string };

export function fired(flag: Flag): Verdict {
  return { outcome: "fired", flag };
}

export const NOT_FIRED: Verdict = { outcome: "not_fired", note: null };

/** `note` is worth a count in the report: why something that looks like a flag is none. */
export function notFired(note: string): Verdict {
  return { outcome: "not_fired", note };
}

export function notComputable(reason: string): Verdict {
  return { outcome: "not_computable", reason };
}

export function excluded(reason: string): Verdict {
  return { outcome: "excluded", reason };
}
