import type { EvidenceFact, EvidenceRecord, LegalReference, Subject } from "@cidadao/domain/anomaly";
import type { Dataset } from "@cidadao/domain/dataset";
import type { Cents } from "@cidadao/domain/money";
import type { z } from "zod";
import type { Frame } from "./frame/frame.ts";
import type { RowGroups } from "./frame/group-rows.ts";
import type { Tally } from "./tally.ts";

export type Need = "contracts" | "items" | "amendments" | "sanctions" | "registrations";

/** What a detector that declares the needs `N` may read. */
export type DataFor<N extends Need> = Pick<Frame, N | (N extends "sanctions" ? "sanctionListsRead" : never)>;

/** What a contract has to tell for a detector to say anything; the last two come with its items. The coverage report counts them before anything runs. */
export const contractFields = [
  "initialValue",
  "currentValue",
  "estimatedValue",
  "signedOn",
  "publishedOn",
  "startsOn",
  "endsOn",
  "supplierTaxId",
  "methodDetails",
  "awardKind",
  "legalBasis",
  "object",
  "itemClass",
  "itemPrice",
] as const;
export type ContractField = (typeof contractFields)[number];

/** Whose composite risk a finding counts for. */
export type Concern = "contract" | "supplier" | "agency";

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
  /** Contract fields without which there is no answer. */
  requires: readonly ContractField[];
  concerns: readonly Concern[];
  examples: DetectorExample[];
};

export type Detector = DetectorFields & {
  needs: readonly Need[];
  params: z.ZodObject;
  /**
   * Puts exactly one verdict for each subject in `tally`; `null` takes every parameter's default. Throws a `ZodError` when
   * `params` does not fit the detector's schema.
   */
  detect: (frame: Frame, params: unknown, tally: Tally) => void;
};

export function defineDetector<const Needs extends readonly Need[], Params extends z.ZodObject>(
  spec: DetectorFields & {
    needs: Needs;
    params: Params;
    detect: (data: DataFor<Needs[number]>, params: z.output<Params>, tally: Tally) => void;
  },
): Detector {
  const { detect, ...fields } = spec;
  // Kept, not parsed anew for every frame: compiled code that reads parameters lives as long as an object of their shape.
  const defaults = spec.params.parse({});
  return {
    ...fields,
    detect: (frame, params, tally) => detect(frame, params === null ? defaults : spec.params.parse(params), tally),
  };
}

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
