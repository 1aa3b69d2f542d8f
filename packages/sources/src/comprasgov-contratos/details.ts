import type { Commitment } from "@cidadao/domain/commitment";
import type { ContractItem } from "@cidadao/domain/contract";
import { z } from "zod";
import { type AnswerReader, answeredProvenance, readerOf } from "../read-rows.ts";
import type { Answer } from "../define-source.ts";
import { type FieldReader, fieldReader, idText, scalar, type Scalar } from "../reading.ts";
import { COMPRASGOV_CONTRATOS } from "./contract.ts";
import { instrumentUrl, SITE } from "./wire.ts";

/* What contratos.comprasnet has about one contract, by the site's own number of it. */

export type OfInstrument = { contractId: string; instrumentId: string };

/** `catmatseritem_id` holds the name of the catalogue's item, not its code. */
export const itemWire = z.object({
  id: scalar,
  tipo_id: scalar,
  grupo_id: scalar,
  catmatseritem_id: scalar,
  descricao_complementar: scalar,
  quantidade: scalar,
  valorunitario: scalar,
  numero_item_compra: scalar,
});

export function readItems(input: OfInstrument): AnswerReader<ContractItem> {
  return readerOf(itemWire, (wire, answer) => {
    const id = idText(wire.id);
    if (id === null) return "no id of the item";
    const fields = fieldReader(`${input.contractId}/item/${id}`);
    const name = fields.text("catmatseritem_id", wire.catmatseritem_id);
    const words = [name, fields.text("grupo_id", wire.grupo_id ?? null), fields.text("tipo_id", wire.tipo_id ?? null)];
    const record: ContractItem = {
      provenance: provenance(answer, fields.sourceId, input),
      contractId: input.contractId,
      number: fields.text("numero_item_compra", wire.numero_item_compra ?? null) ?? id,
      description: fields.text("descricao_complementar", wire.descricao_complementar ?? null) ?? name,
      complement: words.filter((word) => word !== null).join(" · ") || null,
      quantity: quantityOf(fields, wire.quantidade),
      unitPriceCents: fields.money("valorunitario", wire.valorunitario),
    };
    return { record, complaints: fields.complaints };
  });
}

/** Text with a decimal comma, or with a decimal dot and other than three decimals: "1.000" may be either one or a thousand. */
function quantityOf(fields: FieldReader, value: Scalar): number | null {
  const text = typeof value === "string" ? value.trim() : "";
  if (/^\d{1,3}\.\d{3}$/.test(text)) {
    fields.complain("quantidade", `a decimal dot, or one between thousands: ${text}`, "not-a-quantity");
    return null;
  }
  return fields.quantity("quantidade", /^\d+\.\d+$/.test(text) ? Number(text) : value);
}

export const commitmentWire = z.object({
  unidade_gestora: scalar,
  gestao: scalar,
  numero: scalar,
  data_emissao: scalar,
  naturezadespesa: scalar,
  empenhado: scalar,
});

/** Commitments (empenhos), by the code that the Portal da Transparência gives them too. */
export function readCommitments(input: OfInstrument): AnswerReader<Commitment> {
  return readerOf(commitmentWire, (wire, answer) => {
    const parts = [wire.unidade_gestora, wire.gestao, wire.numero].map(idText);
    if (parts.includes(null)) return "no unit, administration or number of the commitment";
    const code = parts.join("");
    const fields = fieldReader(`${input.contractId}/empenho/${code}`);
    const record: Commitment = {
      provenance: provenance(answer, fields.sourceId, input),
      contractId: input.contractId,
      code,
      issuedOn: fields.date("data_emissao", wire.data_emissao ?? null),
      note: fields.text("naturezadespesa", wire.naturezadespesa ?? null),
      amountCents: fields.money("empenhado", wire.empenhado),
    };
    return { record, complaints: fields.complaints };
  });
}

function provenance(answer: Answer, sourceId: string, { instrumentId }: OfInstrument) {
  return answeredProvenance(answer, { source: COMPRASGOV_CONTRATOS, sourceId, url: instrumentUrl(instrumentId) }, SITE);
}
