import { formatDate, type IsoDate } from "@cidadao/domain/dates";
import type { Agency, Amendment, Contract, ContractItem } from "@cidadao/domain/contract";
import type { Sanction, SanctionList } from "@cidadao/domain/sanction";
import { parseCnpj } from "@cidadao/domain/tax-id";
import { AppError } from "@cidadao/runtime/errors";
import { defineSource, type SourcePage, type SourceRecord } from "../define-source.ts";
import { ask, askAllPages, type Answer, type PortalContext, PAGE_ROWS, SOURCE_ID } from "./client.ts";
import {
  type AnswerReader,
  readAgencies,
  readAmendments,
  readContractItems,
  readContracts,
  readSanctions,
  sampleOf,
} from "./wire.ts";

/** Agencies of the federal executive with their SIAFI codes: all of them, or the one with `agencyCode`. */
export function agencies(
  context: PortalContext,
  input: { agencyCode?: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Agency>, void, void> {
  return pages(context, { path: "/orgaos-siafi", params: { codigo: input.agencyCode } }, readAgencies(), signal);
}

/** Contracts of one agency in force at some time between `from` and `to`: the portal's dates filter the term. */
export function contractsByAgency(
  context: PortalContext,
  input: { agencyCode: string; from: IsoDate; to: IsoDate },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Contract>, void, void> {
  const params = {
    codigoOrgao: input.agencyCode,
    dataInicial: formatDate(input.from),
    dataFinal: formatDate(input.to),
  };
  return pages(context, { path: "/contratos", params }, readContracts(), signal);
}

/** Contracts of one establishment: the portal compares all 14 characters, a branch is another supplier. */
export function contractsBySupplier(
  context: PortalContext,
  input: { cnpj: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Contract>, void, void> {
  const params = { cpfCnpj: cnpjOf(input.cnpj) };
  return pages(context, { path: "/contratos/cpf-cnpj", params }, readContracts(), signal);
}

export function items(
  context: PortalContext,
  input: { contractId: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<ContractItem>, void, void> {
  const id = contractIdOf(input.contractId);
  return pages(context, { path: "/contratos/itens-contratados", params: { id } }, readContractItems(id), signal);
}

/** The portal sends all amendments of a contract at once: this path has no page parameter. */
export async function* amendments(
  context: PortalContext,
  input: { contractId: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Amendment>, void, void> {
  const id = contractIdOf(input.contractId);
  const answer = await ask(context, { path: "/contratos/termo-aditivo", params: { id } }, signal);
  if (answer.rows.length > 0) yield pageOf(answer, readAmendments(id));
}

/**
 * Fewest entries of a whole list (CEIS held some 23,700 and CNEP 1,800 in 2026, with natural persons): a shorter one
 * has shrunk in silence and may not be read as "nobody else is sanctioned".
 */
export const sanctionListRecordsMin: Record<SanctionList, number> = { ceis: 5_000, cnep: 500 };

/** A whole sanction list, or the entries of one establishment. */
export function sanctions(
  context: PortalContext,
  input: { list: SanctionList; cnpj?: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Sanction>, void, void> {
  const params = input.cnpj === undefined ? {} : { codigoSancionado: cnpjOf(input.cnpj) };
  return pages(context, { path: `/${input.list}`, params }, readSanctions(input.list), signal);
}

export const portalTransparencia = defineSource<PortalContext>({
  id: SOURCE_ID,
  name: "Portal da Transparência",
  publisher: "Controladoria-Geral da União (CGU)",
  homepage: "https://portaldatransparencia.gov.br",
  attribution: "Portal da Transparência / CGU",
  licence: "Dados abertos do Poder Executivo federal (Decreto 8.777/2016), uso livre com citação da fonte",
  coverage: { spheres: ["federal"], states: "all" },
  needsKey: true,
  probeRecordsMin: PAGE_ROWS,
  async probe(context, signal) {
    const uncached = { ...context, cacheTtlSeconds: 0 };
    const answer = await ask(uncached, { path: "/orgaos-siafi", params: { pagina: 1 } }, signal);
    return { records: pageOf(answer, readAgencies()).records.length, sample: sampleOf(answer.headers) };
  },
});

async function* pages<Item extends SourceRecord>(
  context: PortalContext,
  question: Parameters<typeof askAllPages>[1],
  read: AnswerReader<Item>,
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Item>, void, void> {
  for await (const answer of askAllPages(context, question, signal)) yield pageOf(answer, read);
}

function pageOf<Item extends SourceRecord>(answer: Answer, read: AnswerReader<Item>): SourcePage<Item> {
  return { ...read(answer), fromCache: answer.fromCache, sample: sampleOf(answer.headers) };
}

function cnpjOf(text: string): string {
  const cnpj = parseCnpj(text);
  if (cnpj === null) throw new AppError("invalid_request", "not a CNPJ: its check digits do not match");
  return cnpj;
}

function contractIdOf(text: string): string {
  if (!/^\d{1,12}$/.test(text)) throw new AppError("invalid_request", "a contract id of the portal is a number");
  return text;
}
