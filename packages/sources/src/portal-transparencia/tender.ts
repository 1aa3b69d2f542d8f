import type { Contract } from "@cidadao/domain/contract";
import { z } from "zod";
import { expectedText, NOT_INFORMED } from "../published-fields.ts";
import { type AnswerReader, readerOf } from "../read-rows.ts";
import { fieldReader, idText, scalar } from "../reading.ts";
import { methodOf } from "../terms.ts";
import { provenance, SITE, unitWire } from "./wire.ts";

/** Contracts of the portal have ids of their own. */
export const TENDER_PREFIX = "licitacao/";

/** The publisher does not say whether `valor` is the estimate or the award: it is not read. */
export const tenderWire = z.object({
  id: scalar,
  licitacao: z.object({ numero: scalar, objeto: scalar }).nullish(),
  dataPublicacao: scalar,
  modalidadeLicitacao: scalar,
  instrumentoLegal: scalar,
  unidadeGestora: unitWire.nullish(),
});

/** A procurement procedure: a contract without supplier, dates of a term and values. */
export function readTenders(): AnswerReader<Contract> {
  return readerOf(tenderWire, (wire, answer) => {
    const id = idText(wire.id);
    const sourceId = `${TENDER_PREFIX}${id ?? ""}`;
    if (tenderNumber(sourceId) === null) return "no id";
    const fields = fieldReader(sourceId);
    const unit = wire.unidadeGestora;
    const agencyCode = idText(unit?.orgaoVinculado?.codigoSIAFI);
    if (agencyCode === null || !/^\d{5}$/.test(agencyCode))
      return "no agency (unidadeGestora.orgaoVinculado.codigoSIAFI)";
    const unitCode = idText(unit?.codigo);
    if (unitCode === null) return "no managing unit (unidadeGestora.codigo)";
    const agencyName = fields.text("unidadeGestora.orgaoVinculado.nome", unit?.orgaoVinculado?.nome);
    const unitName = fields.text("unidadeGestora.nome", unit?.nome);
    const record: Contract = {
      provenance: provenance(answer, fields.sourceId, tenderUrl(fields.sourceId)),
      number: expectedText(fields, "licitacao.numero", wire.licitacao?.numero, fields.sourceId),
      object: fields.text("licitacao.objeto", wire.licitacao?.objeto),
      ...methodOf(fields, wire.modalidadeLicitacao),
      legalBasis: fields.text("instrumentoLegal", wire.instrumentoLegal),
      agencyCode,
      agencyName: agencyName ?? `Órgão ${agencyCode}`,
      parentAgencyCode: fields.text("unidadeGestora.orgaoMaximo.codigo", unit?.orgaoMaximo?.codigo ?? null),
      parentAgencyName: fields.text("unidadeGestora.orgaoMaximo.nome", unit?.orgaoMaximo?.nome ?? null),
      unitCode,
      unitName: unitName ?? `UG ${unitCode}`,
      supplierId: `unknown/${fields.sourceId}`,
      supplierKind: "unknown",
      supplierTaxId: null,
      supplierName: NOT_INFORMED,
      signedOn: null,
      publishedOn: fields.date("dataPublicacao", wire.dataPublicacao),
      startsOn: null,
      endsOn: null,
      initialValueCents: null,
      currentValueCents: null,
    };
    return { record, complaints: fields.complaints };
  });
}

/** The portal's own number of a procedure; `null` where the id is none of the portal's. */
export function tenderNumber(tenderId: string): string | null {
  const number = tenderId.startsWith(TENDER_PREFIX) ? tenderId.slice(TENDER_PREFIX.length) : "";
  return /^\d{1,12}$/.test(number) ? number : null;
}

export function tenderUrl(tenderId: string): string {
  return `${SITE}/licitacoes/${tenderId.slice(TENDER_PREFIX.length)}`;
}
