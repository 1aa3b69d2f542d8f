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
};

export type Detection = { findings: Finding[]; reports: DetectorReport[] };
