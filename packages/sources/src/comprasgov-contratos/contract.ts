import type { Contract } from "@cidadao/domain/contract";
import { z } from "zod";
import { pncpContractPage } from "../pncp/buyer.ts";
import { contractValue, expectedText, NOT_INFORMED, period, supplierFields } from "../published-fields.ts";
import { type FieldReader, idText, scalar, type Scalar } from "../reading.ts";
import { methodOf, rawText } from "../terms.ts";

export const COMPRASGOV_CONTRATOS = "comprasgov-contratos";
const QUERY = "https://dadosabertos.compras.gov.br/modulo-contratos/1_consultarContratos";

/** A contract as the open data of Compras.gov.br send it, by its API and in files made from it. */
export const contractWire = z.object({
  codigoOrgao: scalar,
  nomeOrgao: scalar,
  codigoUnidadeGestora: scalar,
  nomeUnidadeGestora: scalar,
  receitaDespesa: scalar,
  numeroContrato: scalar,
  nomeModalidadeCompra: scalar,
  nomeCategoria: scalar,
  niFornecedor: scalar,
  nomeRazaoSocialFornecedor: scalar,
  objeto: scalar,
  dataVigenciaInicial: scalar,
  dataVigenciaFinal: scalar,
  valorGlobal: scalar,
  numeroControlePncpContrato: scalar,
});
export type ContractWire = z.infer<typeof contractWire>;

/** Unit and number: a number is unique only within its managing unit. */
export function contractIdOf(wire: ContractWire): string | null {
  const [number, unitCode] = [idText(wire.numeroContrato), idText(wire.codigoUnidadeGestora)];
  return number === null || unitCode === null ? null : `${unitCode}-${number}`;
}

/** The State receives: it is no purchase. */
export function isRevenue({ receitaDespesa }: Pick<ContractWire, "receitaDespesa">): boolean {
  return /^r/i.test(rawText(receitaDespesa) ?? "");
}

/** The list gives neither the day of signature nor the original value; a history of the contract does. */
export function contractOf(fields: FieldReader, wire: ContractWire): Omit<Contract, "provenance"> {
  const unitCode = idText(wire.codigoUnidadeGestora) ?? NOT_INFORMED;
  const agencyCode = expectedText(fields, "codigoOrgao", wire.codigoOrgao, NOT_INFORMED);
  const start = { field: "dataVigenciaInicial", value: wire.dataVigenciaInicial };
  return {
    number: idText(wire.numeroContrato) ?? fields.sourceId,
    object: fields.text("objeto", wire.objeto),
    ...methodOf(fields, notApplicable(wire.nomeModalidadeCompra)),
    legalBasis: null,
    agencyCode,
    agencyName: fields.text("nomeOrgao", wire.nomeOrgao) ?? `Órgão ${agencyCode}`,
    parentAgencyCode: null,
    parentAgencyName: null,
    unitCode,
    unitName: fields.text("nomeUnidadeGestora", wire.nomeUnidadeGestora) ?? `UG ${unitCode}`,
    ...supplierFields(fields, {
      field: "niFornecedor",
      code: wire.niFornecedor,
      name: fields.text("nomeRazaoSocialFornecedor", wire.nomeRazaoSocialFornecedor),
    }),
    buyerSphere: "federal",
    category: fields.text("nomeCategoria", wire.nomeCategoria ?? null),
    signedOn: null,
    publishedOn: null,
    ...period(fields, start, { field: "dataVigenciaFinal", value: wire.dataVigenciaFinal }),
    initialValueCents: null,
    currentValueCents: contractValue(fields, "valorGlobal", wire.valorGlobal),
  };
}

function notApplicable(value: Scalar): Scalar {
  return /^n[aã]o se aplica$/i.test(String(value ?? "").trim()) ? null : value;
}

/** Its page at the PNCP where it has one, else the question whose answer holds it. */
export function contractUrl(
  wire: ContractWire,
  { unitCode, startsOn }: Pick<Contract, "unitCode" | "startsOn">,
): string {
  const page = pncpContractPage(rawText(wire.numeroControlePncpContrato));
  if (page !== null) return page;
  if (startsOn === null) return QUERY;
  const days = `dataVigenciaInicialMin=${startsOn}&dataVigenciaInicialMax=${startsOn}`;
  return `${QUERY}?${days}&codigoUnidadeGestora=${encodeURIComponent(unitCode)}`;
}
