import { z } from "zod";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

const portalUrl = z
  .url({ protocol: /^https?$/ })
  .refine(
    (text) => !URL.canParse(text) || new URL(text).protocol === "https:" || LOOPBACK.has(new URL(text).hostname),
    "must use https, or the key would travel in clear",
  )
  .transform((text) => text.replace(/\/+$/, ""));

export const portalConfig = z.object({
  TRANSPARENCY_API_KEY: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]+$/, "a key holds no spaces and no accents")
    .meta({ description: "Key of the Portal da Transparência API (free, by e-mail)" }),
  PORTAL_TRANSPARENCIA_URL: portalUrl
    .default("https://api.portaldatransparencia.gov.br/api-de-dados")
    .meta({ description: "Base address of the Portal da Transparência API" }),
  PORTAL_TRANSPARENCIA_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000_000)
    .default(90)
    .meta({ description: "Calls a minute to the Portal, of all processes together" }),
  PORTAL_TRANSPARENCIA_TIMEOUT_SECONDS: z.coerce
    .number()
    .min(0.1)
    .max(300)
    .default(30)
    .meta({ description: "Seconds the Portal may take for one answer, to its last byte" }),
  CACHE_TTL: z.coerce
    .number()
    .int()
    .min(0)
    .max(31_536_000)
    .default(3_600)
    .meta({ description: "Seconds an answer of a source is reused; 0 turns the cache off" }),
});
