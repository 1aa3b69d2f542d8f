import type { Contract } from "@cidadao/domain/contract";
import { defineSource, type IngestScope, yearsOf } from "../define-source.ts";
import { askByOffset, listNamed } from "../offset-pages.ts";
import { ask, type Door, openDoor, uncached } from "../outbound.ts";
import { type AnswerReader, readPages } from "../read-rows.ts";
import { tceRjConfig } from "./config.ts";
import { contractWire, directPurchaseWire, readContracts, readDirectPurchases, TCE_RJ } from "./wire.ts";

type TceRjContext = { door: Door };

const CONTRACTS = "/contratos_municipio";
const DIRECT_PURCHASES = "/compras_diretas_municipio";
const PAGE_ROWS = 1_000;
const rowsIn = (list: string) => (body: unknown) =>
  Array.isArray(body) ? (body as unknown[]) : listNamed(body, [list]);

/** One question a year, of all municipalities or of the one that is named. */
function yearly(what: string, path: string, list: string, reader: () => AnswerReader<Contract>) {
  return ({ from, to, agency }: IngestScope) => {
    const where = agency === null ? "todos os municípios" : agency;
    return yearsOf({ from, to }).map((year) => ({
      name: `${what} ${year} ${agency ?? "*"}`,
      what: `${what} de ${where} em ${year}`,
      lastDay: null,
      pages: ({ door }: TceRjContext, position: Parameters<typeof askByOffset>[2], signal: AbortSignal) => {
        const question = {
          path,
          params: { ano: year, municipio: agency },
          size: PAGE_ROWS,
          pageParams: (inicio: number, limite: number) => ({ inicio, limite }),
          rowsIn: rowsIn(list),
        };
        return readPages(askByOffset(door, question, position, signal), reader());
      },
    }));
  };
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
    by:
      "public programs that read `contratos_municipio` and `compras_diretas_municipio`, which agree on their parameters and " +
      "fields; one of them found the former empty for every municipality",
    lacks:
      "contracts and direct purchases of the state, procedures and penalties (their fields differ from program to program), " +
      "the days a contract begins and a direct purchase is agreed, and the capital, which has a court of its own",
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
    const { body } = await ask(uncached(door), { path: CONTRACTS, params: { inicio: 0, limite: 1 } }, signal);
    return { records: rowsIn("Contratos")(body)?.length ?? 0, sample: null };
  },
  resources: {
    contracts: {
      title: "Contratos dos municípios, por ano; `--agency` é o nome de um município",
      path: CONTRACTS,
      kind: "contracts",
      cadence: "desconhecida",
      wire: contractWire,
      read: readContracts(),
      slices: yearly("contratos", CONTRACTS, "Contratos", readContracts),
    },
    "direct-purchases": {
      title: "Dispensas e inexigibilidades dos municípios, por ano; `--agency` é o nome de um município",
      path: DIRECT_PURCHASES,
      kind: "contracts",
      cadence: "desconhecida",
      wire: directPurchaseWire,
      read: readDirectPurchases(),
      slices: yearly("compras diretas", DIRECT_PURCHASES, "Compras", readDirectPurchases),
    },
  },
  fixtures: ["derived-contratos.json", "derived-compras-diretas.json"],
});
