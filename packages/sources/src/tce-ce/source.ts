import { AppError } from "@cidadao/runtime/errors";
import type { CacheParams } from "@cidadao/runtime/response-cache";
import { defineSource, type IngestScope, type Position, type SourcePage, type SourceRecord } from "../define-source.ts";
import { askByOffset, listNamed } from "../offset-pages.ts";
import { ask, type Door, openDoor, uncached } from "../outbound.ts";
import { readPages } from "../read-rows.ts";
import { tceCeConfig } from "./config.ts";
import { contractKey, contractWire, readContracts, supplierWire, type SupplierWire, TCE_CE } from "./wire.ts";

type TceCeContext = { door: Door };

const PAGE_ROWS = 100;
const rowsIn = (body: unknown) => listNamed(body, ["elements", "data"]);

/** The address that ends in "/sim" pages by `$count` and `$start_index`, the one before it by other names. */
function pageParams({ baseUrl }: Door) {
  const isSim = baseUrl.endsWith("/sim");
  return (offset: number, size: number): CacheParams =>
    isSim ? { $count: size, $start_index: offset } : { quantidade: size, deslocamento: offset };
}

async function* contracts(
  { door }: TceCeContext,
  input: { municipality: string; from: string; to: string },
  position: Position | null,
  signal: AbortSignal,
): AsyncGenerator<SourcePage<SourceRecord>, void, void> {
  const params = { codigo_municipio: input.municipality, data_contrato: `${input.from}_${input.to}` };
  const question = (path: string) => ({ path, params, size: PAGE_ROWS, pageParams: pageParams(door), rowsIn });
  const suppliers = new Map<string, SupplierWire[]>();
  for await (const { rows } of askByOffset(door, question("/contratados"), null, signal)) {
    for (const row of rows) {
      const parsed = supplierWire.safeParse(row);
      if (!parsed.success) continue; // its contract will say that no supplier came for it
      const key = contractKey(parsed.data);
      suppliers.set(key, [...(suppliers.get(key) ?? []), parsed.data]);
    }
  }
  yield* readPages(
    askByOffset(door, question("/contrato"), position, signal),
    readContracts((key) => suppliers.get(key) ?? []),
  );
}

function contractSlices({ from, to, agency }: IngestScope) {
  if (agency === null || !/^\d{3}$/.test(agency)) {
    throw new AppError("invalid_request", "this source gives the contracts of one municipality: name its code, as 057");
  }
  return [
    {
      name: `contratos ${agency} ${from} ${to}`,
      what: `contratos do município ${agency} de ${from} a ${to}`,
      lastDay: null,
      pages: (context: TceCeContext, position: Position | null, signal: AbortSignal) =>
        contracts(context, { municipality: agency, from, to }, position, signal),
    },
  ];
}

export const tceCe = defineSource({
  id: TCE_CE,
  name: "TCE-CE",
  publisher: "Tribunal de Contas do Estado do Ceará",
  homepage: "https://api-dados-abertos.tce.ce.gov.br",
  attribution: "TCE-CE, dados abertos do SIM",
  licence: "Dados públicos, uso livre com citação da fonte",
  coverage: { spheres: ["municipal"], states: ["CE"] },
  cadence: "mensal",
  config: tceCeConfig,
  baseUrls: ["TCE_CE_URL"],
  perMinute: "TCE_CE_PER_MINUTE",
  needs: [],
  auth: "ninguém precisa se identificar",
  described: {
    by:
      "public programs that read `contrato` and `contratados`. They agree on the fields and differ on the paging: older ones " +
      "ask the address without `/sim` by `quantidade` and `deslocamento` and read `data`, newer ones ask `/sim` by `$count` " +
      "and `$start_index` and read `elements`; which of both is asked follows from `TCE_CE_URL`, both answers are read",
    lacks:
      "contracts of the state, procedures, commitments, and the names of municipalities, which have codes of the court's own",
  },
  open: (config, outbound): TceCeContext => ({
    door: openDoor(outbound, {
      source: TCE_CE,
      name: "TCE-CE",
      baseUrl: config.TCE_CE_URL,
      rate: { perMinute: config.TCE_CE_PER_MINUTE },
      callsAtOnce: 1,
    }),
  }),
  probeRecordsMin: 1,
  async probe({ door }, signal) {
    const { body } = await ask(uncached(door), { path: "/municipios", params: {} }, signal);
    return { records: rowsIn(body)?.length ?? 0, sample: null };
  },
  resources: {
    contracts: {
      title:
        "Contratos de um município no período, com o primeiro contratado; `--agency` é o código do município no TCE-CE",
      path: "/contrato",
      kind: "contracts",
      cadence: "mensal",
      wire: contractWire,
      read: readContracts(() => []),
      slices: contractSlices,
    },
  },
  fixtures: ["derived-contratos.json"],
});
