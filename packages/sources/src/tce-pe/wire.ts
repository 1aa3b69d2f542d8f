import type { Contract } from "@cidadao/domain/contract";
import type { GovernmentSphere } from "@cidadao/domain/sanction";
import { z } from "zod";
import { buyerFields, decimalDot, supplierFields } from "../published-fields.ts";
import { type AnswerReader, answeredProvenance, readerOf } from "../read-rows.ts";
import { fieldReader, idText, type Scalar, scalar } from "../reading.ts";
import { methodOf } from "../terms.ts";

export const TCE_PE = "tce-pe";
const SITE = "https://sistemas.tce.pe.gov.br";

/** The term (Vigencia) is a text whose form nobody describes: it is not read. */
export const contractWire = z.object({
  CodigoContrato: scalar,
  NumeroContrato: scalar,
  AnoContrato: scalar,
  TipoProcesso: scalar,
  CodigoUG: scalar,
  UnidadeGestora: scalar,
  Municipio: scalar,
  Esfera: scalar,
  CPF_CNPJ: scalar,
  RazaoSocial: scalar,
  Valor: scalar,
});

export function readContracts(): AnswerReader<Contract> {
  return readerOf(contractWire, (wire, answer) => {
    const id = idText(wire.CodigoContrato);
    if (id === null || !/^\d{1,12}$/.test(id)) return "no code (CodigoContrato)";
    const agencyCode = idText(wire.CodigoUG);
    if (agencyCode === null) return "no managing unit (CodigoUG)";
    const fields = fieldReader(id);
    const agencyName = fields.text("UnidadeGestora", wire.UnidadeGestora) ?? `UG ${agencyCode}`;
    const year = idText(wire.AnoContrato);
    const number = idText(wire.NumeroContrato) ?? id;
    const record: Contract = {
      provenance: answeredProvenance(answer, { source: TCE_PE, sourceId: id, url: contractUrl(id) }, SITE),
      number: year === null ? number : `${number}/${year}`,
      object: null,
      ...methodOf(fields, wire.TipoProcesso),
      legalBasis: null,
      ...buyerFields({ code: agencyCode, name: agencyName }),
      ...supplierFields(fields, {
        field: "CPF_CNPJ",
        code: wire.CPF_CNPJ,
        name: fields.text("RazaoSocial", wire.RazaoSocial),
      }),
      buyerSphere: sphereOf(wire.Esfera),
      buyerState: "PE",
      signedOn: null,
      publishedOn: null,
      startsOn: null,
      endsOn: null,
      initialValueCents: fields.money("Valor", decimalDot(wire.Valor)),
      currentValueCents: null,
    };
    return { record, complaints: fields.complaints };
  });
}

function contractUrl(id: string): string {
  return `${SITE}/DadosAbertos/Contratos!json?CodigoContrato=${id}`;
}

function sphereOf(value: Scalar): GovernmentSphere {
  if (value === "M") return "municipal";
  return value === "E" ? "state" : "unknown";
}
