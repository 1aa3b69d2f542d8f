import type { IsoDate } from "@cidadao/domain/dates";
import type { Gazette } from "@cidadao/domain/gazette";
import { AppError } from "@cidadao/runtime/errors";
import type { z } from "zod";
import { defineSource, type SourcePage } from "../define-source.ts";
import { type Outbound, uncached } from "../outbound.ts";
import { pageOf } from "../read-rows.ts";
import { askSearch, createQueridoDiarioContext, QUERIDO_DIARIO, type QueridoDiarioContext } from "./client.ts";
import { queridoDiarioConfig } from "./config.ts";
import { gazetteWire, readGazettes, SITE } from "./wire.ts";

const EXCERPT_CHARS = 500;
const EXCERPTS_EACH = 3;

export type GazetteSearch = {
  /** A supplier's name or CNPJ, an agency: words as they stand in the gazette. */
  query: string;
  from: IsoDate | null;
  to: IsoDate | null;
  /** IBGE codes of municipalities; all of them when empty. */
  territories: string[];
  gazettesMax: number;
};

/** Editions in which the words were found; each page says how many there are in all. */
export async function* searchGazettes(
  context: QueridoDiarioContext,
  input: GazetteSearch,
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Gazette> & { total: number }, void, void> {
  const { query, from, to, territories, gazettesMax } = input;
  if (query.trim() === "") throw new AppError("invalid_request", "a search needs words");
  const params = {
    querystring: query.trim(),
    excerpt_size: String(EXCERPT_CHARS),
    number_of_excerpts: String(EXCERPTS_EACH),
    ...(from === null ? {} : { published_since: from }),
    ...(to === null ? {} : { published_until: to }),
    ...(territories.length === 0 ? {} : { territory_ids: territories.join(",") }),
  };
  const read = readGazettes();
  for await (const answer of askSearch(context, { params, rowsMax: gazettesMax }, signal)) {
    yield { ...pageOf(answer, read), total: answer.total };
  }
}

export function openQueridoDiario(
  config: z.output<typeof queridoDiarioConfig>,
  outbound: Outbound,
): QueridoDiarioContext {
  return createQueridoDiarioContext({
    outbound,
    baseUrl: config.QUERIDO_DIARIO_URL,
    perMinute: config.QUERIDO_DIARIO_PER_MINUTE,
    timeoutMs: config.QUERIDO_DIARIO_TIMEOUT_SECONDS * 1_000,
  });
}

export const queridoDiario = defineSource({
  id: QUERIDO_DIARIO,
  name: "Querido Diário",
  publisher: "Open Knowledge Brasil, a partir dos diários oficiais dos municípios",
  homepage: SITE,
  attribution: "Querido Diário / Open Knowledge Brasil",
  licence: "não verificada; os diários oficiais são atos públicos",
  coverage: { spheres: ["municipal"], states: "all" },
  cadence: "diária, só dos municípios que o projeto coleta",
  config: queridoDiarioConfig,
  baseUrls: ["QUERIDO_DIARIO_URL"],
  perMinute: "QUERIDO_DIARIO_PER_MINUTE",
  needs: [],
  auth: "ninguém se identifica",
  open: openQueridoDiario,
  probeRecordsMin: 1,
  async probe(context, signal) {
    const search = { query: "contrato", from: null, to: null, territories: [], gazettesMax: 1 };
    for await (const page of searchGazettes({ door: uncached(context.door) }, search, signal)) {
      return { records: page.records.length, sample: page.sample };
    }
    return { records: 0, sample: null };
  },
  resources: {
    gazettes: {
      title:
        "Busca de palavras nos diários, com trechos lidos por OCR; não é guardada. Não verificado ao vivo: o limite de chamadas e como vários municípios são separados em territory_ids",
      path: "/gazettes",
      kind: "gazettes",
      cadence: "diária",
      wire: gazetteWire,
      read: readGazettes(),
    },
  },
  fixtures: ["derived-gazettes.json"],
});
