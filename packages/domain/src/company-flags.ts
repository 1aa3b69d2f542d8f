import type { Provenance } from "./provenance.ts";

/** What the Portal da Transparência says it holds about a company: yes or no, and no more. */
export const companyFlagNames = [
  "paid",
  "contracted",
  "grants",
  "transfers",
  "cepim",
  "ceis",
  "cnep",
  "ceaf",
  "bidder",
  "invoices",
  "taxBenefit",
  "taxExempt",
  "taxEnabled",
] as const;
export type CompanyFlagName = (typeof companyFlagNames)[number];

export type CompanyFlags = {
  provenance: Provenance;
  /** CNPJ (14 characters). */
  taxId: string;
  name: string;
  /** A flag that was not sent is left out: unknown is not no. */
  flags: Partial<Record<CompanyFlagName, boolean>>;
};
