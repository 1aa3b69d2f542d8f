import { z } from "zod";
import { callsPerMinute, sourceUrl } from "../config.ts";

export const tceCeConfig = z.object({
  TCE_CE_URL: sourceUrl
    .default("https://api-dados-abertos.tce.ce.gov.br/sim")
    .meta({ description: "Base address of the open data of the audit court of Ceará" }),
  TCE_CE_PER_MINUTE: callsPerMinute
    .default(30)
    .meta({ description: "Calls a minute to the audit court of Ceará, of all processes together" }),
});
