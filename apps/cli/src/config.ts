import { databaseConfig } from "@cidadao/database/store";
import { queueConfig } from "@cidadao/queue/backend";
import { outboundConfig } from "@cidadao/sources/config";
import { downloadsConfig } from "@cidadao/sources/downloads/published-downloads";
import { sourcesConfig } from "@cidadao/sources/registry";

/** What the commands read from the environment to bring data in; each source reads its own part when it is opened. */
export const ingestEnvironment = databaseConfig.extend(queueConfig.shape).extend(outboundConfig.shape);

/** The same with every variable of every source, for documentation. */
export const cliEnvironment = ingestEnvironment.extend(sourcesConfig.shape).extend(downloadsConfig.shape);
