import { alertConfig, alertsAreUsable } from "@cidadao/channels/config";
import { databaseConfig } from "@cidadao/database/store";
import { llmConfig } from "@cidadao/llm/config";
import { feedbackConfig } from "@cidadao/operations/feedback-config";
import { watchConfig } from "@cidadao/operations/watched-agencies";
import { queueConfig, queueIsNamed } from "@cidadao/queue/backend";
import { processConfig } from "@cidadao/runtime/config";
import { healthConfig } from "@cidadao/runtime/health-server";
import { cnpjConfig } from "@cidadao/sources/cnpj/config";
import { portalConfig } from "@cidadao/sources/portal-transparencia/config";
import { sourcesConfig } from "@cidadao/sources/registry";
import { z } from "zod";

const workerConfig = z.object({
  WEB_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe("Investigations that one worker runs at once"),
  DETECTOR_THREADS: z.coerce.number().int().min(1).max(64).default(1).describe("Threads for detectors in one worker"),
  LEASE_SECONDS: z.coerce
    .number()
    .int()
    .min(2)
    .max(3_600)
    .default(60)
    .describe("A worker that was silent for this long is taken for dead and its investigation runs again"),
  ENQUEUED_GRACE_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3_600)
    .default(60)
    .describe("Work that waits on the queue for longer is put there again, in case the queue lost it"),
  MODEL_TIMEOUT_SECONDS: z.coerce
    .number()
    .min(0.1)
    .max(120)
    .default(18)
    .describe("Seconds one vendor may take for one explanation, its retry included; then the next is asked"),
  RECYCLE_JOBS: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .describe("After so many jobs a worker ends itself, for a fresh one to be started in its place; unset: never"),
  RECYCLE_MEMORY_MB: z.coerce
    .number()
    .int()
    .min(64)
    .optional()
    .describe("The same when it holds so much memory at the end of a job; unset: never"),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .transform((text) => text.replace(/\/+$/, ""))
    .optional()
    .describe("Public address of the API, for links in alerts"),
});

/** Everything the worker reads from the environment. */
export const workerEnvironment = processConfig
  .extend(databaseConfig.shape)
  .extend(queueConfig.shape)
  .extend(healthConfig.shape)
  .extend(sourcesConfig.shape)
  .extend(portalConfig.shape)
  .extend(cnpjConfig.shape)
  .extend(llmConfig.shape)
  .extend(alertConfig.shape)
  .extend(watchConfig.shape)
  .extend(feedbackConfig.shape)
  .extend(workerConfig.shape)
  .check(queueIsNamed)
  .check(alertsAreUsable);
