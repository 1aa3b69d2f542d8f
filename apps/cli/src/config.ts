import { databaseConfig } from "@cidadao/database/store";
import { queueConfig } from "@cidadao/queue/backend";
import { outboundConfig } from "@cidadao/sources/config";
import { sources } from "@cidadao/sources/registry";
import { z } from "zod";

/** What the commands read from the environment to bring data in; each source reads its own part when it is opened. */
export const ingestEnvironment = databaseConfig.extend(queueConfig.shape).extend(outboundConfig.shape);

/** The same with every variable of every source, for documentation. */
export const cliEnvironment = sources.reduce(
  (all, source) => all.extend(source.config.shape),
  z.object(ingestEnvironment.shape) as z.ZodObject,
);
