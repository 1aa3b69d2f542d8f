import { AppError } from "@cidadao/runtime/errors";
import type { CacheParams } from "@cidadao/runtime/response-cache";
import { type Answer, defineSource, type IngestScope, type Position, yearsOf } from "../define-source.ts";
import { listNamed } from "../offset-pages.ts";
import { ask, type Door, invalid, openDoor, uncached } from "../outbound.ts";
import { pageOf } from "../read-rows.ts";
import { tcePeConfig } from "./config.ts";
import { contractWire, readContracts, TCE_PE } from "./wire.ts";

type TcePeContext = { door: Door };

/** There are no pages: the contracts of a large unit's year come at once. */
const BYTES_MAX = 64 * 1024 * 1024;
const TIMEOUT_MS = 120_000;

/** `{resposta: {status, tamanhoResultado, conteudo}}`: anything but OK, and less than it says to hold, is a failure. */
async function askContents(door: Door, entity: string, params: CacheParams, signal: AbortSignal): Promise<Answer> {
  const path = `/${entity}!json`;
  const { body, ...answered } = await ask(door, { path, params }, signal, (found) => {
    const { status, announced, rows } = partsOf(found);
    if (status !== "OK" || rows === null) throw invalid(door, `${entity} não respondeu um conteúdo`);
    if (announced > rows.length) throw invalid(door, `${entity} anunciou ${announced} registros e deu ${rows.length}`);
  });
  return { ...answered, rows: partsOf(body).rows ?? [], next: null };
}

function partsOf(body: unknown): { status: unknown; announced: number; rows: unknown[] | null } {
  const nothing = { status: null, announced: 0, rows: null };
  if (typeof body !== "object" || body === null || !("resposta" in body)) return nothing;
  const { resposta } = body;
  if (typeof resposta !== "object" || resposta === null) return nothing;
  const field = (name: string): unknown => Object.entries(resposta).find(([key]) => key === name)?.[1];
  return {
    status: field("status"),
    announced: Number(field("tamanhoResultado") ?? 0) || 0,
    rows: listNamed(resposta, ["conteudo"]),
  };
}

/** One question a year, of the unit with a code or of the municipality with a name. */
function contractSlices({ from, to, agency }: IngestScope) {
  if (agency === null) {
    throw new AppError("invalid_request", "this source gives the contracts of a unit, or of a municipality: name it");
  }
  const whose = /^\d+$/.test(agency) ? { CodigoUG: agency } : { Municipio: agency };
  return yearsOf({ from, to }).map((year) => ({
    name: `contratos ${year} ${agency}`,
    what: `contratos de ${agency} em ${year}`,
    lastDay: null,
    async *pages({ door }: TcePeContext, _position: Position | null, signal: AbortSignal) {
      const answer = await askContents(door, "Contratos", { AnoContrato: year, ...whose }, signal);
      yield pageOf(answer, readContracts());
    },
  }));
}

export const tcePe = defineSource({
  id: TCE_PE,
  name: "TCE-PE",
  publisher: "Tribunal de Contas do Estado de Pernambuco",
  homepage: "https://sistemas.tce.pe.gov.br",
  attribution: "TCE-PE, dados abertos",
  licence: "Dados públicos, uso livre com citação da fonte",
  coverage: { spheres: ["state", "municipal"], states: ["PE"] },
  cadence: "desconhecida",
  config: tcePeConfig,
  baseUrls: ["TCE_PE_URL"],
  perMinute: "TCE_PE_PER_MINUTE",
  needs: [],
  auth: "ninguém precisa se identificar",
  described: {
    by: "public programs that read `Contratos`: one that stores its rows, one that asks by `AnoContrato` and `CodigoUG`",
    lacks:
      "the object of a contract and its days (they are in other answers, or in texts of unknown form), procedures, " +
      "amendments and items",
  },
  open: (config, outbound): TcePeContext => ({
    door: openDoor(outbound, {
      source: TCE_PE,
      name: "TCE-PE",
      baseUrl: config.TCE_PE_URL,
      rate: { perMinute: config.TCE_PE_PER_MINUTE },
      callsAtOnce: 1,
      bytesMax: BYTES_MAX,
      timeouts: { headersMs: TIMEOUT_MS, bodyMs: TIMEOUT_MS, totalMs: TIMEOUT_MS },
    }),
  }),
  probeRecordsMin: 1,
  async probe({ door }, signal) {
    const params = { NATUREZA: "prefeitura", MUNICIPIO: "RECIFE" };
    const { rows } = await askContents(uncached(door), "UnidadesJurisdicionadas", params, signal);
    return { records: rows.length, sample: null };
  },
  resources: {
    contracts: {
      title: "Contratos por ano; `--agency` é o código da unidade gestora, ou o nome de um município",
      path: "/Contratos!json",
      kind: "contracts",
      cadence: "desconhecida",
      wire: contractWire,
      read: readContracts(),
      slices: contractSlices,
    },
  },
  fixtures: ["derived-contratos.json"],
});
