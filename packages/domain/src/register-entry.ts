import type { IsoDate } from "./dates.ts";
import type { Provenance } from "./provenance.ts";

/**
 * Registers of integrity that bar nobody from contracting, and so are no sanction lists: CEPIM keeps non-profit entities
 * from federal transfers, and a leniency agreement binds the companies that signed it.
 */
export const integrityRegisters = ["cepim", "leniency"] as const;
export type IntegrityRegister = (typeof integrityRegisters)[number];

export type RegisterEntry = {
  provenance: Provenance;
  register: IntegrityRegister;
  /** One at CEPIM, all that signed at a leniency agreement; CNPJ (14 characters) where one is published. */
  companies: { taxId: string | null; name: string }[];
  /** Why it is there, and how it stands, in the publisher's words. */
  reason: string | null;
  status: string | null;
  body: string | null;
  /** Number of the transfer agreement (convênio) that it is about. */
  agreement: string | null;
  startsOn: IsoDate | null;
  endsOn: IsoDate | null;
};
