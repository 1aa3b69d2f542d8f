import { defineSource, type IngestScope } from "../define-source.ts";
import { askByOffset, listNamed } from "../offset-pages.ts";
import { ask, type Door, openDoor, uncached } from "../outbound.ts";
import { readPages } from "../read-rows.ts";
import { tceRjConfig } from "./config.ts";
import { contractWire, readContracts, TCE_RJ } from "./wire.ts";

type TceRjContext = { door: Door };

const PATH = "/contratos_municipio";
const PAGE_ROWS = 1_000;
const rowsIn = (body: unknown) => (Array.isArray(body) ? (body as unknown[]) : listNamed(body, ["Contratos"]));

/** One question a year, of all municipalities or of the one that is named. */
function contractSlices({ from, to, agency }: IngestScope) {
  const slices = [];
  for (let year = Number(from.slice(0, 4)); year <= Number(to.slice(0, 4)); year++) {
    const where = agency === null ? "todos os municípios" : agency;
    slices.push({
      name: `contratos ${year} ${agency ?? "*"}`,
      what: `contratos de ${where} em ${year}`,
      lastDay: null,
      pages: ({ door }: TceRjContext, position: Parameters<typeof askByOffset>[2], signal: AbortSignal) => {
        const question = {
          path: PATH,
          params: { ano: year, municipio: agency },
          size: PAGE_ROWS,
          pageParams: (inicio: number, limite: number) => ({ inicio, limite }),
          rowsIn,
        };
        return readPages(askByOffset(door, question, position, signal), readContracts());
      },
    });
  }
  return slices;
}

export const tceRj = defineSource({
  id: TCE_RJ,
  name: "TCE-RJ",
  publisher: "Tribunal de Contas do Estado do Rio de Janeiro",
  homepage: "https://dados.tcerj.tc.br",
  attribution: "TCE-RJ, dados abertos",
  licence: "Dados públicos, uso livre com citação da fonte",
  coverage: { spheres: ["municipal"], states: ["RJ"] },
  cadence: "desconhecida",
  config: tceRjConfig,
  baseUrls: ["TCE_RJ_URL"],
  perMinute: "TCE_RJ_PER_MINUTE",
  needs: [],
  auth: "ninguém precisa se identificar",
  described: {
    by: "public programs that read `contratos_municipio`, which agree on its parameters and fields",
    lacks:
      "contracts of the state, direct purchases, procedures and penalties (their fields differ from program to program), " +
      "the day a contract begins, and contracts of the capital, which has a court of its own",
  },
  open: (config, outbound): TceRjContext => ({
    door: openDoor(outbound, {
      source: TCE_RJ,
      name: "TCE-RJ",
      baseUrl: config.TCE_RJ_URL,
      rate: { perMinute: config.TCE_RJ_PER_MINUTE },
      callsAtOnce: 1,
    }),
  }),
  probeRecordsMin: 1,
  async probe({ door }, signal) {
    const { body } = await ask(uncached(door), { path: PATH, params: { inicio: 0, limite: 1 } }, signal);
    return { records: rowsIn(body)?.length ?? 0, sample: null };
  },
  resources: {
    contracts: {
      title: "Contratos dos municípios, por ano; `--agency` é o nome de um município",
      path: PATH,
      kind: "contracts",
      cadence: "desconhecida",
      wire: contractWire,
      read: readContracts(),
      slices: contractSlices,
    },
  },
  fixtures: ["derived-contratos.json"],
});
