import type { CompanyFlagName, CompanyFlags } from "@cidadao/domain/company-flags";
import { parseCnpj } from "@cidadao/domain/tax-id";
import { z } from "zod";
import { type AnswerReader, readerOf } from "../read-rows.ts";
import { fieldReader, scalar } from "../reading.ts";
import { provenance, SITE } from "./wire.ts";

/** Whatever it is: only yes and no are read. */
const flag = z.unknown().optional();

export const companyWire = z.object({
  cnpj: scalar,
  razaoSocial: scalar,
  favorecidoDespesas: flag,
  possuiContratacao: flag,
  convenios: flag,
  favorecidoTransferencias: flag,
  sancionadoCEPIM: flag,
  sancionadoCEIS: flag,
  sancionadoCNEP: flag,
  sancionadoCEAF: flag,
  participanteLicitacao: flag,
  emitiuNFe: flag,
  beneficiadoRenunciaFiscal: flag,
  isentoImuneRenunciaFiscal: flag,
  habilitadoRenunciaFiscal: flag,
});
type CompanyWire = z.infer<typeof companyWire>;

const FLAGS: Record<CompanyFlagName, keyof CompanyWire> = {
  paid: "favorecidoDespesas",
  contracted: "possuiContratacao",
  grants: "convenios",
  transfers: "favorecidoTransferencias",
  cepim: "sancionadoCEPIM",
  ceis: "sancionadoCEIS",
  cnep: "sancionadoCNEP",
  ceaf: "sancionadoCEAF",
  bidder: "participanteLicitacao",
  invoices: "emitiuNFe",
  taxBenefit: "beneficiadoRenunciaFiscal",
  taxExempt: "isentoImuneRenunciaFiscal",
  taxEnabled: "habilitadoRenunciaFiscal",
};

/** What the Portal holds about a company. A flag that is not sent is unknown. */
export function readCompany(): AnswerReader<CompanyFlags> {
  return readerOf(companyWire, (wire, answer) => {
    const taxId = typeof wire.cnpj === "string" ? parseCnpj(wire.cnpj) : null;
    if (taxId === null) return "no CNPJ (cnpj)";
    const fields = fieldReader(`empresa/${taxId}`);
    const flags: CompanyFlags["flags"] = {};
    for (const [name, field] of Object.entries(FLAGS) as [CompanyFlagName, keyof CompanyWire][]) {
      const value = wire[field];
      if (typeof value === "boolean") flags[name] = value;
      else fields.complain(field, "missing: the flag was not sent", "missing-field");
    }
    const record: CompanyFlags = {
      provenance: provenance(answer, fields.sourceId, `${SITE}/busca/pessoa-juridica/${taxId}`),
      taxId,
      name: fields.text("razaoSocial", wire.razaoSocial) ?? "Não informado",
      flags,
    };
    return { record, complaints: fields.complaints };
  });
}
