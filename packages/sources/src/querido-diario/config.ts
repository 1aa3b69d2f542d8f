import { z } from "zod";
import { callsPerMinute, sourceUrl } from "../config.ts";

export const queridoDiarioConfig = z.object({
  QUERIDO_DIARIO_URL: sourceUrl
    .default("https://api.queridodiario.ok.org.br")
    .meta({ description: "Base address of Querido Diário, the search in municipal gazettes" }),
  QUERIDO_DIARIO_PER_MINUTE: callsPerMinute
    .default(60)
    .meta({ description: "Calls a minute to Querido Diário, of all processes together; it publishes no limit" }),
  QUERIDO_DIARIO_TIMEOUT_SECONDS: z.coerce
    .number()
    .min(0.1)
    .max(120)
    .default(30)
    .meta({ description: "Seconds Querido Diário may take for one answer, to its last byte" }),
});
