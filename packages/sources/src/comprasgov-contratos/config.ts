import { z } from "zod";
import { callsPerMinute, sourceUrl } from "../config.ts";

export const comprasgovContratosConfig = z.object({
  COMPRASGOV_URL: sourceUrl
    .default("https://dadosabertos.compras.gov.br")
    .meta({ description: "Base address of the open data of Compras.gov.br" }),
  COMPRASNET_CONTRATOS_URL: sourceUrl
    .default("https://contratos.comprasnet.gov.br")
    .meta({ description: "Base address of contratos.comprasnet, which has the history of each contract" }),
  COMPRASGOV_PER_MINUTE: callsPerMinute
    .default(30)
    .meta({ description: "Calls a minute to each of the two, of all processes together; they publish no limit" }),
  COMPRASGOV_TIMEOUT_SECONDS: z.coerce.number().min(0.1).max(600).default(60).meta({
    description:
      "Seconds Compras.gov.br may take for one answer; the list of a whole unit may take three times as long",
  }),
});
