import type { Finding } from "@cidadao/domain/anomaly";
import type { DetectorReport } from "@cidadao/domain/dataset";
import type { Detector } from "./define-detector.ts";
import type { Candidate } from "./tally.ts";

/** A subject that a detector raises, weighed but not yet described. */
export type Raised = Candidate & { detector: Detector; score: number; baseRate: Finding["evidence"]["baseRate"] };

export type DetectorRun = {
  detector: Detector;
  raised: Raised[];
  /** One for each contract: 1 where the detector could give an answer, alone or with its group. */
  available: Uint8Array;
  report: DetectorReport;
};
