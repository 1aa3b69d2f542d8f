import { defineSource } from "../define-source.ts";
import { ask, type Door, invalid, openDoor, uncached } from "../outbound.ts";
import { pageOf } from "../read-rows.ts";
import { tceSpConfig } from "./config.ts";
import { municipalityWire, readMunicipalities, TCE_SP } from "./wire.ts";

type TceSpContext = { door: Door };

async function askMunicipalities({ door }: TceSpContext, signal: AbortSignal) {
  const { body, ...answered } = await ask(door, { path: "/municipios", params: {} }, signal, (found) => {
    if (!Array.isArray(found)) throw invalid(door, "/municipios não respondeu uma lista");
  });
  return pageOf({ ...answered, rows: body as unknown[], next: null }, readMunicipalities());
}

export const tceSp = defineSource({
  id: TCE_SP,
  name: "TCE-SP",
  publisher: "Tribunal de Contas do Estado de São Paulo",
  homepage: "https://transparencia.tce.sp.gov.br",
  attribution: "TCE-SP, Portal da Transparência Municipal",
  licence: "Dados públicos, uso livre com citação da fonte",
  coverage: { spheres: [], states: [] },
  cadence: "rara",
  config: tceSpConfig,
  baseUrls: ["TCE_SP_URL"],
  perMinute: "TCE_SP_PER_MINUTE",
  needs: [],
  auth: "ninguém precisa se identificar",
  described: {
    by: "the court's own page of the API (municipios, despesas, receitas) and public programs that read it",
    lacks:
      "contracts and procedures: it publishes expenses and revenues only, for which there is no table here, so only the " +
      "municipalities are read and no place counts as covered. The capital is not among them",
  },
  open: (config, outbound): TceSpContext => ({
    door: openDoor(outbound, {
      source: TCE_SP,
      name: "TCE-SP",
      baseUrl: config.TCE_SP_URL,
      rate: { perMinute: config.TCE_SP_PER_MINUTE },
      callsAtOnce: 1,
    }),
  }),
  probeRecordsMin: 600,
  async probe(context, signal) {
    const { records, sample } = await askMunicipalities({ door: uncached(context.door) }, signal);
    return { records: records.length, sample };
  },
  resources: {
    agencies: {
      title: "Municípios fiscalizados; dos gastos deles nada é lido",
      path: "/municipios",
      kind: "agencies",
      cadence: "rara",
      wire: municipalityWire,
      read: readMunicipalities(),
      recordsMin: 600,
      slices: () => [
        {
          name: "municipios",
          what: "municípios fiscalizados pelo TCE-SP",
          lastDay: null,
          async *pages(context, _from, signal) {
            yield await askMunicipalities(context, signal);
          },
        },
      ],
    },
  },
  fixtures: ["derived-municipios.json"],
});
