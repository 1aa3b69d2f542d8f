import type { Contract } from "@cidadao/domain/contract";
import type { IsoDate } from "@cidadao/domain/dates";
import type { Cents } from "@cidadao/domain/money";
import type { FieldReader, Scalar } from "./reading.ts";
import { identifySupplier, rawText } from "./terms.ts";

export type SupplierFields = Pick<Contract, "supplierId" | "supplierKind" | "supplierTaxId" | "supplierName">;

type BuyerFields = Pick<
  Contract,
  "agencyCode" | "agencyName" | "parentAgencyCode" | "parentAgencyName" | "unitCode" | "unitName"
>;

/** A buyer below no other; an agency of which no unit is published is its own. */
export function buyerFields(agency: { code: string; name: string }, unit = agency): BuyerFields {
  return {
    agencyCode: agency.code,
    agencyName: agency.name,
    parentAgencyCode: null,
    parentAgencyName: null,
    unitCode: unit.code,
    unitName: unit.name,
  };
}

export const NOT_INFORMED = "não informado";

/** `cpfField`: the publisher says that the code is a person's, whatever it looks like. */
export function supplierFields(
  fields: FieldReader,
  published: { field: string; code: Scalar; name: string | null; isPerson?: boolean },
): SupplierFields {
  const { field, name } = published;
  const code = rawText(published.code);
  if (code === "-11" || name?.toLowerCase() === "sigiloso") {
    return { supplierId: "secret", supplierKind: "secret", supplierTaxId: null, supplierName: "Sigiloso" };
  }
  const { kind, taxId } = identifySupplier(fields, field, code, published.isPerson === true ? code : null);
  // A masked CPF is shared by many people: the name tells them apart.
  const supplierId =
    kind === "person" || taxId === null ? [taxId, name].filter((part) => part !== null).join(" ") || "unknown" : taxId;
  return { supplierId, supplierKind: kind, supplierTaxId: taxId, supplierName: name ?? "Não informado" };
}

/** A contract's value: nothing is wrong with zero, but somebody should know. */
export function contractValue(fields: FieldReader, field: string, value: Scalar): Cents | null {
  const cents = fields.money(field, value);
  if (cents === 0) fields.complain(field, "the value is zero", "zero-amount");
  return cents;
}

export function period(
  fields: FieldReader,
  start: { field: string; value: Scalar },
  end: { field: string; value: Scalar },
): { startsOn: IsoDate | null; endsOn: IsoDate | null } {
  const startsOn = fields.date(start.field, start.value);
  const endsOn = fields.date(end.field, end.value);
  if (startsOn === null || endsOn === null || endsOn >= startsOn) return { startsOn, endsOn };
  fields.complain(end.field, `ends on ${endsOn}, before it starts on ${startsOn}`, "ends-before-start");
  return { startsOn, endsOn: null };
}

/** A code or name of the buyer that should be there. */
export function expectedText(fields: FieldReader, field: string, value: Scalar, otherwise: string): string {
  const text = fields.text(field, value);
  if (text === null) fields.complain(field, "missing: nothing is published", "missing-field");
  return text ?? otherwise;
}

/** The day of a local time without zone, "2025-06-24T00:30:04". */
export function dayOf(value: Scalar): Scalar {
  return typeof value === "string" ? value.trim().replace(/^(\d{4}-\d{2}-\d{2})[T ].*$/s, "$1") : value;
}

/** A number published as text with a decimal dot, "1234.5", which money in Brazil does not have. */
export function decimalDot(value: Scalar): Scalar {
  return typeof value === "string" && /^-?\d+(?:\.\d+)?$/.test(value.trim()) ? Number(value) : value;
}
