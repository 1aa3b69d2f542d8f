import type { IsoDate } from "./dates.ts";
import type { Cents } from "./money.ts";
import type { Provenance } from "./provenance.ts";

/** Empenho: budget that was set apart for a contract. */
export type Commitment = {
  provenance: Provenance;
  /** `sourceId` of the contract at the same source. */
  contractId: string;
  /** The document's code, or as much of it as is published. */
  code: string;
  issuedOn: IsoDate | null;
  note: string | null;
  amountCents: Cents | null;
};
