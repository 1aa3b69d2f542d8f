import type { Amendment, Contract, ContractItem, PriceRegistration } from "@cidadao/domain/contract";
import { addDays, type IsoDate } from "@cidadao/domain/dates";
import { parseCnpj } from "@cidadao/domain/tax-id";
import { AppError } from "@cidadao/runtime/errors";
import { askRecord } from "../ask-record.ts";
import {
  defineSource,
  type IngestScope,
  type Position,
  type Slice,
  type SourcePage,
  type SourceRecord,
} from "../define-source.ts";
import { uncached } from "../outbound.ts";
import { pageOf, readPages } from "../read-rows.ts";
import { PNCP } from "./buyer.ts";
import { askAllPages, askDetails, createPncpContext, PAGE_ROWS_SAFE, type PncpContext } from "./client.ts";
import { pncpConfig } from "./config.ts";
import { contractWire } from "./contract.ts";
import { tenderWire } from "./tender.ts";
import {
  itemWire,
  priceRegistrationWire,
  readContracts,
  readItems,
  readPriceRegistrations,
  readResults,
  readTenders,
  readTerms,
  resultWire,
  termWire,
} from "./wire.ts";

/** Every method but the auctions (1, 13), which sell; there is no way to ask for all at once. 15 and above are refused. */
const METHODS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14];
/** The list of purchases takes no larger page. */
const TENDER_ROWS_MAX = 50;
/** Late publications and corrections of a day come within two. */
const OVERLAP_DAYS = 2;
/** The PNCP refuses longer periods. */
const AGENCY_DAYS_MAX = 365;

/** A question about days: of every agency, or of one by its CNPJ. */
export type DaysQuestion = { by: "publicacao" | "atualizacao"; from: IsoDate; to: IsoDate; agency: string | null };
type PlacedQuestion = DaysQuestion & { place?: string };

export function contracts(
  context: PncpContext,
  input: DaysQuestion,
  signal: AbortSignal,
  from: Position | null = null,
): AsyncGenerator<SourcePage<Contract>, void, void> {
  const path = input.by === "publicacao" ? "/contratos" : "/contratos/atualizacao";
  const params = { ...daysOf(input), cnpjOrgao: cnpjOf(input.agency) };
  return readPages(askAllPages(context, { path, params }, from, signal), readContracts());
}

export function tenders(
  context: PncpContext,
  input: PlacedQuestion & { method: number },
  signal: AbortSignal,
  from: Position | null = null,
): AsyncGenerator<SourcePage<Contract>, void, void> {
  const path = `/contratacoes/${input.by}`;
  const where = { cnpj: cnpjOf(input.agency), ...placeOf(input.place) };
  const params = { ...daysOf(input), codigoModalidadeContratacao: input.method, ...where };
  return readPages(askAllPages(context, { path, params, pageRowsMax: TENDER_ROWS_MAX }, from, signal), readTenders());
}

/** By their last update: the other list of the PNCP filters by term, not by publication. */
export function priceRegistrations(
  context: PncpContext,
  input: Omit<DaysQuestion, "by">,
  signal: AbortSignal,
  from: Position | null = null,
): AsyncGenerator<SourcePage<PriceRegistration>, void, void> {
  const params = { ...daysOf(input), cnpj: cnpjOf(input.agency) };
  return readPages(askAllPages(context, { path: "/atas/atualizacao", params }, from, signal), readPriceRegistrations());
}

/** The contract with this control number; an empty page where there is none. */
async function* contractById(context: PncpContext, contractId: string, signal: AbortSignal) {
  const path = detailPath(contractId, "2", "contratos");
  yield pageOf(await askRecord(context.detail, { path, params: {} }, signal), readContracts());
}

/** The purchase with this control number; an empty page where there is none. */
async function* tenderById(context: PncpContext, tenderId: string, signal: AbortSignal) {
  const path = detailPath(tenderId, "1", "compras");
  yield pageOf(await askRecord(context.consulta, { path, params: {} }, signal), readTenders());
}

/** Results of so many items of a purchase are asked for, each by a call; the others keep no price. */
const RESULTS_MAX = 100;
/** The items of a purchase cost a call, and one more for each that was awarded, at forty calls a minute. */
const ITEMS_ARE_COSTLY = { contractsMax: 20, msMax: 180_000 };

/**
 * The items of a purchase; where something was awarded, once for each result, with its price. Beyond `RESULTS_MAX` awarded
 * items there is a complaint for each whose price was not asked for.
 */
