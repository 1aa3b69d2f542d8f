import { z } from "zod";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** A base address: https, or this machine. */
export const sourceUrl = z
  .url({ protocol: /^https?$/ })
  .refine(
    (text) => !URL.canParse(text) || new URL(text).protocol === "https:" || LOOPBACK.has(new URL(text).hostname),
    "must use https, or what is sent and read can be changed on the way",
  )
  .transform((text) => text.replace(/\/+$/, ""));

export const callsPerMinute = z.coerce.number().int().min(1).max(10_000_000);

/** What holds for every source. */
export const outboundConfig = z.object({
  CACHE_TTL: z.coerce
    .number()
    .int()
    .min(0)
    .max(31_536_000)
    .default(3_600)
    .meta({ description: "Seconds an answer of a source is reused; 0 turns the cache off" }),
  SOURCES: z
    .string()
    .transform((list) => list.split(",").map((id) => id.trim()))
    .optional()
    .meta({
      description:
        "Ids of the sources in use (docs/sources.md), separated by commas; default: all that have their key and were recorded",
    }),
});
