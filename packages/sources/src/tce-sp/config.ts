import { z } from "zod";
import { callsPerMinute, sourceUrl } from "../config.ts";

export const tceSpConfig = z.object({
  TCE_SP_URL: sourceUrl
    .default("https://transparencia.tce.sp.gov.br/api/json")
    .meta({ description: "Base address of the API of the audit court of São Paulo" }),
  TCE_SP_PER_MINUTE: callsPerMinute
    .default(30)
    .meta({ description: "Calls a minute to the audit court of São Paulo, of all processes together" }),
});
