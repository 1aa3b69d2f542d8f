import type { Contract } from "@cidadao/domain/contract";
import { z } from "zod";
import { fingerprint } from "../files/seen.ts";
import { buyerFields, dayOf, NOT_INFORMED, period, supplierFields } from "../published-fields.ts";
import { type AnswerReader, answeredProvenance, readerOf } from "../read-rows.ts";
import { fieldReader, idText, scalar } from "../reading.ts";
import { methodOf } from "../terms.ts";

export const TCE_CE = "tce-ce";
const SITE = "https://api-dados-abertos.tce.ce.gov.br";

export const contractWire = z.object({
  codigo_municipio: scalar,
  numero_contrato: scalar,
  data_contrato: scalar,
  tipo_contrato: scalar,
  modalidade_contrato: scalar,
  descricao_objeto_contrato: scalar,
  valor_total_contrato: scalar,
  data_inicio_vigencia_contrato: scalar,
  data_fim_vigencia_contrato: scalar,
});

/** Who sold is in a list of its own. Its addresses and telephones are not read. */
export const supplierWire = z.object({
  codigo_municipio: scalar,
  numero_contrato: scalar,
  data_contrato: scalar,
  numero_documento_negociante: scalar,
  nome_negociante: scalar,
});
export type SupplierWire = z.infer<typeof supplierWire>;

/** What a contract and its supplier share. */
export function contractKey(
  wire: Pick<SupplierWire, "codigo_municipio" | "numero_contrato" | "data_contrato">,
): string {
  return [idText(wire.codigo_municipio), idText(wire.numero_contrato), String(dayOf(wire.data_contrato) ?? "")].join(
    "/",
  );
}

/** `suppliersOf`: of the contract with this key, in the order in which they came. */
export function readContracts(suppliersOf: (key: string) => readonly SupplierWire[]): AnswerReader<Contract> {
  return readerOf(contractWire, (wire, answer) => {
    const place = idText(wire.codigo_municipio);
    if (place === null) return "no municipality (codigo_municipio)";
    const number = idText(wire.numero_contrato);
    if (number === null) return "no number (numero_contrato)";
    const key = contractKey(wire);
    const fields = fieldReader(fingerprint([key]));
    const [seller, ...others] = suppliersOf(key);
    if (others.length > 0) {
      const reason = `the contract has ${others.length + 1} suppliers; the first one is kept`;
      fields.complain("numero_documento_negociante", reason);
    }
    const supplier = seller
      ? supplierFields(fields, {
          field: "numero_documento_negociante",
          code: seller.numero_documento_negociante,
          name: fields.text("nome_negociante", seller.nome_negociante),
        })
      : {
          supplierId: `unknown/${fields.sourceId}`,
          supplierKind: "unknown" as const,
          supplierTaxId: null,
          supplierName: NOT_INFORMED,
        };
    if (!seller) fields.complain("numero_documento_negociante", "no supplier came for this contract", "missing-field");
    const name = `Município ${place} (código do TCE-CE)`;
    const record: Contract = {
      provenance: answeredProvenance(answer, { source: TCE_CE, sourceId: fields.sourceId, url: SITE }, SITE),
      number,
      object: fields.text("descricao_objeto_contrato", wire.descricao_objeto_contrato),
      ...methodOf(fields, wire.modalidade_contrato),
      legalBasis: null,
      ...buyerFields({ code: place, name }),
      ...supplier,
      buyerSphere: "municipal",
      buyerState: "CE",
      signedOn: fields.date("data_contrato", dayOf(wire.data_contrato)),
      publishedOn: null,
      ...period(
        fields,
        { field: "data_inicio_vigencia_contrato", value: dayOf(wire.data_inicio_vigencia_contrato) },
        { field: "data_fim_vigencia_contrato", value: dayOf(wire.data_fim_vigencia_contrato) },
      ),
      initialValueCents: fields.money("valor_total_contrato", wire.valor_total_contrato),
      currentValueCents: null,
    };
    return { record, complaints: fields.complaints };
  });
}
