import { z } from "zod";
import { callsPerMinute, sourceUrl } from "../config.ts";

export const tceRjConfig = z.object({
  TCE_RJ_URL: sourceUrl
    .default("https://dados.tcerj.tc.br/api/v1")
    .meta({ description: "Base address of the open data of the audit court of Rio de Janeiro" }),
  TCE_RJ_PER_MINUTE: callsPerMinute
    .default(30)
    .meta({ description: "Calls a minute to the audit court of Rio de Janeiro, of all processes together" }),
});
