import type { Contract, DirectAwardKind } from "@cidadao/domain/contract";
import { z } from "zod";
import { fingerprint } from "../files/seen.ts";
import { buyerFields, dayOf, decimalDot, supplierFields } from "../published-fields.ts";
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
    const fields = fieldReader(`${place}/${number}`);
    const name = fields.text("Contratado", wire.Contratado);
    const supplier = supplierFields(fields, { field: "CNPJCPFContratado", code: wire.CNPJCPFContratado, name });
    const sourceId = fingerprint([place, unit, number, idText(wire.AnoContrato) ?? "", supplier.supplierId]);
    const record: Contract = {
      provenance: answeredProvenance(answer, { source: TCE_RJ, sourceId, url: SITE }, SITE),
      number,
      object: fields.text("Objeto", wire.Objeto),
      ...methodOf(fields, wire.Modalidade),
      legalBasis: null,
      ...buyerFields({ code: place, name: place }, { code: unit, name: unit }),
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

export const directPurchaseWire = z.object({
  Municipio: scalar,
  Unidade: scalar,
  Processo: scalar,
  AnoProcesso: scalar,
  Objeto: scalar,
  EnquadramentoLegal: scalar,
  Fundamentacao: scalar,
  CPFCNPJFornecedor: scalar,
  Fornecedor: scalar,
  ValorTotalCompra: scalar,
});

/**
 * A purchase without a procedure, a row for each supplier. Its only day is that of the process, which is neither that of a
 * signature nor of a publication: it is not read. Without an id, everything that tells two rows apart stands for one.
 */
export function readDirectPurchases(): AnswerReader<Contract> {
  return readerOf(directPurchaseWire, (wire, answer) => {
    const process = idText(wire.Processo);
    if (process === null) return "no process (Processo)";
    const place = idText(wire.Municipio);
    if (place === null) return "no municipality (Municipio)";
    const unit = idText(wire.Unidade) ?? place;
    const year = idText(wire.AnoProcesso);
    const fields = fieldReader(`${place}/${process}`);
    const name = fields.text("Fornecedor", wire.Fornecedor);
    const supplier = supplierFields(fields, { field: "CPFCNPJFornecedor", code: wire.CPFCNPJFornecedor, name });
    const object = fields.text("Objeto", wire.Objeto);
    const cents = fields.money("ValorTotalCompra", decimalDot(wire.ValorTotalCompra));
    const row = [place, unit, process, year ?? "", supplier.supplierId, object ?? "", String(cents)];
    const sourceId = `compra-direta/${fingerprint(row)}`;
    const [frame, basis] = [
      fields.text("EnquadramentoLegal", wire.EnquadramentoLegal),
      fields.text("Fundamentacao", wire.Fundamentacao),
    ];
    const record: Contract = {
      provenance: answeredProvenance(answer, { source: TCE_RJ, sourceId, url: SITE }, SITE),
      number: year === null ? process : `${process} (${year})`,
      object,
      procurementMethod: "direct",
      procurementMethodDetails: frame,
      directAwardKind: directAwardKindIn(`${frame ?? ""} ${basis ?? ""}`),
      legalBasis: basis,
      ...buyerFields({ code: place, name: place }, { code: unit, name: unit }),
      ...supplier,
      buyerSphere: "municipal",
      buyerState: "RJ",
      signedOn: null,
      publishedOn: null,
      startsOn: null,
      endsOn: null,
      initialValueCents: cents,
      currentValueCents: null,
    };
    return { record, complaints: fields.complaints };
  });
}

/** Only what is said in words: articles of several laws have the same numbers. */
function directAwardKindIn(text: string): DirectAwardKind | null {
  const [waived, noCompetition] = [/dispensa|dispens[aá]vel/i.test(text), /inexig/i.test(text)];
  if (waived === noCompetition) return null;
  return waived ? "waived" : "no_competition";
}
