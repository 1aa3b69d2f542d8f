import { z } from "zod";
import { callsPerMinute, sourceUrl } from "../config.ts";
import type { Rate } from "../outbound.ts";

export const portalConfig = z.object({
  TRANSPARENCY_API_KEY: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]+$/, "a key holds no spaces and no accents")
    .meta({ description: "Key of the Portal da Transparência API (free, by e-mail)" }),
  PORTAL_TRANSPARENCIA_URL: sourceUrl
    .default("https://api.portaldatransparencia.gov.br/api-de-dados")
    .meta({ description: "Base address of the Portal da Transparência API" }),
  PORTAL_TRANSPARENCIA_PER_MINUTE: callsPerMinute
    .default(90)
    .meta({ description: "Calls a minute to the Portal, of all processes together" }),
  PORTAL_TRANSPARENCIA_PER_MINUTE_AT_NIGHT: callsPerMinute
    .optional()
    .meta({ description: "The same from 00:00 to 05:59 in Brasília; unset: as by day" }),
  PORTAL_TRANSPARENCIA_TIMEOUT_SECONDS: z.coerce
    .number()
    .min(0.1)
    .max(300)
    .default(30)
    .meta({ description: "Seconds the Portal may take for one answer, to its last byte" }),
});

/** Paths that name a person or a payee have a limit of their own. */
const RESTRICTED = { perMinute: 180, paths: ["/despesas/documentos-por-favorecido"] };

export function portalRate(config: z.output<typeof portalConfig>): Rate {
  return {
    perMinute: config.PORTAL_TRANSPARENCIA_PER_MINUTE,
    perMinuteAtNight: config.PORTAL_TRANSPARENCIA_PER_MINUTE_AT_NIGHT ?? config.PORTAL_TRANSPARENCIA_PER_MINUTE,
    restricted: RESTRICTED,
  };
}
