import type { IsoDate } from "./dates.ts";
import type { Cents } from "./money.ts";
import type { Provenance } from "./provenance.ts";

/** What the national registry of legal persons (CNPJ) says of one establishment. */
export type Registration = {
  provenance: Provenance;
  cnpj: string;
  name: string;
  /** Start of activity. */
  openedOn: IsoDate | null;
  /** The registry's word, for example "ATIVA" or "BAIXADA", and since when. */
  status: string | null;
  statusSince: IsoDate | null;
  /** CNAE subclass, 7 digits. */
  mainActivity: string | null;
  capitalCents: Cents | null;
  /** Street, number, complement and postal code of the establishment in one text. */
  address: string | null;
  phone: string | null;
  email: string | null;
  /** Partners and administrators; persons with a masked CPF. */
  partners: { taxId: string | null; name: string }[];
};