export async function* items(
  context: PncpContext,
  input: { tenderId: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<ContractItem>, void, void> {
  const base = detailPath(input.tenderId, "1", "compras");
  let left = RESULTS_MAX;
  for await (const answer of askDetails(context, `${base}/itens`, signal)) {
    const page = pageOf(answer, readItems(input.tenderId));
    const awarded = new Set(answer.rows.flatMap((row) => awardedNumber(row)));
    const waiting = page.records.filter((item) => awarded.has(item.number));
    const beyond = waiting.splice(left);
    left -= waiting.length;
    const reason = `the results of no more than ${RESULTS_MAX} items of a purchase are asked for`;
    const unpriced = beyond.map(({ provenance: { sourceId } }) => ({ sourceId, field: "resultados", reason }));
    yield {
      ...page,
      records: page.records.filter((item) => !waiting.includes(item)),
      complaints: [...page.complaints, ...unpriced],
    };
    for (const item of waiting) {
      const path = `${base}/itens/${item.number}/resultados`;
      yield* readPages(askDetails(context, path, signal), readResults(item));
    }
  }
}

export function terms(
  context: PncpContext,
  input: { contractId: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Amendment>, void, void> {
  const path = `${detailPath(input.contractId, "2", "contratos")}/termos`;
  return readPages(askDetails(context, path, signal), readTerms(input.contractId));
}

function isContract(id: string): boolean {
  return controlNumber(id)?.kind === "2";
}

function isTender(id: string): boolean {
  return controlNumber(id)?.kind === "1";
}

function awardedNumber(row: unknown): string[] {
  const wire = itemWire.safeParse(row).data;
  return wire?.temResultado === true ? [String(wire.numeroItem)] : [];
}

function detailPath(id: string, kind: "1" | "2", folder: string): string {
  const found = controlNumber(id);
  if (found?.kind !== kind) throw new AppError("invalid_request", "not a control number of the PNCP");
  return `/orgaos/${found.cnpj}/${folder}/${found.year}/${found.sequence}`;
}

/** Of a purchase (1) or a contract (2), "00394460005887-2-002468/2025". */
function controlNumber(id: string) {
  const [, cnpj, kind, sequence, year] = /^([0-9A-Z]{14})-([12])-(\d{6})\/(\d{4})$/.exec(id) ?? [];
  return kind === undefined ? null : { cnpj, kind, sequence: Number(sequence), year };
}

function daysOf({ from, to }: { from: IsoDate; to: IsoDate }) {
  return { dataInicial: from.replaceAll("-", ""), dataFinal: to.replaceAll("-", "") };
}

function cnpjOf(agency: string | null): string | null {
  if (agency === null) return null;
  const cnpj = parseCnpj(agency);
  if (cnpj === null) throw new AppError("invalid_request", "the PNCP names agencies by CNPJ, and this is none");
  return cnpj;
}

/** A state or a municipality: purchases alone can be asked for by place. */
function placeOf(place: string | undefined) {
  if (place === undefined) return {};
  if (/^[A-Z]{2}$/.test(place)) return { uf: place };
  if (/^\d{7}$/.test(place)) return { codigoMunicipioIbge: place };
  throw new AppError("invalid_request", "a place is a state, as PE, or a municipality by its IBGE code, as 2611606");
}

type Pages = (
  context: PncpContext,
  days: Omit<PlacedQuestion, "by">,
  signal: AbortSignal,
  from: Position | null,
) => AsyncIterable<SourcePage<SourceRecord>>;

/** One question a day, or, of one agency, one for as many days as the PNCP takes. */
function slicesByDay(list: string, pages: Pages): (scope: IngestScope) => Slice<PncpContext>[] {
  return (scope) => {
    const agency = cnpjOf(scope.agency);
    const { place } = scope;
    if (place !== undefined && !list.startsWith(TENDERS))
      throw new AppError("invalid_request", "the PNCP gives only purchases by place: ask for tenders");
    const length = agency === null && place === undefined ? 1 : AGENCY_DAYS_MAX;
    const slices: Slice<PncpContext>[] = [];
    for (let day = scope.from; day <= scope.to; day = addDays(day, length)) {
      const last = addDays(day, length - 1);
      const days = { from: day, to: last < scope.to ? last : scope.to, agency, ...(place ? { place } : {}) };
      const whose = [agency, place].filter(Boolean).join(" em ");
      slices.push({
        name: [list, days.from, days.to, whose || "todos"].join(" "),
        what: `${list} de ${days.from}${days.to === days.from ? "" : ` a ${days.to}`}${whose ? ` de ${whose}` : ""}`,
        lastDay: days.to,
        pages: (context, from, signal) => pages(context, days, signal, from),
      });
    }
    return slices;
  };
}

const TENDERS = "contratações";

const tenderSlices = (by: DaysQuestion["by"]) => (scope: IngestScope) =>
  METHODS.flatMap((method) =>
    slicesByDay(`${TENDERS} (${by}) da modalidade ${method}`, (context, days, signal, from) =>
      tenders(context, { ...days, by, method }, signal, from),
    )(scope),
  );

const contractSlices = (by: DaysQuestion["by"]) =>
  slicesByDay(`contratos (${by})`, (context, days, signal, from) => contracts(context, { ...days, by }, signal, from));

const exampleItem: ContractItem = {
  provenance: { source: PNCP, sourceId: "1", url: "", retrievedAt: "", sample: null },
  contractId: "00394460005887-1-000020/2025",
  number: "1",
  description: null,
  complement: null,
  quantity: null,
  unitPriceCents: null,
};

export const pncp = defineSource({
  id: PNCP,
  name: "PNCP",
  publisher: "Portal Nacional de Contratações Públicas, comitê gestor e Ministério da Gestão",
  homepage: "https://pncp.gov.br",
  attribution: "Portal Nacional de Contratações Públicas (PNCP)",
  licence: "Dados abertos (Lei 14.133/2021, art. 174; Decreto 8.777/2016), uso livre com citação da fonte",
  coverage: { spheres: ["federal", "state", "municipal"], states: "all" },
  cadence: "contínua",
  config: pncpConfig,
  baseUrls: ["PNCP_CONSULTA_URL", "PNCP_URL"],
  perMinute: "PNCP_PER_MINUTE",
  needs: [],
  auth: "ninguém se identifica",
  open: (config, outbound) =>
    createPncpContext({
      outbound,
      consultaUrl: config.PNCP_CONSULTA_URL,
      detailUrl: config.PNCP_URL,
      perMinute: config.PNCP_PER_MINUTE,
      timeoutMs: config.PNCP_TIMEOUT_SECONDS * 1_000,
      pageRows: config.PNCP_PAGE_ROWS,
    }),
  probeRecordsMin: 1,
  /** A day of 2024 that had 8,000 contracts. */
  async probe(context, signal) {
    const fresh = { ...context, consulta: uncached(context.consulta), pageRows: PAGE_ROWS_SAFE };
    const days = { by: "publicacao" as const, from: "2024-07-01", to: "2024-07-01", agency: null };
    for await (const page of contracts(fresh, days, signal))
      return { records: page.records.length, sample: page.sample };
    return { records: 0, sample: null };
  },
  resources: {
    contracts: {
      title: "Contratos e empenhos publicados num dia; contratos de receita ficam fora",
      path: "/v1/contratos",
      kind: "contracts",
      cadence: "contínua",
      wire: contractWire,
      read: readContracts(),
      slices: contractSlices("publicacao"),
      overlapDays: OVERLAP_DAYS,
      ofContract: { has: isContract, pages: contractById },
    },
    "contract-updates": {
      title: "Contratos e empenhos alterados num dia",
      path: "/v1/contratos/atualizacao",
      kind: "contracts",
      cadence: "contínua",
      wire: contractWire,
      read: readContracts(),
      slices: contractSlices("atualizacao"),
      overlapDays: OVERLAP_DAYS,
    },
    tenders: {
      title: "Contratações publicadas num dia, uma pergunta para cada modalidade; leilões ficam fora",
      path: "/v1/contratacoes/publicacao",
      kind: "contracts",
      cadence: "contínua",
      wire: tenderWire,
      read: readTenders(),
      slices: tenderSlices("publicacao"),
      overlapDays: OVERLAP_DAYS,
      ofContract: { has: isTender, pages: tenderById },
    },
    "tender-updates": {
      title: "Contratações alteradas num dia, uma pergunta para cada modalidade",
      path: "/v1/contratacoes/atualizacao",
      kind: "contracts",
      cadence: "contínua",
      wire: tenderWire,
      read: readTenders(),
      slices: tenderSlices("atualizacao"),
      overlapDays: OVERLAP_DAYS,
    },
    "price-registrations": {
      title: "Atas de registro de preços alteradas num dia",
      path: "/v1/atas/atualizacao",
      kind: "price_registrations",
      cadence: "contínua",
      wire: priceRegistrationWire,
      read: readPriceRegistrations(),
      slices: slicesByDay("atas", (context, days, signal, from) => priceRegistrations(context, days, signal, from)),
      overlapDays: OVERLAP_DAYS,
    },
    items: {
      title: "Itens de uma contratação",
      path: "/v1/orgaos/{cnpj}/compras/{ano}/{sequencial}/itens",
      kind: "items",
      cadence: "contínua",
      wire: itemWire,
      read: readItems(exampleItem.contractId),
      ofContract: {
        has: isTender,
        pages: (context, tenderId, signal) => items(context, { tenderId }, signal),
        costly: ITEMS_ARE_COSTLY,
      },
    },
    results: {
      title: "Resultados de um item, com quantidade e preço homologados: perguntados com os itens",
      path: "/v1/orgaos/{cnpj}/compras/{ano}/{sequencial}/itens/{numero}/resultados",
      kind: "items",
      cadence: "contínua",
      wire: resultWire,
      read: readResults(exampleItem),
    },
    terms: {
      title: "Termos de um contrato, com o valor que acrescentam ou suprimem",
      path: "/v1/orgaos/{cnpj}/contratos/{ano}/{sequencial}/termos",
      kind: "amendments",
      cadence: "contínua",
      wire: termWire,
      read: readTerms("00394460005887-2-002468/2025"),
      ofContract: {
        has: isContract,
        pages: (context, contractId, signal) => terms(context, { contractId }, signal),
      },
    },
  },
  fixtures: [
    "recorded-contratos.json",
    "recorded-contratacoes.json",
    "recorded-atas.json",
    "recorded-errors.json",
    "derived-details.json",
  ],
});
