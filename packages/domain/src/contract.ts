import type { IsoDate } from "./dates.ts";
import type { Cents } from "./money.ts";
import type { Provenance } from "./provenance.ts";
import type { GovernmentSphere } from "./sanction.ts";

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
  /** As the source numbers agencies: a SIAFI organ code of 5 digits at federal sources, a CNPJ at PNCP. */
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
  /** Sphere of the buyer; left out or `null` where the source does not tell. */
  buyerSphere?: GovernmentSphere | null;
  /** Two-letter code of the buyer's state. */
  buyerState?: string | null;
  signedOn: IsoDate | null;
  publishedOn: IsoDate | null;
  startsOn: IsoDate | null;
  endsOn: IsoDate | null;
  initialValueCents: Cents | null;
  currentValueCents: Cents | null;
  /** The publisher's class of what is bought, for example "Obras". */
  category?: string | null;
  /** What the buyer estimated before the award. */
  estimatedValueCents?: Cents | null;
};

export type ContractItem = {
  provenance: Provenance;
  /** `sourceId` of the contract at the same source. */
  contractId: string;
  number: string;
  description: string | null;
  complement: string | null;
  quantity: number | null;
  /** Catalogue of the class, for example "CATMAT" or "CATSER", and the class in it. */
  classificationScheme?: string | null;
  classificationId?: string | null;
  unitOfMeasure?: string | null;
  /** The portal's "Valor Item" is a unit price: quantity × unit price adds up to the contract's initial value. */
  unitPriceCents: Cents | null;
};

/** `endorsement` (apostilamento): price adjustment and the like, which count for no limit. */
export const amendmentKinds = ["amendment", "endorsement", "other"] as const;
export type AmendmentKind = (typeof amendmentKinds)[number];

export type Amendment = {
  provenance: Provenance;
  /** `sourceId` of the contract at the same source. */
  contractId: string;
  number: string;
  publishedOn: IsoDate | null;
  object: string | null;
  /** Left out or `null`, like every field below, where the source does not tell. */
  kind?: AmendmentKind | null;
  signedOn?: IsoDate | null;
  /** What this amendment adds to the contract's value, and what it takes away; both positive. */
  increaseCents?: Cents | null;
  decreaseCents?: Cents | null;
  /** Value of the whole contract after this amendment. */
  valueAfterCents?: Cents | null;
};

/** Ata de registro de preços: prices at which suppliers have to deliver when asked to. Nobody has bought anything yet. */
export type PriceRegistration = {
  provenance: Provenance;
  number: string;
  /** `sourceId` of the contracting process it comes from, at the same source. */
  tenderId: string | null;
  object: string | null;
  agencyCode: string;
  agencyName: string;
  unitCode: string;
  unitName: string;
  signedOn: IsoDate | null;
  startsOn: IsoDate | null;
  endsOn: IsoDate | null;
  cancelled: boolean;
};
