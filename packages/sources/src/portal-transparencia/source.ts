import { addDays, formatDate, type IsoDate } from "@cidadao/domain/dates";
import type { Agency, Amendment, Contract, ContractItem } from "@cidadao/domain/contract";
import type { IntegrityRegister, RegisterEntry } from "@cidadao/domain/register-entry";
import type { Sanction, SanctionList } from "@cidadao/domain/sanction";
import { parseCnpj } from "@cidadao/domain/tax-id";
import { AppError } from "@cidadao/runtime/errors";
import type { z } from "zod";
import { askRecord } from "../ask-record.ts";
import {
  defineSource,
  type IngestScope,
  type Position,
  type Resource,
  type SourcePage,
  type SourceRecord,
} from "../define-source.ts";
import { type Outbound, uncached } from "../outbound.ts";
import { pageOf, readPages } from "../read-rows.ts";
import {
  askAllPages,
  askRows,
  contractIdOf,
  createPortalContext,
  isContractId,
  type PortalContext,
  PAGE_ROWS,
  SOURCE_ID,
} from "./client.ts";
import { commitments, commitmentWire, readCommitments } from "./commitment.ts";
import { companyWire, readCompany } from "./company.ts";
import { portalConfig, portalRate } from "./config.ts";
import { EXPENSE_OVERLAP_DAYS, EXPENSES, expenseSlices, expenseWire, readExpenses } from "./expense.ts";
import { cepimWire, leniencyWire, readCepim, readLeniency } from "./register.ts";
import { readTenders, TENDER_PREFIX, tenderNumber, tenderWire } from "./tender.ts";
import {
  readTenderers,
  readTenderItems,
  tenderById,
  tendererWire,
  tenderers,
  tenderItems,
  tenderItemWire,
} from "./tender-details.ts";
import {
  agencyWire,
  amendmentWire,
  contractWire,
  endorsementWire,
  itemWire,
  readAgencies,
  readAmendments,
  readContractItems,
  readContracts,
  readEndorsements,
  readSanctions,
  sanctionWire,
} from "./wire.ts";

