import type { IsoDate } from "./dates.ts";
import type { Cents } from "./money.ts";
import type { Provenance } from "./provenance.ts";

/** OCDS `procurementMethod`, with `unknown` where the publisher does not say. */
export const procurementMethods = ["open", "selective", "limited", "direct", "unknown"] as const;
export type ProcurementMethod = (typeof procurementMethods)[number];

/** Why a direct award had no competition: waived (dispensa) or impossible (inexigibilidade). */
export const directAwardKinds = ["waived", "no_competition"] as const;
export type DirectAwardKind = (typeof directAwardKinds)[number];

/** `secret`: the publisher withholds the name; only `company` rows carry a CNPJ. */
export const supplierKinds = ["company", "person", "foreign", "public_body", "secret", "unknown"] as const;
export type SupplierKind = (typeof supplierKinds)[number];

export type Agency = {
  provenance: Provenance;
  /** SIAFI organ code, 5 digits. */
  code: string;
  name: string;
  parentCode: string | null;
  parentName: string | null;
};

export type Supplier = {
  provenance: Provenance;
  kind: SupplierKind;
  /** CNPJ (14 characters), masked CPF, or the publisher's code; `null` when withheld. */
  taxId: string | null;
  name: string;
};

export type Contract = {
  provenance: Provenance;
  /** As published, for example "000342023"; unique only within a managing unit, and not always. */
  number: string;
  object: string | null;
  procurementMethod: ProcurementMethod;
  /** The publisher's own name of the method, for example "Pregão - Registro de Preço". */
  procurementMethodDetails: string | null;
  directAwardKind: DirectAwardKind | null;
  /** Article of law as published; `null` where the publisher leaves it empty, which is the rule. */
  legalBasis: string | null;
  agencyCode: string;
  agencyName: string;
  parentAgencyCode: string | null;
  parentAgencyName: string | null;
  /** Managing unit (UG). */
  unitCode: string;
  unitName: string;
  /** `sourceId` of the supplier at the same source. */
  supplierId: string;
  supplierKind: SupplierKind;
  supplierTaxId: string | null;
  supplierName: string;
  signedOn: IsoDate | null;
  publishedOn: IsoDate | null;
  startsOn: IsoDate | null;
  endsOn: IsoDate | null;
  initialValueCents: Cents | null;
  currentValueCents: Cents | null;
};

export type ContractItem = {
  provenance: Provenance;
  /** `sourceId` of the contract at the same source. */
  contractId: string;
  number: string;
  description: string | null;
  complement: string | null;
  quantity: number | null;
  /** The portal's "Valor Item" is a unit price: quantity × unit price adds up to the contract's initial value. */
  unitPriceCents: Cents | null;
};

export type Amendment = {
  provenance: Provenance;
  /** `sourceId` of the contract at the same source. */
  contractId: string;
  number: string;
  publishedOn: IsoDate | null;
  object: string | null;
};
