import { openStore } from "@cidadao/database/store";
import { createAdmission } from "@cidadao/operations/admit";
import { chooseBackend } from "@cidadao/queue/backend";
import { openProducer } from "@cidadao/queue/produce";
import { parseConfig } from "@cidadao/runtime/config";
import { runProcess, stopOnConfigError } from "@cidadao/runtime/lifecycle";
import { createLogger } from "@cidadao/runtime/logger";
import { createTelemetry } from "@cidadao/runtime/telemetry";
import { buildApp } from "./app.ts";
import { apiEnvironment } from "./config.ts";

try {
  const config = parseConfig(apiEnvironment, process.env);
  const logger = createLogger({ process: "api", level: config.LOG_LEVEL });
  const telemetry = createTelemetry({ process: "api" });
  await runProcess({ logger, drainSeconds: config.DRAIN_SECONDS }, async ({ signal, resources }) => {
    const producer = resources.use(openProducer(chooseBackend(config), logger));
    const store = openStore(config);
    const limits = { waitingMax: config.WAITING_MAX, waitSecondsMax: config.WAIT_SECONDS_MAX };
    const app = await buildApp({
      store,
      admit: createAdmission({ store, limits }),
      enqueue: producer.enqueue,
      queueIsReady: producer.isReady,
      queueDepths: producer.depths,
      queues: producer.queues,
      stopping: signal,
      corsOrigins: config.CORS_ORIGINS,
      secretKey: config.API_SECRET_KEY ?? null,
      feedbackSecret: config.FEEDBACK_SECRET ?? null,
      targetRules: config,
      logger,
      telemetry,
    });
    resources.defer(() => app.close());
    const address = await app.listen({ port: config.PORT, host: config.HOST });
    logger.info({ address }, "API is up");
  });
} catch (error) {
  stopOnConfigError(error);
}
