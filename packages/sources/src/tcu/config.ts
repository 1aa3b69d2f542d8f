import { z } from "zod";
import { callsPerMinute, sourceUrl } from "../config.ts";

export const tcuConfig = z.object({
  TCU_URL: sourceUrl
    .default("https://contas.tcu.gov.br/ords")
    .meta({ description: "Base address of the open lists of the federal audit court (TCU)" }),
  TCU_PER_MINUTE: callsPerMinute
    .default(30)
    .meta({ description: "Calls a minute to the federal audit court, of all processes together" }),
});
