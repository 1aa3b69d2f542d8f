import type { ReferencePrice } from "@cidadao/domain/reference-price";
import { z } from "zod";
import { dayOf, expectedText, NOT_INFORMED, supplierFields } from "../published-fields.ts";
import { type AnswerReader, answeredProvenance, readerOf } from "../read-rows.ts";
import { fieldReader, idText, scalar } from "../reading.ts";
import { COMPRASGOV_CONTRATOS } from "./contract.ts";

const SITE = "https://dadosabertos.compras.gov.br";

/** Written from public programs that read the price bank; no answer of it has been recorded. */
export const priceWire = z.object({
  idItemCompra: scalar,
  idCompra: scalar,
  codigoItemCatalogo: scalar,
  descricaoItem: scalar,
  nomeUnidadeMedida: scalar,
  nomeUnidadeFornecimento: scalar,
  capacidadeUnidadeFornecimento: scalar,
  quantidade: scalar,
  precoUnitario: scalar,
  niFornecedor: scalar,
  nomeFornecedor: scalar,
  codigoUasg: scalar,
  nomeUasg: scalar,
  codigoOrgao: scalar,
  nomeOrgao: scalar,
  estado: scalar,
  dataCompra: scalar,
});

/** `idItemCompra` alone is unique: one item of a purchase may be awarded to several suppliers. */
export function readPrices(catalogue: ReferencePrice["catalogue"]): AnswerReader<ReferencePrice> {
  return readerOf(priceWire, (wire, answer) => {
    const id = idText(wire.idItemCompra);
    if (id === null) return "no id (idItemCompra)";
    const itemCode = idText(wire.codigoItemCatalogo);
    if (itemCode === null || !/^\d{1,9}$/.test(itemCode)) return "no item of the catalogue (codigoItemCatalogo)";
    const fields = fieldReader(`${catalogue}/${id}`);
    const supplier = supplierFields(fields, {
      field: "niFornecedor",
      code: wire.niFornecedor,
      name: fields.text("nomeFornecedor", wire.nomeFornecedor),
    });
    const state = fields.text("estado", wire.estado ?? null)?.toUpperCase() ?? null;
    const agencyCode = expectedText(fields, "codigoOrgao", wire.codigoOrgao ?? null, NOT_INFORMED);
    const unitCode = expectedText(fields, "codigoUasg", wire.codigoUasg ?? null, NOT_INFORMED);
    const record: ReferencePrice = {
      provenance: answeredProvenance(
        answer,
        { source: COMPRASGOV_CONTRATOS, sourceId: fields.sourceId, url: SITE },
        SITE,
      ),
      catalogue,
      itemCode,
      description: fields.text("descricaoItem", wire.descricaoItem),
      unitOfMeasure: unitOf(fields.text("nomeUnidadeFornecimento", wire.nomeUnidadeFornecimento ?? null), wire),
      quantity: fields.quantity("quantidade", wire.quantidade),
      unitPriceCents: fields.money("precoUnitario", wire.precoUnitario),
      purchasedOn: fields.date("dataCompra", dayOf(wire.dataCompra)),
      supplierKind: supplier.supplierKind,
      supplierTaxId: supplier.supplierTaxId,
      supplierName: supplier.supplierName,
      agencyCode,
      agencyName: fields.text("nomeOrgao", wire.nomeOrgao ?? null) ?? `Órgão ${agencyCode}`,
      unitCode,
      unitName: fields.text("nomeUasg", wire.nomeUasg ?? null) ?? `UASG ${unitCode}`,
      buyerState: state !== null && /^[A-Z]{2}$/.test(state) ? state : null,
    };
    return { record, complaints: fields.complaints };
  });
}

/** "CAIXA 100 UNIDADE"; without a form of supply, the measure alone. */
function unitOf(supply: string | null, wire: z.infer<typeof priceWire>): string | null {
  const capacity = Number(wire.capacidadeUnidadeFornecimento ?? 0);
  const parts = [supply, capacity > 0 ? String(capacity) : null, idText(wire.nomeUnidadeMedida ?? null)];
  return parts.filter((part) => part !== null).join(" ") || null;
}
