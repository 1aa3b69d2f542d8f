import { openAlertTargets } from "@cidadao/channels/open-targets";
import { openStore } from "@cidadao/database/store";
import { watchWorkers } from "@cidadao/operations/watch-workers";
import { chooseBackend } from "@cidadao/queue/backend";
import { openProducer } from "@cidadao/queue/produce";
import { schedules } from "@cidadao/queue/schedules";
import { scheduleProblems } from "@cidadao/queue/slots";
import { ConfigError, parseConfig } from "@cidadao/runtime/config";
import { pause, repeat } from "@cidadao/runtime/deadline";
import { messageOf } from "@cidadao/runtime/errors";
import { serveHealth } from "@cidadao/runtime/health-server";
import { runProcess, stopOnConfigError } from "@cidadao/runtime/lifecycle";
import { createLogger } from "@cidadao/runtime/logger";
import { createTelemetry } from "@cidadao/runtime/telemetry";
import { schedulerEnvironment } from "./config.ts";
import { tick } from "./tick.ts";

const TICK_MS = 5_000;
/** Without a good tick for this long, the process says that it is not ready. */
const TICK_STALE_MS = 60_000;
const ENQUEUED_GRACE_SECONDS = 120;
const WATCH_MS_MAX = 15_000;
const MESSAGES_PER_MINUTE = 20;
const SEND_LEASE_SECONDS = 60;

try {
  const config = parseConfig(schedulerEnvironment, process.env);
  const problems = scheduleProblems(schedules);
  if (problems.length > 0) throw new ConfigError(`The timetable is not usable:\n  ${problems.join("\n  ")}`);
  const logger = createLogger({ process: "scheduler", level: config.LOG_LEVEL });
  const telemetry = createTelemetry({ process: "scheduler" });
  await runProcess({ logger, drainSeconds: config.DRAIN_SECONDS }, async ({ signal, resources }) => {
    const store = openStore(config);
    const producer = resources.use(openProducer(chooseBackend(config), logger));
    const context = {
      store,
      enqueue: producer.enqueue,
      queueIsReady: producer.isReady,
      graceSeconds: ENQUEUED_GRACE_SECONDS,
      logger,
    };
    let lastTick = Number.NEGATIVE_INFINITY;
    if (config.HEALTH_PORT !== undefined) {
      const ready = () => ({ ok: performance.now() - lastTick < TICK_STALE_MS, detail: { queue: producer.isReady() } });
      resources.use(await serveHealth({ port: config.HEALTH_PORT, host: config.HOST, telemetry, ready }));
    }
    logger.info({ schedules: schedules.map((schedule) => schedule.id) }, "scheduler is up");
    const onError = (error: unknown) => logger.error({ error: messageOf(error) }, "tick failed");
    const ticking = repeat({ intervalMs: TICK_MS, signal, onError }, async () => {
      await tick(context, schedules, signal);
      lastTick = performance.now();
    });
    resources.defer(() => ticking);

    const targets = resources.use(openAlertTargets(config));
    if (targets.list.length === 0) logger.warn("no ALERT_… target is set here: nobody is told when no worker is there");
    const watching = {
      store,
      targets: targets.list,
      openTarget: targets.open,
      queueDepths: producer.depths,
      goneSeconds: config.WORKERS_GONE_SECONDS,
      groupMax: 1,
      messagesPerMinute: MESSAGES_PER_MINUTE,
      quietHours: null,
      sendLeaseSeconds: SEND_LEASE_SECONDS,
      publicUrl: null,
      feedbackSecret: null,
      logger,
      telemetry,
    };
    const goneMs = config.WORKERS_GONE_SECONDS * 1_000;
    const onBlind = (error: unknown) => logger.error({ error: messageOf(error) }, "could not look for workers");
    const watchingWorkers = async () => {
      // After a whole system was down, its workers have as long to come as they may be silent.
      await pause(goneMs, signal);
      await repeat({ intervalMs: Math.min(goneMs, WATCH_MS_MAX), signal, onError: onBlind }, async () => {
        await watchWorkers(watching, signal);
      });
    };
    const looking = watchingWorkers();
    resources.defer(() => looking);
  });
} catch (error) {
  stopOnConfigError(error);
}
