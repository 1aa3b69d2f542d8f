import type { IsoDate } from "./dates.ts";
import type { Provenance } from "./provenance.ts";

/** An edition of a municipality's official gazette in which something was found. */
export type Gazette = {
  provenance: Provenance;
  /** IBGE code of the municipality. */
  territoryId: string;
  territoryName: string;
  state: string | null;
  publishedOn: IsoDate;
  edition: string | null;
  isExtra: boolean | null;
  /** Text around what was found, as optical character recognition read it: names and numbers may be wrong. */
  excerpts: string[];
  /** Where the whole text is. */
  textUrl: string | null;
};
