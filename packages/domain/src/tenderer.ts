import type { SupplierKind } from "./contract.ts";
import type { Provenance } from "./provenance.ts";

/** Who bid in a procedure. What they bid is not published with it. */
export type Tenderer = {
  provenance: Provenance;
  /** `sourceId` of the procedure, which is stored as a contract, at the same source. */
  tenderId: string;
  /** The item that was bid for; left out or `null` where the source names only the procedure. */
  itemNumber?: string | null;
  kind: SupplierKind;
  /** CNPJ (14 characters), or a masked CPF. */
  taxId: string | null;
  name: string;
  /** Left out or `null` where the source does not tell. */
  isWinner?: boolean | null;
};
