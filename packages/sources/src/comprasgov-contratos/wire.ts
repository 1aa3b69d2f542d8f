import type { Amendment, AmendmentKind, Contract } from "@cidadao/domain/contract";
import { z } from "zod";
import { contractValue, expectedText, NOT_INFORMED, period, supplierFields } from "../published-fields.ts";
import { answeredProvenance, readerOf } from "../read-rows.ts";
import { fieldReader, idText, scalar } from "../reading.ts";
import { methodOf, rawText } from "../terms.ts";
import { COMPRASGOV_CONTRATOS, contractIdOf, contractOf, contractUrl, contractWire, isRevenue } from "./contract.ts";

export const SITE = "https://contratos.comprasnet.gov.br";

/** The page for people of a contract, by the site's own number of it. */
export function instrumentUrl(instrumentId: string): string {
  return `${SITE}/transparencia/contratos/${encodeURIComponent(instrumentId)}`;
}

export const readContracts = () =>
  readerOf(contractWire, (wire, answer) => {
    const sourceId = contractIdOf(wire);
    if (sourceId === null) return "no contract number, or no managing unit";
    if (isRevenue(wire)) return { sourceId, excluded: "revenue contract: the State receives" };
    const fields = fieldReader(sourceId);
    const contract = contractOf(fields, wire);
    const url = contractUrl(wire, contract);
    const record: Contract = {
      provenance: answeredProvenance(answer, { source: COMPRASGOV_CONTRATOS, sourceId, url }, SITE),
      ...contract,
    };
    return { record, complaints: fields.complaints };
  });

const unitWire = z.object({ codigo: scalar, nome: scalar }).nullish();

/** A contract as contratos.comprasnet sends it in the list of a unit. */
export const unitContractWire = z.object({
  id: scalar,
  numero: scalar,
  receita_despesa: scalar,
  contratante: z
    .object({ orgao: z.object({ codigo: scalar, nome: scalar, unidade_gestora: unitWire }).nullish() })
    .nullish(),
  fornecedor: z.object({ tipo: scalar, cnpj_cpf_idgener: scalar, nome: scalar }).nullish(),
  modalidade: scalar,
  amparo_legal: scalar,
  categoria: scalar,
  objeto: scalar,
  data_assinatura: scalar,
  data_publicacao: scalar,
  vigencia_inicio: scalar,
  vigencia_fim: scalar,
  valor_inicial: scalar,
  valor_global: scalar,
});

/** Our id of it, that of the list of contracts: its own number there is the site's. */
export function unitContractIdOf(wire: z.infer<typeof unitContractWire> | undefined): string | null {
  const [number, unitCode] = [idText(wire?.numero), idText(wire?.contratante?.orgao?.unidade_gestora?.codigo)];
  return number === null || unitCode === null ? null : `${unitCode}-${number}`;
}

export const readUnitContracts = () =>
  readerOf(unitContractWire, (wire, answer) => {
    const agency = wire.contratante?.orgao;
    const unit = agency?.unidade_gestora;
    const [id, number, unitCode] = [idText(wire.id), idText(wire.numero), idText(unit?.codigo)];
    const sourceId = unitContractIdOf(wire);
    if (id === null || number === null || unitCode === null || sourceId === null)
      return "no id, no contract number, or no managing unit";
    if (isRevenue({ receitaDespesa: wire.receita_despesa })) {
      return { sourceId, excluded: "revenue contract: the State receives" };
    }
    const fields = fieldReader(sourceId);
    const agencyCode = expectedText(fields, "contratante.orgao.codigo", agency?.codigo, NOT_INFORMED);
    const url = instrumentUrl(id);
    const record: Contract = {
      provenance: answeredProvenance(answer, { source: COMPRASGOV_CONTRATOS, sourceId, url }, SITE),
      number,
      object: fields.text("objeto", wire.objeto),
      ...methodOf(fields, /^n[aã]o se aplica$/i.test(String(wire.modalidade ?? "")) ? null : wire.modalidade),
      legalBasis: fields.text("amparo_legal", wire.amparo_legal ?? null),
      agencyCode,
      agencyName: fields.text("contratante.orgao.nome", agency?.nome) ?? `Órgão ${agencyCode}`,
      parentAgencyCode: null,
      parentAgencyName: null,
      unitCode,
      unitName: fields.text("unidade_gestora.nome", unit?.nome) ?? `UG ${unitCode}`,
      ...supplierFields(fields, {
        field: "fornecedor.cnpj_cpf_idgener",
        code: wire.fornecedor?.cnpj_cpf_idgener,
        name: fields.text("fornecedor.nome", wire.fornecedor?.nome),
        isPerson: /^f[ií]sica/i.test(rawText(wire.fornecedor?.tipo) ?? ""),
      }),
      buyerSphere: "federal",
      category: fields.text("categoria", wire.categoria ?? null),
      signedOn: fields.date("data_assinatura", wire.data_assinatura ?? null),
      publishedOn: fields.date("data_publicacao", wire.data_publicacao ?? null),
      ...period(
        fields,
        { field: "vigencia_inicio", value: wire.vigencia_inicio },
        { field: "vigencia_fim", value: wire.vigencia_fim },
      ),
      initialValueCents: contractValue(fields, "valor_inicial", wire.valor_inicial),
      currentValueCents: fields.money("valor_global", wire.valor_global),
    };
    return { record, complaints: fields.complaints };
  });

/** A line of a contract's history: the contract itself, an amendment, an endorsement, or its end. */
export const historyWire = z.object({
  id: scalar,
  numero: scalar,
  tipo: scalar,
  observacao: scalar,
  data_assinatura: scalar,
  data_publicacao: scalar,
  valor_global: scalar,
});

/** Amendments of the contract with this id in our store. */
export const readHistory = (input: { contractId: string; instrumentId: string }) =>
  readerOf(historyWire, (wire, answer) => {
    const [id, number] = [idText(wire.id), idText(wire.numero)];
    if (id === null || number === null) return "no id, or no number of the term";
    const sourceId = `${input.contractId}/${id}`;
    const kind = kindOf(rawText(wire.tipo) ?? "");
    if (kind === null) return { sourceId, excluded: "the contract itself, not a term of it" };
    const fields = fieldReader(sourceId);
    const url = instrumentUrl(input.instrumentId);
    const record: Amendment = {
      provenance: answeredProvenance(answer, { source: COMPRASGOV_CONTRATOS, sourceId, url }, SITE),
      contractId: input.contractId,
      number,
      publishedOn: fields.date("data_publicacao", wire.data_publicacao ?? null),
      object: fields.text("observacao", wire.observacao),
      kind,
      signedOn: fields.date("data_assinatura", wire.data_assinatura ?? null),
      valueAfterCents: valueAfter(fields.money("valor_global", wire.valor_global)),
    };
    return { record, complaints: fields.complaints };
  });

function kindOf(type: string): AmendmentKind | null {
  if (/aditivo/i.test(type)) return "amendment";
  if (/apostilamento/i.test(type)) return "endorsement";
  return /rescis/i.test(type) ? "other" : null;
}

/** "0,00" on a closing term is no value. */
function valueAfter(cents: number | null): number | null {
  return cents === 0 ? null : cents;
}
