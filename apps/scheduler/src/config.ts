import { alertsAreUsable, targetsConfig } from "@cidadao/channels/config";
import { databaseConfig } from "@cidadao/database/store";
import { queueConfig, queueIsNamed } from "@cidadao/queue/backend";
import { processConfig } from "@cidadao/runtime/config";
import { healthConfig } from "@cidadao/runtime/health-server";
import { z } from "zod";

const schedulerConfig = z.object({
  WORKERS_GONE_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(120)
    .describe("After so long without a sign of any worker, the scheduler itself alerts, to the targets of ALERT_…"),
});

/** Everything the scheduler reads from the environment. */
export const schedulerEnvironment = processConfig
  .extend(databaseConfig.shape)
  .extend(queueConfig.shape)
  .extend(healthConfig.shape)
  .extend(targetsConfig.shape)
  .extend(schedulerConfig.shape)
  .check(queueIsNamed)
  .check(alertsAreUsable);
