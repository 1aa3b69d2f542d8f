import { databaseConfig } from "@cidadao/database/store";
import { queueConfig, queueIsNamed } from "@cidadao/queue/backend";
import { processConfig } from "@cidadao/runtime/config";
import { healthConfig } from "@cidadao/runtime/health-server";

/** Everything the scheduler reads from the environment. */
export const schedulerEnvironment = processConfig
  .extend(databaseConfig.shape)
  .extend(queueConfig.shape)
  .extend(healthConfig.shape)
  .check(queueIsNamed);
