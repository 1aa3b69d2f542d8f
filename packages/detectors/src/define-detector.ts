import type { LegalReference } from "@cidadao/domain/anomaly";
import type { Dataset } from "@cidadao/domain/dataset";
import type { z } from "zod";
import type { Frame } from "./frame/frame.ts";
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
