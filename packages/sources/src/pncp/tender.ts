import type { Contract, DirectAwardKind, ProcurementMethod } from "@cidadao/domain/contract";
import { z } from "zod";
import { dayOf, NOT_INFORMED } from "../published-fields.ts";
import { type FieldReader, idText, type Scalar, scalar } from "../reading.ts";
import { buyerFields, buyerWire, controlNumber, pncpTenderPage } from "./buyer.ts";

export const tenderWire = z.object({
  ...buyerWire,
  numeroControlePNCP: scalar,
  anoCompra: scalar,
  sequencialCompra: scalar,
  objetoCompra: scalar,
  modalidadeId: scalar,
  modalidadeNome: scalar,
  amparoLegal: z.object({ nome: scalar }).nullish(),
  valorTotalEstimado: scalar,
  valorTotalHomologado: scalar,
  dataPublicacaoPncp: scalar,
});
export type TenderWire = z.infer<typeof tenderWire>;

/** Auctions sell (1, 13); expressions of interest, pre-qualification and accreditation (10 to 12) buy nothing yet. */
const METHODS = new Map<string, [ProcurementMethod, DirectAwardKind | null]>([
  ["1", ["open", null]],
  ["2", ["selective", null]],
  ["3", ["open", null]],
  ["4", ["open", null]],
  ["5", ["open", null]],
  ["6", ["open", null]],
  ["7", ["open", null]],
  ["8", ["direct", "waived"]],
  ["9", ["direct", "no_competition"]],
  ["10", ["unknown", null]],
  ["11", ["unknown", null]],
  ["12", ["unknown", null]],
  ["13", ["open", null]],
]);

export function tenderIdOf(wire: TenderWire): string | null {
  const parts = { cnpj: wire.orgaoEntidade?.cnpj, year: wire.anoCompra, sequence: wire.sequencialCompra };
  const id = controlNumber(wire.numeroControlePNCP, { ...parts, kind: 1 });
  return pncpTenderPage(id) === null ? null : id;
}

export function tenderOf(fields: FieldReader, wire: TenderWire): Omit<Contract, "provenance"> {
  return {
    number: fields.sourceId,
    object: fields.text("objetoCompra", wire.objetoCompra),
    ...methodOf(fields, wire),
    legalBasis: fields.text("amparoLegal.nome", wire.amparoLegal?.nome ?? null),
    ...buyerFields(fields, wire),
    supplierId: `unknown/${fields.sourceId}`,
    supplierKind: "unknown",
    supplierTaxId: null,
    supplierName: NOT_INFORMED,
    signedOn: null,
    publishedOn: fields.date("dataPublicacaoPncp", dayOf(wire.dataPublicacaoPncp)),
    startsOn: null,
    endsOn: null,
    initialValueCents: openAmount(fields, "valorTotalHomologado", wire.valorTotalHomologado),
    currentValueCents: null,
    estimatedValueCents: openAmount(fields, "valorTotalEstimado", wire.valorTotalEstimado),
  };
}

/** Zero while the procurement is open or its estimate is secret. */
function openAmount(fields: FieldReader, field: string, value: Scalar): number | null {
  return fields.money(field, value ?? null) || null;
}

type Method = Pick<Contract, "procurementMethod" | "procurementMethodDetails" | "directAwardKind">;

function methodOf(fields: FieldReader, wire: TenderWire): Method {
  const code = idText(wire.modalidadeId);
  const known = METHODS.get(code ?? "");
  if (known === undefined) fields.complain("modalidadeId", `unknown method: ${code ?? "none"}`, "unknown-method");
  const [procurementMethod, directAwardKind] = known ?? ["unknown" as const, null];
  const details = fields.text("modalidadeNome", wire.modalidadeNome ?? null);
  return { procurementMethod, procurementMethodDetails: details, directAwardKind };
}
