import type { SupplierKind } from "./contract.ts";
import type { IsoDate } from "./dates.ts";
import type { Cents } from "./money.ts";
import type { Provenance } from "./provenance.ts";

/** Empenho, liquidação, pagamento. */
export const expensePhases = ["commitment", "verification", "payment"] as const;
export type ExpensePhase = (typeof expensePhases)[number];

/** One step of a federal expense towards a payee. */
export type ExpenseDocument = {
  provenance: Provenance;
  /** The document's code: managing unit, administration, year, kind and number in 23 characters. */
  code: string;
  phase: ExpensePhase;
  issuedOn: IsoDate | null;
  /** The publisher's name of what it is, for example "Original" or "Anulação": amounts of the latter take away. */
  kind: string | null;
  amountCents: Cents | null;
  payeeKind: SupplierKind;
  payeeTaxId: string | null;
  payeeName: string;
  agencyCode: string;
  agencyName: string;
  unitCode: string;
  unitName: string;
  processNumber: string | null;
  note: string | null;
  /** Class of the expense, as published. */
  element: string | null;
};
