import type { Contract } from "@cidadao/domain/contract";
import { z } from "zod";
import { fingerprint } from "../files/seen.ts";
import { dayOf, supplierFields } from "../published-fields.ts";
import { type AnswerReader, answeredProvenance, readerOf } from "../read-rows.ts";
import { fieldReader, idText, scalar } from "../reading.ts";
import { methodOf } from "../terms.ts";

export const TCE_RJ = "tce-rj";
const SITE = "https://dados.tcerj.tc.br";

export const contractWire = z.object({
  Ente: scalar,
  UnidadeGestora: scalar,
  NumeroContrato: scalar,
  AnoContrato: scalar,
  Objeto: scalar,
  Modalidade: scalar,
  CNPJCPFContratado: scalar,
  Contratado: scalar,
  ValorContrato: scalar,
  DataAssinaturaContrato: scalar,
  DataVencimentoContrato: scalar,
});

/** A contract of a municipality. The court gives it no id: who bought, its number and year, and who sold stand for it. */
export function readContracts(): AnswerReader<Contract> {
  return readerOf(contractWire, (wire, answer) => {
    const number = idText(wire.NumeroContrato);
    if (number === null) return "no number (NumeroContrato)";
    const place = idText(wire.Ente);
    if (place === null) return "no municipality (Ente)";
    const unit = idText(wire.UnidadeGestora) ?? place;
    const named = fieldReader(`${place}/${number}`);
    const name = named.text("Contratado", wire.Contratado);
    const supplier = supplierFields(named, { field: "CNPJCPFContratado", code: wire.CNPJCPFContratado, name });
    const sourceId = fingerprint([place, unit, number, idText(wire.AnoContrato) ?? "", supplier.supplierId]);
    const fields = { ...named, sourceId };
    const agencyName = fields.text("Ente", wire.Ente) ?? place;
    const record: Contract = {
      provenance: answeredProvenance(answer, { source: TCE_RJ, sourceId, url: SITE }, SITE),
      number,
      object: fields.text("Objeto", wire.Objeto),
      ...methodOf(fields, wire.Modalidade),
      legalBasis: null,
      agencyCode: agencyName,
      agencyName,
      parentAgencyCode: null,
      parentAgencyName: null,
      unitCode: fields.text("UnidadeGestora", unit) ?? agencyName,
      unitName: fields.text("UnidadeGestora", unit) ?? agencyName,
      ...supplier,
      buyerSphere: "municipal",
      buyerState: "RJ",
      signedOn: fields.date("DataAssinaturaContrato", dayOf(wire.DataAssinaturaContrato)),
      publishedOn: null,
      startsOn: null,
      endsOn: fields.date("DataVencimentoContrato", dayOf(wire.DataVencimentoContrato)),
      initialValueCents: fields.money("ValorContrato", wire.ValorContrato),
      currentValueCents: null,
    };
    return { record, complaints: fields.complaints };
  });
}
