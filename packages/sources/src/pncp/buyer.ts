import type { Contract } from "@cidadao/domain/contract";
import type { GovernmentSphere } from "@cidadao/domain/sanction";
import { z } from "zod";
import { type FieldReader, idText, type Scalar, scalar } from "../reading.ts";
import { rawText } from "../terms.ts";
import { expectedText, NOT_INFORMED } from "../published-fields.ts";

/* What contracts and procurements of the PNCP consulta API have in common. */

export const PNCP = "pncp";
const SITE = "https://pncp.gov.br/app";

export const buyerWire = {
  orgaoEntidade: z.object({ cnpj: scalar, razaoSocial: scalar, esferaId: scalar }).nullish(),
  unidadeOrgao: z.object({ codigoUnidade: scalar, nomeUnidade: scalar, ufSigla: scalar }).nullish(),
};
type Buyer = z.infer<z.ZodObject<typeof buyerWire>>;

type BuyerFields = Pick<
  Contract,
  | "agencyCode"
  | "agencyName"
  | "parentAgencyCode"
  | "parentAgencyName"
  | "unitCode"
  | "unitName"
  | "buyerSphere"
  | "buyerState"
>;

export function buyerFields(fields: FieldReader, { orgaoEntidade: entity, unidadeOrgao: unit }: Buyer): BuyerFields {
  const agencyCode = expectedText(fields, "orgaoEntidade.cnpj", entity?.cnpj ?? null, NOT_INFORMED);
  const unitCode = expectedText(fields, "unidadeOrgao.codigoUnidade", unit?.codigoUnidade ?? null, NOT_INFORMED);
  const state = fields.text("unidadeOrgao.ufSigla", unit?.ufSigla ?? null)?.toUpperCase() ?? null;
  return {
    agencyCode,
    agencyName: fields.text("orgaoEntidade.razaoSocial", entity?.razaoSocial ?? null) ?? `Órgão ${agencyCode}`,
    parentAgencyCode: null,
    parentAgencyName: null,
    // Units are numbered within their entity.
    unitCode: `${agencyCode}/${unitCode}`,
    unitName: fields.text("unidadeOrgao.nomeUnidade", unit?.nomeUnidade ?? null) ?? `Unidade ${unitCode}`,
    buyerSphere: sphereOf(rawText(entity?.esferaId)),
    buyerState: state !== null && /^[A-Z]{2}$/.test(state) ? state : null,
  };
}

/** The Federal District (D) has the powers of a state and of a municipality; its accounts are a state's. */
function sphereOf(code: string | null): GovernmentSphere {
  const spheres: Record<string, GovernmentSphere> = { F: "federal", E: "state", D: "state", M: "municipal" };
  return spheres[code?.toUpperCase() ?? ""] ?? "unknown";
}

const CONTROL_NUMBER = /^([0-9A-Z]{12}\d{2})-([12])-(\d{6})\/(\d{4})$/;

/** The control number, or the one that the record's own parts make; `null` when there is neither. */
export function controlNumber(
  published: Scalar,
  parts: { cnpj: Scalar; kind: 1 | 2; year: Scalar; sequence: Scalar },
): string | null {
  const text = idText(published);
  if (text !== null && CONTROL_NUMBER.test(text)) return text;
  const [cnpj, year, sequence] = [idText(parts.cnpj), idText(parts.year), idText(parts.sequence)];
  const made = `${cnpj}-${parts.kind}-${(sequence ?? "").padStart(6, "0")}/${year}`;
  return sequence !== null && CONTROL_NUMBER.test(made) ? made : null;
}

/** The page of a contract; `null` when the text is no control number of one. */
export function pncpContractPage(controlNumber: string | null): string | null {
  return pageOf(controlNumber, "2", "contratos");
}

export function pncpTenderPage(controlNumber: string | null): string | null {
  return pageOf(controlNumber, "1", "editais");
}

function pageOf(controlNumber: string | null, kind: string, folder: string): string | null {
  const [, cnpj, found, sequence, year] = CONTROL_NUMBER.exec(controlNumber ?? "") ?? [];
  return found === kind ? `${SITE}/${folder}/${cnpj}/${year}/${Number(sequence)}` : null;
}
