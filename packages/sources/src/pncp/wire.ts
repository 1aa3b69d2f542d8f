import type { Amendment, AmendmentKind, Contract, ContractItem, PriceRegistration } from "@cidadao/domain/contract";
import { z } from "zod";
import type { Answer } from "../define-source.ts";
import { dayOf, expectedText, NOT_INFORMED, period } from "../published-fields.ts";
import { type AnswerReader, answeredProvenance, readerOf } from "../read-rows.ts";
import { fieldReader, idText, type Scalar, scalar } from "../reading.ts";
import { rawText } from "../terms.ts";
import { PNCP, pncpContractPage, pncpTenderPage } from "./buyer.ts";
import { contractIdOf, contractOf, contractWire, isRevenue } from "./contract.ts";
import { tenderIdOf, tenderOf, tenderWire } from "./tender.ts";

const SITE = "https://pncp.gov.br";

export function readContracts(): AnswerReader<Contract> {
  return readerOf(contractWire, (wire, answer) => {
    const id = contractIdOf(wire);
    if (id === null) return "no control number of a contract (numeroControlePNCP)";
    if (isRevenue(wire)) return { sourceId: id, excluded: "receita: o Estado recebe, não é compra" };
    const fields = fieldReader(id);
    const contract = contractOf(fields, wire);
    return {
      record: { provenance: placed(answer, id, pncpContractPage(id)!), ...contract },
      complaints: fields.complaints,
    };
  });
}

/** Purchase processes; auctions sell what the State owns. */
export function readTenders(): AnswerReader<Contract> {
  return readerOf(tenderWire, (wire, answer) => {
    const id = tenderIdOf(wire);
    if (id === null) return "no control number of a purchase (numeroControlePNCP)";
    if (AUCTIONS.has(idText(wire.modalidadeId) ?? "")) return { sourceId: id, excluded: "leilão: o Estado vende" };
    const fields = fieldReader(id);
    const tender = tenderOf(fields, wire);
    return {
      record: { provenance: placed(answer, id, pncpTenderPage(id)!), ...tender },
      complaints: fields.complaints,
    };
  });
}

const AUCTIONS = new Set(["1", "13"]);

export const priceRegistrationWire = z.object({
  numeroControlePNCPAta: scalar,
  numeroAtaRegistroPreco: scalar,
  numeroControlePNCPCompra: scalar,
  cancelado: z.unknown().optional(),
  dataAssinatura: scalar,
  vigenciaInicio: scalar,
  vigenciaFim: scalar,
  objetoContratacao: scalar,
  cnpjOrgao: scalar,
  nomeOrgao: scalar,
  codigoUnidadeOrgao: scalar,
  nomeUnidadeOrgao: scalar,
});

const REGISTRATION_NUMBER = /^([0-9A-Z]{12}\d{2})-1-(\d{6})\/(\d{4})-(\d{6})$/;

export function readPriceRegistrations(): AnswerReader<PriceRegistration> {
  return readerOf(priceRegistrationWire, (wire, answer) => {
    const id = idText(wire.numeroControlePNCPAta) ?? "";
    const [, cnpj, sequence, year, number] = REGISTRATION_NUMBER.exec(id) ?? [];
    if (number === undefined) return "no control number of a price registration (numeroControlePNCPAta)";
    const fields = fieldReader(id);
    const agencyCode = expectedText(fields, "cnpjOrgao", wire.cnpjOrgao, NOT_INFORMED);
    const unitCode = expectedText(fields, "codigoUnidadeOrgao", wire.codigoUnidadeOrgao, NOT_INFORMED);
    const start = { field: "vigenciaInicio", value: dayOf(wire.vigenciaInicio) };
    const url = `${SITE}/app/atas/${cnpj}/${year}/${Number(sequence)}/${Number(number)}`;
    const record: PriceRegistration = {
      provenance: placed(answer, id, url),
      number: fields.text("numeroAtaRegistroPreco", wire.numeroAtaRegistroPreco) ?? id,
      tenderId: idText(wire.numeroControlePNCPCompra),
      object: fields.text("objetoContratacao", wire.objetoContratacao),
      agencyCode,
      agencyName: fields.text("nomeOrgao", wire.nomeOrgao) ?? `Órgão ${agencyCode}`,
      unitCode: `${agencyCode}/${unitCode}`,
      unitName: fields.text("nomeUnidadeOrgao", wire.nomeUnidadeOrgao) ?? `Unidade ${unitCode}`,
      signedOn: fields.date("dataAssinatura", dayOf(wire.dataAssinatura)),
      ...period(fields, start, { field: "vigenciaFim", value: dayOf(wire.vigenciaFim) }),
      cancelled: wire.cancelado === true,
    };
    return { record, complaints: fields.complaints };
  });
}

export const itemWire = z.object({
  numeroItem: scalar,
  descricao: scalar,
  informacaoComplementar: scalar,
  quantidade: scalar,
  unidadeMedida: scalar,
  catalogo: z.object({ nome: scalar }).nullish(),
  catalogoCodigoItem: scalar,
  temResultado: z.unknown().optional(),
});

