import type { Contract } from "@cidadao/domain/contract";
import type { z } from "zod";
import { defineSource, type SourcePage } from "../define-source.ts";
import { ask, type Outbound, uncached } from "../outbound.ts";
import { pageOf } from "../read-rows.ts";
import { askAll, createKatanaContext, KATANA, type KatanaContext } from "./client.ts";
import { katanaAccess, katanaConfig } from "./config.ts";
import { awardWire, readAwards } from "./wire.ts";

/** All direct awards that the feed has; it has no pages, and no days to ask for. */
export async function* awards(
  context: KatanaContext,
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Contract>, void, void> {
  yield pageOf(await askAll(context, signal), readAwards(context.door.baseUrl));
}

function openKatana(config: z.output<typeof katanaConfig>, outbound: Outbound): KatanaContext {
  return createKatanaContext({ outbound, ...katanaAccess(config), perMinute: config.KATANA_PER_MINUTE });
}

export const katanaScan = defineSource({
  id: KATANA,
  name: "Katana Scan",
  publisher: "terceiro, sem documentação pública",
  homepage: "http://katanascan.xenoumena.com",
  attribution: "Katana Scan",
  licence: "desconhecida",
  coverage: { spheres: [], states: [] },
  cadence: "desconhecida",
  config: katanaConfig,
  baseUrls: ["KATANA_URL"],
  perMinute: "KATANA_PER_MINUTE",
  needs: ["KATANA_URL", "KATANA_TOKEN"],
  auth: "cabeçalho `Authorization: Bearer`; nunca por HTTP simples, a não ser com `KATANA_PLAIN_HTTP=true`",
  open: openKatana,
  probeRecordsMin: 0,
  async probe(context, signal) {
    await ask(uncached(context.door), { path: "/health", params: {} }, signal);
    return { records: 0, sample: null };
  },
  resources: {
    awards: {
      title: "Dispensas, todas numa só resposta. Nada foi verificado: nem campos, nem caminhos, nem frequência",
      path: "/get-all",
      kind: "contracts",
      cadence: "desconhecida",
      wire: awardWire,
      read: readAwards("http://katanascan.xenoumena.com"),
      slices: () => [
        {
          name: "dispensas",
          what: "dispensas do Katana Scan",
          lastDay: null,
          pages: (context, _from, signal) => awards(context, signal),
        },
      ],
    },
  },
  fixtures: ["derived-awards.json"],
});
