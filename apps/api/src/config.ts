import { databaseConfig } from "@cidadao/database/store";
import { watchTargetConfig } from "@cidadao/operations/create-watch";
import { feedbackConfig } from "@cidadao/operations/feedback-config";
import { queueConfig, queueIsNamed } from "@cidadao/queue/backend";
import { processConfig } from "@cidadao/runtime/config";
import { z } from "zod";

const apiConfig = z.object({
  HOST: z.string().default("0.0.0.0").describe("Address to listen on"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8_000).describe("Port of the API; 0 takes a free one"),
  CORS_ORIGINS: z
    .string()
    .transform((text) => text.split(",").map((origin) => origin.trim().replace(/\/$/, "")))
    .pipe(z.array(z.url({ protocol: /^https?$/, error: "name origins like https://example.org, separated by commas" })))
    .default([])
    .describe("Exact origins of web pages that may call the API, separated by commas"),
  WAITING_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(20_000)
    .describe(
      "From so many waiting investigations on, new ones that are not urgent get 429; from twice as many all get 503",
    ),
  WAIT_SECONDS_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .default(21_600)
    .describe("While the oldest investigation has waited for so long, new ones that are not urgent get 429"),
  API_SECRET_KEY: z
    .string()
    .min(32, "use at least 32 random characters, for example from: openssl rand -hex 32")
    .optional()
    .describe("Key for the routes that change what runs (X-API-Key or Bearer); unset: those routes are off"),
});

/** Everything the API reads from the environment. */
export const apiEnvironment = processConfig
  .extend(databaseConfig.shape)
  .extend(queueConfig.shape)
  .extend(apiConfig.shape)
  .extend(feedbackConfig.shape)
  .extend(watchTargetConfig.shape)
  .check(queueIsNamed);
