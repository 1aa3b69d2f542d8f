import { z } from "zod";
import { callsPerMinute, sourceUrl } from "../config.ts";

export const ibgeConfig = z.object({
  IBGE_URL: sourceUrl
    .default("https://servicodados.ibge.gov.br/api/v1/localidades")
    .meta({ description: "Base address of the API of places of IBGE" }),
  IBGE_PER_MINUTE: callsPerMinute
    .default(30)
    .meta({ description: "Calls a minute to IBGE, of all processes together" }),
});
