import type { Amendment, Contract, ContractItem } from "./contract.ts";
import type { Finding } from "./anomaly.ts";
import type { Registration } from "./registration.ts";
import type { Sanction, SanctionList } from "./sanction.ts";

/** What the detectors of one run may read. Plain data: it crosses to a worker thread by structured clone. */
export type Dataset = {
  contracts: Contract[];
  items: ContractItem[];
  amendments: Amendment[];
  sanctions: Sanction[];
  /** Lists that were read completely; a list that is missing here makes its flags not computable. */
  sanctionListsRead: SanctionList[];
  /** Registry entries of suppliers; a supplier without one makes the flags that need it not computable. */
  registrations: Registration[];
};

/** One answer of a detector about subjects it did not flag; `count` subjects share the reason. */
export type Reason = { reason: string; count: number };

/** Fired, not fired, not computable and excluded are four different answers; the counts add up to the subjects seen. */
export type DetectorReport = {
  detector: string;
  version: number;
  fired: number;
  notFired: number;
  notComputable: Reason[];
  excluded: Reason[];
  /** Part of `notFired`: what looks like a flag and is none, and why. */
  notFiredNotes: Reason[];
  /** Where the detector gives p-values: the Benjamini-Hochberg rate, and the largest p-value that passed it. */
  falseDiscovery: { rate: number; tests: number; candidates: number; cutoff: number } | null;
};

/** How much the detectors that could say something about an entity found; 0 to 10. */
export type Risk = {
  kind: "contract" | "supplier" | "agency";
  id: string;
  name: string;
  risk: number;
  /** Detectors that raised it, of those that could give an answer about it. */
  fired: string[];
  available: number;
};

/** `findings` may be cut, gravest first; `findingsTotal` counts all. */
export type Detection = { findings: Finding[]; findingsTotal: number; reports: DetectorReport[]; risks: Risk[] };
