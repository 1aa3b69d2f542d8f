import { ConfigError } from "@cidadao/runtime/config";
import { z } from "zod";
import { callsPerMinute } from "../config.ts";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

export const katanaConfig = z.object({
  KATANA_URL: z
    .url({ protocol: /^https?$/ })
    .transform((text) => text.replace(/\/+$/, ""))
    .optional()
    .meta({ description: "Base address of Katana Scan, a private feed of direct awards; unset: it is off" }),
  KATANA_TOKEN: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]+$/, "a token holds no spaces and no accents")
    .optional()
    .meta({ description: "Token of Katana Scan; unset: it is off" }),
  KATANA_PLAIN_HTTP: z
    .enum(["true", "false"])
    .default("false")
    .meta({ description: "`true` lets the token of Katana Scan travel over plain HTTP, where anybody can read it" }),
  KATANA_PER_MINUTE: callsPerMinute
    .default(1)
    .meta({ description: "Calls a minute to Katana Scan, of all processes together" }),
});

/** The address and the token; throws a `ConfigError` where the token would be readable on its way. */
export function katanaAccess(config: z.output<typeof katanaConfig>): { baseUrl: string; token: string } {
  const { KATANA_URL: baseUrl, KATANA_TOKEN: token } = config;
  if (baseUrl === undefined || token === undefined)
    throw new ConfigError("Katana Scan needs KATANA_URL and KATANA_TOKEN");
  const { protocol, hostname } = new URL(baseUrl);
  if (protocol === "http:" && !LOOPBACK.has(hostname) && config.KATANA_PLAIN_HTTP !== "true")
    throw new ConfigError(
      "KATANA_URL: plain HTTP would show the token to everybody on the way; KATANA_PLAIN_HTTP=true allows it",
    );
  return { baseUrl, token };
}