/** Items of a purchase. What was estimated for them is no price: only a result has one. */
export function readItems(tenderId: string): AnswerReader<ContractItem> {
  return readerOf(itemWire, (wire, answer) => {
    const number = idText(wire.numeroItem);
    if (number === null || !/^\d{1,6}$/.test(number)) return "no item number (numeroItem)";
    const id = `${tenderId}/${number}`;
    const fields = fieldReader(id);
    const classificationId = fields.text("catalogoCodigoItem", wire.catalogoCodigoItem ?? null);
    const record: ContractItem = {
      provenance: placed(answer, id, pncpTenderPage(tenderId) ?? SITE),
      contractId: tenderId,
      number,
      description: fields.text("descricao", wire.descricao),
      complement: fields.text("informacaoComplementar", wire.informacaoComplementar ?? null),
      quantity: fields.quantity("quantidade", wire.quantidade),
      unitOfMeasure: fields.text("unidadeMedida", wire.unidadeMedida ?? null),
      classificationScheme:
        classificationId === null ? null : fields.text("catalogo.nome", wire.catalogo?.nome ?? null),
      classificationId,
      unitPriceCents: null,
    };
    return { record, complaints: fields.complaints };
  });
}

export const resultWire = z.object({
  numeroItem: scalar,
  sequencialResultado: scalar,
  quantidadeHomologada: scalar,
  valorUnitarioHomologado: scalar,
  situacaoCompraItemResultadoId: scalar,
  dataCancelamento: scalar,
});

const CANCELLED = "2";

/** What was awarded for an item: the item once for each result, with its quantity and price. */
export function readResults(item: ContractItem): AnswerReader<ContractItem> {
  return readerOf(resultWire, (wire, answer) => {
    const sequence = idText(wire.sequencialResultado);
    if (sequence === null || !/^\d{1,6}$/.test(sequence)) return "no number of the result (sequencialResultado)";
    const id = `${item.contractId}/${item.number}/${sequence}`;
    if (rawText(wire.dataCancelamento) !== null || idText(wire.situacaoCompraItemResultadoId) === CANCELLED) {
      return { sourceId: id, excluded: "resultado cancelado" };
    }
    const fields = fieldReader(id);
    const record: ContractItem = {
      ...item,
      provenance: placed(answer, id, item.provenance.url),
      quantity: fields.quantity("quantidadeHomologada", wire.quantidadeHomologada),
      unitPriceCents: fields.money("valorUnitarioHomologado", wire.valorUnitarioHomologado),
    };
    return { record, complaints: fields.complaints };
  });
}

export const termWire = z.object({
  sequencialTermoContrato: scalar,
  numeroTermoContrato: scalar,
  tipoTermoContratoNome: scalar,
  objetoTermoContrato: scalar,
  dataAssinatura: scalar,
  dataPublicacaoPncp: scalar,
  valorAcrescido: scalar,
  valorGlobal: scalar,
});

/** Amendments and endorsements of a contract, with what they add or take away. */
export function readTerms(contractId: string): AnswerReader<Amendment> {
  return readerOf(termWire, (wire, answer) => {
    const sequence = idText(wire.sequencialTermoContrato);
    if (sequence === null || !/^\d{1,6}$/.test(sequence)) return "no number of the term (sequencialTermoContrato)";
    const id = `${contractId}/${sequence}`;
    const fields = fieldReader(id);
    const change = signed(wire.valorAcrescido);
    const amount = fields.money("valorAcrescido", change.size);
    const record: Amendment = {
      provenance: placed(answer, id, pncpContractPage(contractId) ?? SITE),
      contractId,
      number: fields.text("numeroTermoContrato", wire.numeroTermoContrato) ?? sequence,
      publishedOn: fields.date("dataPublicacaoPncp", dayOf(wire.dataPublicacaoPncp)),
      object: fields.text("objetoTermoContrato", wire.objetoTermoContrato),
      kind: kindOf(fields.text("tipoTermoContratoNome", wire.tipoTermoContratoNome)),
      signedOn: fields.date("dataAssinatura", dayOf(wire.dataAssinatura)),
      increaseCents: change.isNegative ? null : amount || null,
      decreaseCents: change.isNegative ? amount || null : null,
      valueAfterCents: fields.money("valorGlobal", wire.valorGlobal) || null,
    };
    return { record, complaints: fields.complaints };
  });
}

function signed(value: Scalar): { isNegative: boolean; size: Scalar } {
  return typeof value === "number" && value < 0
    ? { isNegative: true, size: -value }
    : { isNegative: false, size: value ?? null };
}

function kindOf(name: string | null): AmendmentKind | null {
  if (name === null) return null;
  if (/aditivo/i.test(name)) return "amendment";
  return /apostil/i.test(name) ? "endorsement" : "other";
}

function placed(answer: Answer, sourceId: string, url: string) {
  return answeredProvenance(answer, { source: PNCP, sourceId, url }, SITE);
}
