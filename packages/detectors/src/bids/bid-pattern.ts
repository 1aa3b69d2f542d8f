import type { EvidenceFact, LegalReference, Subject } from "@cidadao/domain/anomaly";
import type { Tally } from "../indicators/tally.ts";
import type { BidProcess } from "./read-process.ts";

/** What is said of a subject that is raised; score, severity and base rate are derived from it in one place. */
export type BidFlag = {
  subject: Subject;
  reason: string;
  /** Weight of the evidence in [0, 1], before the money is looked at. */
  strength: number;
  /** In the main currency. */
  amountAtRisk: number;
  supplier: string | null;
  /** Whose agency is named, and which records are cited. */
  processes: BidProcess[];
  formula: string;
  facts: EvidenceFact[];
};

export type BidAnswers = { flags: BidFlag[]; tally: Tally };

export type BidContext = {
  /** Amounts in another currency are left out. */
  currency: string;
  comparesPrices: (process: BidProcess) => boolean;
};

/** A pattern over the bids of many processes. Its fields document it, as a detector's do. */
export type BidPattern = {
  id: string;
  version: number;
  title: string;
  question: string;
  subjects: string;
  /** What one subject is. */
  judges: "processes" | "groups";
  method: string;
  legalBasis: LegalReference[];
  references: string[];
  exclusions: string[];
  assumptions: string[];
  innocentExplanations: string[];
  assess: (processes: readonly BidProcess[], context: BidContext) => BidAnswers;
};

export const competitionLaw: LegalReference[] = [
  { norm: "Lei 12.529/2011", article: "art. 36, §3º, I, d", validFrom: "2012-05-29", validTo: null },
];

/** In every pattern about collusion, because the literature was made on other data. */
export const SCREEN_LIMITS =
  "Os limites vêm de propostas lacradas de obras e serviços de engenharia; em pregão eletrônico os lances finais " +
  "convergem por desenho, e estes sinais dizem pouco.";
