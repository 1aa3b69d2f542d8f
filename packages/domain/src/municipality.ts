import type { Provenance } from "./provenance.ts";

/** A municipality, or the Federal District, as IBGE numbers them. */
export type Municipality = {
  provenance: Provenance;
  /** Seven digits; the first two are the state's. */
  code: string;
  name: string;
  /** Two-letter code of the state. */
  state: string;
};
