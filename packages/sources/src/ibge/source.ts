import { defineSource } from "../define-source.ts";
import { ask, type Door, invalid, openDoor, uncached } from "../outbound.ts";
import { pageOf } from "../read-rows.ts";
import { ibgeConfig } from "./config.ts";
import { IBGE, municipalityWire, readMunicipalities } from "./wire.ts";

type IbgeContext = { door: Door };

async function askList({ door }: IbgeContext, path: string, signal: AbortSignal) {
  const { body, ...answered } = await ask(door, { path, params: {} }, signal, (found) => {
    if (!Array.isArray(found)) throw invalid(door, `${path} não respondeu uma lista`);
  });
  return { ...answered, rows: body as unknown[], next: null };
}

export const ibge = defineSource({
  id: IBGE,
  name: "IBGE",
  publisher: "Instituto Brasileiro de Geografia e Estatística (IBGE)",
  homepage: "https://servicodados.ibge.gov.br",
  attribution: "IBGE, API de localidades",
  licence: "Dados públicos, uso livre com citação da fonte",
  coverage: { spheres: [], states: "all" },
  cadence: "rara",
  config: ibgeConfig,
  baseUrls: ["IBGE_URL"],
  perMinute: "IBGE_PER_MINUTE",
  needs: [],
  auth: "ninguém precisa se identificar",
  described: {
    by: "the publisher's documentation of the API of places, and public programs that read it",
    lacks: "nothing that is used: it gives code, name and state of each municipality",
  },
  open: (config, outbound): IbgeContext => ({
    door: openDoor(outbound, {
      source: IBGE,
      name: "IBGE",
      baseUrl: config.IBGE_URL,
      rate: { perMinute: config.IBGE_PER_MINUTE },
      callsAtOnce: 1,
    }),
  }),
  probeRecordsMin: 27,
  async probe(context, signal) {
    const answer = await askList({ door: uncached(context.door) }, "/estados", signal);
    const { sample } = pageOf(answer, readMunicipalities());
    return { records: answer.rows.length, sample };
  },
  resources: {
    municipalities: {
      title: "Municípios, todos numa resposta",
      path: "/municipios",
      kind: "municipalities",
      cadence: "rara",
      wire: municipalityWire,
      read: readMunicipalities(),
      // There were 5,570 before the newest.
      recordsMin: 5_570,
      slices: () => [
        {
          name: "municipios",
          what: "lista de municípios",
          lastDay: null,
          async *pages(context, _from, signal) {
            yield pageOf(await askList(context, "/municipios", signal), readMunicipalities());
          },
        },
      ],
    },
  },
  fixtures: ["derived-municipios.json"],
});
