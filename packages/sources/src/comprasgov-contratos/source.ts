import type { Contract } from "@cidadao/domain/contract";
import { addDays, type IsoDate } from "@cidadao/domain/dates";
import { AppError } from "@cidadao/runtime/errors";
import type { z } from "zod";
import {
  defineSource,
  type IngestScope,
  type Position,
  type Resource,
  type Slice,
  type SourcePage,
  type SourceRecord,
} from "../define-source.ts";
import { type Outbound, uncached } from "../outbound.ts";
import { type AnswerReader, pageOf, readPages } from "../read-rows.ts";
import { idText } from "../reading.ts";
import { askAllPages, askWhole, type ComprasgovContext, createComprasgovContext } from "./client.ts";
import { comprasgovContratosConfig } from "./config.ts";
import { COMPRASGOV_CONTRATOS, contractWire } from "./contract.ts";
import { commitmentWire, itemWire, type OfInstrument, readCommitments, readItems } from "./details.ts";
import { priceWire, readPrices } from "./price.ts";
import {
  historyWire,
  readContracts,
  readHistory,
  readUnitContracts,
  SITE,
  unitContractIdOf,
  unitContractWire,
} from "./wire.ts";

const CONTRACTS = "/modulo-contratos/1_consultarContratos";
/** Contracts that begin in a month come in few pages. */
const SLICE_DAYS = 31;
/** Contracts are entered months after they began. */
const OVERLAP_DAYS = 180;

/** Contracts whose term begins in these days: of every agency, or of one by its SIAFI code. */
export function contracts(
  context: ComprasgovContext,
  input: { from: IsoDate; to: IsoDate; agency: string | null },
  signal: AbortSignal,
  from: Position | null = null,
): AsyncGenerator<SourcePage<Contract>, void, void> {
  const params = {
    dataVigenciaInicialMin: input.from,
    dataVigenciaInicialMax: input.to,
    codigoOrgao: input.agency === null ? null : agencyCodeOf(input.agency),
  };
  return readPages(askAllPages(context, { path: CONTRACTS, params }, from, signal), readContracts());
}

/** Contracts in force of one managing unit, all in one answer, with their day of signature and original value. */
export async function contractsOfUnit(
  context: ComprasgovContext,
  input: { unitCode: string },
  signal: AbortSignal,
): Promise<SourcePage<Contract>> {
  return pageOf(await askUnit(context, input.unitCode, signal), readUnitContracts());
}

function askUnit(context: ComprasgovContext, unitCode: string, signal: AbortSignal) {
  if (!/^\d{6}$/.test(unitCode)) throw new AppError("invalid_request", "a managing unit has six digits");
  return askWhole(context, `/api/contrato/ug/${unitCode}`, signal);
}

/** A contract in force by our id of it: the list of its unit is asked for, and the contract looked up there. */
async function* contractById(context: ComprasgovContext, contractId: string, signal: AbortSignal) {
  const page = await contractsOfUnit(context, { unitCode: unitCodeOf(contractId) }, signal);
  yield { ...page, records: page.records.filter(({ provenance }) => provenance.sourceId === contractId) };
}

function unitCodeOf(contractId: string): string {
  return contractId.slice(0, 6);
}

/** Unit and number, "153165-00029/2021". */
function isContract(id: string): boolean {
  return /^\d{6}-\S{1,20}$/.test(id);
}

/** A list that the site has about a contract, by its own number of it; nothing where its unit's list does not hold it. */
function instrumentList<Item extends SourceRecord>(list: string, read: (input: OfInstrument) => AnswerReader<Item>) {
  async function* pages(context: ComprasgovContext, contractId: string, signal: AbortSignal) {
    const instrumentId = await instrumentOf(context, contractId, signal);
    if (instrumentId === null) return;
    const answer = await askWhole(context, `/api/contrato/${instrumentId}/${list}`, signal);
    yield pageOf(answer, read({ contractId, instrumentId }));
  }
  return { path: `${SITE}/api/contrato/{id}/${list}`, ofContract: { has: isContract, pages } };
}

async function instrumentOf(
  context: ComprasgovContext,
  contractId: string,
  signal: AbortSignal,
): Promise<string | null> {
  const { rows } = await askUnit(context, unitCodeOf(contractId), signal);
  const wires = rows.map((row) => unitContractWire.safeParse(row).data);
  const id = idText(wires.find((wire) => unitContractIdOf(wire) === contractId)?.id);
  if (id !== null && !/^\d+$/.test(id)) throw new AppError("invalid_request", "the id of a contract is a number");
  return id;
}

function agencyCodeOf(agency: string): string {
  if (!/^\d{5}$/.test(agency))
    throw new AppError("invalid_request", "Compras.gov.br names agencies by SIAFI code, five digits");
  return agency;
}

function slices(scope: IngestScope): Slice<ComprasgovContext>[] {
  const found: Slice<ComprasgovContext>[] = [];
  for (let day = scope.from; day <= scope.to; day = addDays(day, SLICE_DAYS)) {
    const last = addDays(day, SLICE_DAYS - 1);
    const input = { from: day, to: last < scope.to ? last : scope.to, agency: scope.agency };
    found.push({
      name: ["contratos", input.from, input.to, scope.agency ?? "todos"].join(" "),
      what: `contratos com início de ${input.from} a ${input.to}${scope.agency === null ? "" : ` do órgão ${scope.agency}`}`,
      lastDay: input.to,
      pages: (context, from, signal) => contracts(context, input, signal, from),
    });
  }
  return found;
}