/** Agencies of the federal executive with their SIAFI codes: all of them, or the one with `agencyCode`. */
export function agencies(
  context: PortalContext,
  input: { agencyCode?: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Agency>, void, void> {
  const question = { path: "/orgaos-siafi", params: { codigo: input.agencyCode } };
  return readPages(askAllPages(context, question, null, signal), readAgencies());
}

/** Contracts of one agency in force at some time between `from` and `to`: the portal's dates filter the term. */
export function contractsByAgency(
  context: PortalContext,
  input: { agencyCode: string; from: IsoDate; to: IsoDate },
  signal: AbortSignal,
  from: Position | null = null,
): AsyncGenerator<SourcePage<Contract>, void, void> {
  const params = {
    codigoOrgao: input.agencyCode,
    dataInicial: formatDate(input.from),
    dataFinal: formatDate(input.to),
  };
  return readPages(askAllPages(context, { path: "/contratos", params }, from, signal), readContracts());
}

/** Contracts of one establishment: the portal compares all 14 characters, a branch is another supplier. */
export function contractsBySupplier(
  context: PortalContext,
  input: { cnpj: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Contract>, void, void> {
  const params = { cpfCnpj: cnpjOf(input.cnpj) };
  return readPages(askAllPages(context, { path: "/contratos/cpf-cnpj", params }, null, signal), readContracts());
}

/** Contracts of any agency with this number, written as the portal does: five digits and the year, "000342023". */
export function contractsByNumber(
  context: PortalContext,
  input: { number: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Contract>, void, void> {
  const question = { path: "/contratos/numero", params: { numero: input.number } };
  return readPages(askAllPages(context, question, null, signal), readContracts());
}

/** The contract with the portal's own id; an empty page when there is none. */
export async function contractById(
  context: PortalContext,
  input: { contractId: string },
  signal: AbortSignal,
): Promise<SourcePage<Contract>> {
  const question = { path: "/contratos/id", params: { id: contractIdOf(input.contractId) } };
  return pageOf(await askRecord(context.door, question, signal), readContracts());
}

/** Procedures of one agency that were opened between the days; the portal takes at most a month at once. */
export function tenders(
  context: PortalContext,
  input: { agencyCode: string; from: IsoDate; to: IsoDate },
  signal: AbortSignal,
  from: Position | null = null,
): AsyncGenerator<SourcePage<Contract>, void, void> {
  const params = {
    codigoOrgao: input.agencyCode,
    dataInicial: formatDate(input.from),
    dataFinal: formatDate(input.to),
  };
  return readPages(askAllPages(context, { path: "/licitacoes", params }, from, signal), readTenders());
}

export function items(
  context: PortalContext,
  input: { contractId: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<ContractItem>, void, void> {
  const id = contractIdOf(input.contractId);
  const question = { path: "/contratos/itens-contratados", params: { id } };
  return readPages(askAllPages(context, question, null, signal), readContractItems(id));
}

/** The portal sends all amendments of a contract at once: this path has no page parameter. */
export async function* amendments(
  context: PortalContext,
  input: { contractId: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Amendment>, void, void> {
  const id = contractIdOf(input.contractId);
  const answer = await askRows(context, { path: "/contratos/termo-aditivo", params: { id } }, signal);
  if (answer.rows.length > 0) yield pageOf(answer, readAmendments(id));
}

/** Endorsements of a contract (apostilamentos), all at once like its amendments. */
export async function* endorsements(
  context: PortalContext,
  input: { contractId: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Amendment>, void, void> {
  const id = contractIdOf(input.contractId);
  const answer = await askRows(context, { path: "/contratos/apostilamento", params: { id } }, signal);
  if (answer.rows.length > 0) yield pageOf(answer, readEndorsements(id));
}

/**
 * Fewest entries of a whole list (CEIS held some 23,700 and CNEP 1,800 in 2026, with natural persons): a shorter one
 * has shrunk in silence and may not be read as "nobody else is sanctioned".
 */
export const sanctionListRecordsMin: Record<SanctionList, number> = { ceis: 5_000, cnep: 500 };
/** Of a recorded sample, which is labelled as one: CEIS is a whole day's list, CNEP one recorded entry. */
export const sampleListRecordsMin: Record<SanctionList, number> = { ceis: 5_000, cnep: 1 };

/** The same of the other registers: CEPIM held some 4,000 entries, and a few dozen agreements named 143 companies in 2026. */
export const registerRecordsMin: Record<IntegrityRegister, number> = { cepim: 1_000, leniency: 10 };

/** A whole sanction list, or the entries of one establishment. */
export function sanctions(
  context: PortalContext,
  input: { list: SanctionList; cnpj?: string },
  signal: AbortSignal,
  from: Position | null = null,
): AsyncGenerator<SourcePage<Sanction>, void, void> {
  const params = input.cnpj === undefined ? {} : { codigoSancionado: cnpjOf(input.cnpj) };
  return readPages(askAllPages(context, { path: `/${input.list}`, params }, from, signal), readSanctions(input.list));
}

/** Registers that bar nobody from contracting, whole or of one company: CEPIM and the leniency agreements. */
export function registerEntries(
  context: PortalContext,
  input: { register: IntegrityRegister; cnpj?: string },
  signal: AbortSignal,
  from: Position | null = null,
): AsyncGenerator<SourcePage<RegisterEntry>, void, void> {
  const { path, read } = REGISTERS[input.register];
  const params = input.cnpj === undefined ? {} : { cnpjSancionado: cnpjOf(input.cnpj) };
  return readPages(askAllPages(context, { path, params, emptyToo: true }, from, signal), read());
}

/** How people call each register. */
export const registerNames: Record<IntegrityRegister, string> = { cepim: "CEPIM", leniency: "acordos de leniência" };

const REGISTERS = {
  cepim: { path: "/cepim", wire: cepimWire, read: readCepim },
  leniency: { path: "/acordos-leniencia", wire: leniencyWire, read: readLeniency },
};

function registerResource(register: IntegrityRegister): Resource<PortalContext> {
  const { path, wire, read } = REGISTERS[register];
  return {
    title: `Registro inteiro (${registerNames[register]}), ou de um CNPJ; não impede de contratar`,
    path,
    kind: "register_entries",
    cadence: "diária",
    wire,
    read: read(),
    recordsMin: registerRecordsMin[register],
    slices: () => [
      {
        name: register,
        what: registerNames[register],
        lastDay: null,
        pages: (context, from, signal) => registerEntries(context, { register }, signal, from),
      },
    ],
  };
}

/** With both days, a question stays within the month that the portal takes, in February too. */
const TENDER_DAYS_MAX = 28;

function tenderSlices(scope: IngestScope) {
  const { agency: agencyCode } = scope;
  if (agencyCode === null)
    throw new AppError("invalid_request", "this source gives the procedures of one agency: name it");
  const slices = [];
  for (let day = scope.from; day <= scope.to; day = addDays(day, TENDER_DAYS_MAX)) {
    const last = addDays(day, TENDER_DAYS_MAX - 1);
    const days = { from: day, to: last < scope.to ? last : scope.to };
    slices.push({
      name: `licitacoes ${agencyCode} ${days.from} ${days.to}`,
      what: `licitações do órgão ${agencyCode} abertas de ${days.from} a ${days.to}`,
      // A procedure may be changed any day after it was opened.
      lastDay: null,
      pages: (context: PortalContext, from: Position | null, signal: AbortSignal) =>
        tenders(context, { agencyCode, ...days }, signal, from),
    });
  }
  return slices;
}

/** What the Portal holds about one company, or an empty page where it knows of none. */
function companySlices({ company }: IngestScope) {
  if (company === undefined) throw new AppError("invalid_request", "name the company by its CNPJ");
  const cnpj = cnpjOf(company);
  return [
    {
      name: `empresa ${cnpj}`,
      what: `o que o Portal tem sobre ${cnpj}`,
      lastDay: null,
      async *pages(context: PortalContext, _from: Position | null, signal: AbortSignal) {
        yield pageOf(
          await askRecord(context.door, { path: "/pessoa-juridica", params: { cnpj } }, signal),
          readCompany(),
        );
      },
    },
  ];
}

/** One question an agency: the portal gives the contracts of no other. */
function contractSlices(scope: IngestScope) {
  const { agency: agencyCode, from: firstDay, to } = scope;
  if (agencyCode === null)
    throw new AppError("invalid_request", "this source gives the contracts of one agency: name it");
  return [
    {
      name: `contratos ${agencyCode} ${firstDay} ${to}`,
      what: `contratos do órgão ${agencyCode} de ${firstDay} a ${to}`,
      // The dates filter the term, and a contract in force may be amended any day.
      lastDay: null,
      pages: (context: PortalContext, from: Position | null, signal: AbortSignal) =>
        contractsByAgency(context, { agencyCode, from: firstDay, to }, signal, from),
    },
  ];
}

type OfContract = NonNullable<Resource<PortalContext>["ofContract"]>;
type Ask<Input> = (
  context: PortalContext,
  input: Input,
  signal: AbortSignal,
) => AsyncIterable<SourcePage<SourceRecord>>;

function ofContract(ask: Ask<{ contractId: string }>): OfContract {
  const pages: OfContract["pages"] = (context, contractId, signal) => ask(context, { contractId }, signal);
  return { has: isContractId, pages };
}

function ofTender(ask: Ask<{ tenderId: string }>): OfContract {
  const pages: OfContract["pages"] = (context, tenderId, signal) => ask(context, { tenderId }, signal);
  return { has: (id) => tenderNumber(id) !== null, pages };
}

function listResource(list: SanctionList): Resource<PortalContext> {
  return {
    title: `Lista ${list.toUpperCase()} inteira, ou de um CNPJ`,
    path: `/${list}`,
    kind: "sanctions",
    cadence: "diária",
    wire: sanctionWire,
    read: readSanctions(list),
    recordsMin: sanctionListRecordsMin[list],
    slices: () => [
      {
        name: list,
        what: `lista ${list.toUpperCase()}`,
        lastDay: null,
        pages: (context, from, signal) => sanctions(context, { list }, signal, from),
      },
    ],
  };
}

export function openPortal(config: z.output<typeof portalConfig>, outbound: Outbound): PortalContext {
  return createPortalContext({
    outbound,
    baseUrl: config.PORTAL_TRANSPARENCIA_URL,
    apiKey: config.TRANSPARENCY_API_KEY,
    rate: portalRate(config),
    timeouts: { totalMs: config.PORTAL_TRANSPARENCIA_TIMEOUT_SECONDS * 1_000 },
  });
}

export const portalTransparencia = defineSource({
  id: SOURCE_ID,
  name: "Portal da Transparência",
  publisher: "Controladoria-Geral da União (CGU)",
  homepage: "https://portaldatransparencia.gov.br",
  attribution: "Portal da Transparência / CGU",
  licence: "Dados abertos do Poder Executivo federal (Decreto 8.777/2016), uso livre com citação da fonte",
  coverage: { spheres: ["federal"], states: "all" },
  cadence: "diária",
  config: portalConfig,
  baseUrls: ["PORTAL_TRANSPARENCIA_URL"],
  perMinute: "PORTAL_TRANSPARENCIA_PER_MINUTE",
  needs: ["TRANSPARENCY_API_KEY"],
  auth: "cabeçalho `chave-api-dados`; a chave é gratuita, por e-mail",
  open: openPortal,
  probeRecordsMin: PAGE_ROWS,
  async probe(context, signal) {
    const fresh = { ...context, door: uncached(context.door) };
    const answer = await askRows(fresh, { path: "/orgaos-siafi", params: { pagina: 1 } }, signal);
    const { records, sample } = pageOf(answer, readAgencies());
    return { records: records.length, sample };
  },
  resources: {
    agencies: {
      title: "Órgãos do Poder Executivo federal (códigos SIAFI)",
      path: "/orgaos-siafi",
      kind: "agencies",
      cadence: "rara",
      wire: agencyWire,
      read: readAgencies(),
    },
    contracts: {
      title:
        "Contratos de um órgão em vigor em algum dia do período; também por fornecedor (/contratos/cpf-cnpj), por número (/contratos/numero) e por id (/contratos/id)",
      path: "/contratos",
      kind: "contracts",
      cadence: "diária",
      wire: contractWire,
      read: readContracts(),
      slices: contractSlices,
      ofContract: ofContract(async function* (context, input, signal) {
        yield await contractById(context, input, signal);
      }),
    },
    items: {
      title: "Itens de um contrato",
      path: "/contratos/itens-contratados",
      kind: "items",
      cadence: "diária",
      wire: itemWire,
      read: readContractItems("1"),
      ofContract: ofContract(items),
    },
    amendments: {
      title: "Termos aditivos de um contrato, sem valores",
      path: "/contratos/termo-aditivo",
      kind: "amendments",
      cadence: "diária",
      wire: amendmentWire,
      read: readAmendments("1"),
      ofContract: ofContract(amendments),
    },
    endorsements: {
      title: "Apostilamentos de um contrato, sem o valor, que a especificação não explica",
      path: "/contratos/apostilamento",
      kind: "amendments",
      cadence: "diária",
      wire: endorsementWire,
      read: readEndorsements("1"),
      ofContract: ofContract(endorsements),
    },
    commitments: {
      title: "Documentos relacionados a um contrato: seus empenhos",
      path: "/contratos/documentos-relacionados",
      kind: "commitments",
      cadence: "diária",
      wire: commitmentWire,
      read: readCommitments("1"),
      ofContract: ofContract(commitments),
    },
    tenders: {
      title: "Licitações de um órgão abertas no período, sem o valor, que a especificação não explica",
      path: "/licitacoes",
      kind: "contracts",
      cadence: "diária",
      wire: tenderWire,
      read: readTenders(),
      slices: tenderSlices,
      ofContract: ofTender(tenderById),
    },
    "tender-items": {
      title: "Itens de uma licitação, sem o valor, que a especificação não explica",
      path: "/licitacoes/itens-licitados",
      kind: "items",
      cadence: "diária",
      wire: tenderItemWire,
      read: readTenderItems(`${TENDER_PREFIX}1`),
      ofContract: ofTender(tenderItems),
    },
    tenderers: {
      title: "Participantes de uma licitação; o que propuseram não é publicado",
      path: "/licitacoes/participantes",
      kind: "tenderers",
      cadence: "diária",
      wire: tendererWire,
      read: readTenderers(`${TENDER_PREFIX}1`),
      ofContract: ofTender(tenderers),
    },
    expenses: {
      title: "Documentos de despesa de uma unidade gestora (`--agency`), um dia e uma fase de cada vez",
      path: EXPENSES,
      kind: "expense_documents",
      cadence: "diária",
      wire: expenseWire,
      read: readExpenses(),
      onlyNamed: true,
      slices: expenseSlices,
      overlapDays: EXPENSE_OVERLAP_DAYS,
    },
    companies: {
      title: "O que o Portal tem sobre uma empresa (`--company`), só sim ou não",
      path: "/pessoa-juridica",
      kind: "company_flags",
      cadence: "diária",
      wire: companyWire,
      read: readCompany(),
      onlyNamed: true,
      slices: companySlices,
    },
    ceis: listResource("ceis"),
    cnep: listResource("cnep"),
    cepim: registerResource("cepim"),
    leniency: registerResource("leniency"),
  },
  fixtures: [
    "derived-contratos-pages.json",
    "derived-expenses.json",
    "derived-other-paths.json",
    "recorded-ceis.json",
    "recorded-cnep.json",
    "recorded-errors.json",
  ],
});

function cnpjOf(text: string): string {
  const cnpj = parseCnpj(text);
  if (cnpj === null) throw new AppError("invalid_request", "not a CNPJ: its check digits do not match");
  return cnpj;
}
