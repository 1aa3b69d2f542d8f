import type { IsoDate } from "./dates.ts";
import type { Provenance } from "./provenance.ts";

/** Without both of them read whole, nobody can be said not to be sanctioned. */
export const sanctionLists = ["ceis", "cnep"] as const;
export type SanctionList = (typeof sanctionLists)[number];
/** Besides, the declarations of the federal audit court (TCU): CEIS holds them late, or not at all. */
export const sanctionOrigins = [...sanctionLists, "tcu"] as const;
export type SanctionOrigin = (typeof sanctionOrigins)[number];

/** Sphere of the body that sanctioned; `unknown` where the publisher does not say. */
export const governmentSpheres = ["federal", "state", "municipal", "unknown"] as const;
export type GovernmentSphere = (typeof governmentSpheres)[number];

export type Sanction = {
  provenance: Provenance;
  list: SanctionOrigin;
  supplierKind: "company" | "person" | "unknown";
  /** CNPJ (14 characters) or masked CPF. */
  taxId: string | null;
  name: string;
  /** The publisher's name of the sanction, for example "Impedimento/proibição de contratar com prazo determinado". */
  kind: string;
  /** Articles of law, as published. */
  legalBasis: string[];
  startsOn: IsoDate | null;
  /** `null` with `endKnown` true means open-ended: in force until lifted. */
  endsOn: IsoDate | null;
  /** False when the publisher gives neither an end nor says that there is none. */
  endKnown: boolean;
  sanctioningBody: string;
  bodySphere: GovernmentSphere;
  bodyState: string | null;
  /** Scope in the publisher's or the judge's words, where given. */
  scope: string | null;
};