const PRICES = {
  CATMAT: { path: "/modulo-pesquisa-preco/1_consultarMaterial", what: "preços do material" },
  CATSER: { path: "/modulo-pesquisa-preco/3_consultarServico", what: "preços do serviço" },
} as const;

/** Prices that buyers paid for one item of the catalogue in these days. */
function priceResource(catalogue: keyof typeof PRICES): Resource<ComprasgovContext> {
  const { path, what } = PRICES[catalogue];
  return {
    title:
      `Preços praticados de um item do ${catalogue} (\`--item\`), no banco de preços; escrito de descrições públicas, sem ` +
      "resposta gravada",
    path,
    kind: "reference_prices",
    cadence: "diária",
    wire: priceWire,
    read: readPrices(catalogue),
    onlyNamed: true,
    slices: ({ from, to, item }) => {
      if (item === undefined || !/^\d{1,9}$/.test(item))
        throw new AppError("invalid_request", "prices are asked for by item of the catalogue: name its number");
      const params = { codigoItemCatalogo: item, dataCompraInicio: from, dataCompraFim: to };
      return [
        {
          name: `precos ${catalogue} ${item} ${from} ${to}`,
          what: `${what} ${item} de ${from} a ${to}`,
          lastDay: null,
          pages: (context, position, signal) =>
            readPages(askAllPages(context, { path, params }, position, signal), readPrices(catalogue)),
        },
      ];
    },
  };
}

function openComprasgov(config: z.output<typeof comprasgovContratosConfig>, outbound: Outbound): ComprasgovContext {
  return createComprasgovContext({
    outbound,
    openDataUrl: config.COMPRASGOV_URL,
    contratosUrl: config.COMPRASNET_CONTRATOS_URL,
    perMinute: config.COMPRASGOV_PER_MINUTE,
    timeoutMs: config.COMPRASGOV_TIMEOUT_SECONDS * 1_000,
  });
}

const exampleInstrument: OfInstrument = { contractId: "153165-00029/2021", instrumentId: "118872" };

export const comprasgovContratos = defineSource({
  id: COMPRASGOV_CONTRATOS,
  name: "Compras.gov.br, contratos",
  publisher: "Ministério da Gestão e da Inovação em Serviços Públicos (MGI)",
  homepage: "https://dadosabertos.compras.gov.br",
  attribution: "Compras.gov.br / MGI, contratos",
  licence: "Dados abertos do Poder Executivo federal (Decreto 8.777/2016), uso livre com citação da fonte",
  coverage: { spheres: ["federal"], states: "all" },
  cadence: "diária",
  config: comprasgovContratosConfig,
  baseUrls: ["COMPRASGOV_URL", "COMPRASNET_CONTRATOS_URL"],
  perMinute: "COMPRASGOV_PER_MINUTE",
  needs: [],
  auth: "ninguém se identifica",
  open: openComprasgov,
  probeRecordsMin: 1,
  /** A month of 2024 in which hundreds of contracts began. */
  async probe(context, signal) {
    const fresh = { ...context, openData: uncached(context.openData) };
    for await (const page of contracts(fresh, { from: "2024-01-01", to: "2024-01-31", agency: null }, signal)) {
      return { records: page.records.length, sample: page.sample };
    }
    return { records: 0, sample: null };
  },
  resources: {
    contracts: {
      title: "Contratos pelo início da vigência; contratos de receita ficam fora",
      path: CONTRACTS,
      kind: "contracts",
      cadence: "diária",
      wire: contractWire,
      read: readContracts(),
      slices,
      overlapDays: OVERLAP_DAYS,
    },
    "unit-contracts": {
      title: "Contratos em vigor de uma unidade gestora, numa só resposta, com assinatura e valor inicial",
      path: `${SITE}/api/contrato/ug/{ug}`,
      kind: "contracts",
      cadence: "diária",
      wire: unitContractWire,
      read: readUnitContracts(),
      ofContract: { has: isContract, pages: contractById },
    },
    amendments: {
      title: "Aditivos e apostilamentos de um contrato, com o valor depois de cada um",
      ...instrumentList("historico", readHistory),
      kind: "amendments",
      cadence: "diária",
      wire: historyWire,
      read: readHistory(exampleInstrument),
    },
    items: {
      title:
        "Itens de um contrato, com o preço unitário; escrito de programas públicos que os leem, sem resposta gravada",
      ...instrumentList("itens", readItems),
      kind: "items",
      cadence: "diária",
      wire: itemWire,
      read: readItems(exampleInstrument),
    },
    commitments: {
      title: "Empenhos de um contrato",
      ...instrumentList("empenhos", readCommitments),
      kind: "commitments",
      cadence: "diária",
      wire: commitmentWire,
      read: readCommitments(exampleInstrument),
    },
    "material-prices": priceResource("CATMAT"),
    "service-prices": priceResource("CATSER"),
  },
  fixtures: ["derived-itens.json", "derived-precos.json", "recorded-contratos.json", "recorded-comprasnet.json"],
});
