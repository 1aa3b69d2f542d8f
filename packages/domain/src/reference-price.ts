import type { IsoDate } from "./dates.ts";
import type { Cents } from "./money.ts";
import type { Provenance } from "./provenance.ts";
import type { SupplierKind } from "./contract.ts";

/** What a public buyer paid for one unit of an item of the federal catalogue: a price to compare others with. */
export type ReferencePrice = {
  provenance: Provenance;
  /** "CATMAT" for materials, "CATSER" for services, and the item in it. */
  catalogue: "CATMAT" | "CATSER";
  itemCode: string;
  description: string | null;
  /** What one unit is: "UNIDADE", "CAIXA 100 UNIDADE". Prices of different units do not compare. */
  unitOfMeasure: string | null;
  quantity: number | null;
  unitPriceCents: Cents | null;
  purchasedOn: IsoDate | null;
  supplierKind: SupplierKind;
  supplierTaxId: string | null;
  supplierName: string;
  agencyCode: string;
  agencyName: string;
  unitCode: string;
  unitName: string;
  /** Two-letter code of the buyer's state. */
  buyerState: string | null;
};
