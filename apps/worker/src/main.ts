import { hostname } from "node:os";
import { openAlertTargets } from "@cidadao/channels/open-targets";
import { createModelChain, type ModelCall } from "@cidadao/llm/chain";
import { configuredModels } from "@cidadao/llm/config";
import { readDatabaseTime } from "@cidadao/database/schedule-runs";
import { createStoredCache } from "@cidadao/database/source-responses";
import { openStore } from "@cidadao/database/store";
import { noteWorker } from "@cidadao/database/worker-presence";
import { parseQuietHours } from "@cidadao/operations/quiet-hours";
import { STORE_BACK_MS } from "@cidadao/operations/run-investigation";
import { sweepStuck } from "@cidadao/operations/sweep-stuck";
import { chooseBackend, producerConnection } from "@cidadao/queue/backend";
import { consume, type Consumer } from "@cidadao/queue/consume";
import { openProducer } from "@cidadao/queue/produce";
import { ConfigError, parseConfig } from "@cidadao/runtime/config";
import { pause, repeat } from "@cidadao/runtime/deadline";
import { messageOf } from "@cidadao/runtime/errors";
import { serveHealth } from "@cidadao/runtime/health-server";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { runProcess, stopOnConfigError } from "@cidadao/runtime/lifecycle";
import { createLogger } from "@cidadao/runtime/logger";
import { observedCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { createTelemetry } from "@cidadao/runtime/telemetry";
import type { Outbound } from "@cidadao/sources/outbound";
import { openPortal } from "@cidadao/sources/portal-transparencia/source";
import { openCnpj } from "@cidadao/sources/cnpj/source";
import { CNPJ } from "@cidadao/sources/cnpj/wire";
import { katanaScan } from "@cidadao/sources/katana-scan/source";
import { pncp } from "@cidadao/sources/pncp/source";
import { sources, sourcesInUse } from "@cidadao/sources/registry";
import { tcu } from "@cidadao/sources/tcu/source";
import { workerEnvironment } from "./config.ts";
import { openDetectorPool } from "./detector-pool.ts";
import { createHandlers, type WorkerContext } from "./handlers.ts";
import { recycleReason } from "./recycling.ts";

/** How often this worker looks for work that is not on the queue: after an outage of the queue, work resumes this soon. */
const RELAY_MS = 1_000;
const RELAY_STALE_MS = 60_000;
const PRESENCE_MS = 5_000;
const ALERTS_PER_MESSAGE_MAX = 10;
const SEND_LEASE_SECONDS = 60;

try {
  const config = parseConfig(workerEnvironment, process.env);
  const logger = createLogger({ process: "worker", level: config.LOG_LEVEL });
  const telemetry = createTelemetry({ process: "worker" });
  await runProcess({ logger, drainSeconds: config.DRAIN_SECONDS }, async ({ signal, resources, stop }) => {
    const store = openStore(config);
    const backend = chooseBackend(config);
    const producer = resources.use(openProducer(backend, logger));
    const http = resources.use(
      createHttpClient({
        // Publishers can see who asks, and where to complain.
        userAgent: `cidadao-ai/0.1 (public spending watch${config.PUBLIC_URL ? `; ${config.PUBLIC_URL}` : ""})`,
        onResponse: ({ source, status, error, durationMs }) => {
          telemetry.sourceRequests.inc({ api_name: source, status_code: String(status ?? error ?? "none") });
          telemetry.sourceSeconds.observe({ api_name: source }, durationMs / 1000);
        },
      }),
    );
    const pool = resources.use(openDetectorPool({ threads: config.DETECTOR_THREADS }));
    const targets = resources.use(openAlertTargets(config));
    if (targets.list.length === 0)
      logger.warn("neither ALERT_WEBHOOKS, ALERT_EMAILS nor ALERT_SIGNED_WEBHOOKS is set: nobody is alerted");
    const outbound: Outbound = {
      http,
      ...sharedLimits(),
      cache: observedCache(createStoredCache(store), (result) => telemetry.cacheOperations.inc({ result })),
      cacheTtlSeconds: config.CACHE_TTL,
      observe: ({ source, kind }) => telemetry.sourceEvents.inc({ api_name: source, event: kind }),
    };
    const portal = openPortal(config, outbound);
    const inUse = sourcesInUse(config.SOURCES, process.env).map((source) => ({
      ...source,
      ...source.open(process.env, outbound),
    }));

    let storeIsAway = false;
    const context: WorkerContext = {
      store,
      portal,
      enqueue: producer.enqueue,
      queueIsReady: producer.isReady,
      storeIsJustBack: () => storeIsAway,
      detect: pool.detect,
      explain: {
        models: createModelChain(configuredModels({ http }, config), {
          onCall: countModelCall,
          callTimeoutMs: config.MODEL_TIMEOUT_SECONDS * 1_000,
        }),
        logger,
      },
      targets: targets.list,
      openTarget: targets.open,
      alertTargets: targets.list.map(({ channel, target, severityMin }) => ({ channel, target, severityMin })),
      groupMax: ALERTS_PER_MESSAGE_MAX,
      messagesPerMinute: config.ALERT_MESSAGES_PER_MINUTE,
      sendLeaseSeconds: SEND_LEASE_SECONDS,
      quietHours: config.ALERT_QUIET_HOURS === undefined ? null : parseQuietHours(config.ALERT_QUIET_HOURS),
      alertSeverityMin: config.ALERT_SEVERITY_MIN,
      publicUrl: config.PUBLIC_URL ?? null,
      feedbackSecret: config.FEEDBACK_SECRET ?? null,
      leaseSeconds: config.LEASE_SECONDS,
      graceSeconds: config.ENQUEUED_GRACE_SECONDS,
      watchedAgencies: config.WATCHED_AGENCIES,
      openingPoints: config.OPENING_POINTS,
      probedSources: inUse,
      sourcesOff: sources.filter((source) => !inUse.some(({ id }) => id === source.id)).map(({ name }) => name),
      katana: inUse.find(({ id }) => id === katanaScan.id) ?? null,
      pncp: inUse.find(({ id }) => id === pncp.id) ?? null,
      tcu: inUse.find(({ id }) => id === tcu.id) ?? null,
      cnpj: inUse.some(({ id }) => id === CNPJ) ? openCnpj(config, outbound) : null,
      queueDepths: producer.depths,
      logger,
      telemetry,
    };

    let lastRelay = Number.NEGATIVE_INFINITY;
    if (config.HEALTH_PORT !== undefined) {
      const ready = () => ({
        ok: performance.now() - lastRelay < RELAY_STALE_MS,
        detail: { queue: producer.isReady() },
      });
      resources.use(await serveHealth({ port: config.HEALTH_PORT, host: config.HOST, telemetry, ready }));
    }
    const onError = (error: unknown) => {
      logger.warn({ error: messageOf(error) }, "sweep failed");
      storeIsAway = true;
    };
    const relaying = repeat({ intervalMs: RELAY_MS, signal, onError }, async () => {
      if (storeIsAway) {
        await readDatabaseTime(store, signal);
        await pause(Math.min(STORE_BACK_MS, config.LEASE_SECONDS * 1_000), signal);
        storeIsAway = false;
      }
      const swept = await sweepStuck(context, { graceSeconds: config.ENQUEUED_GRACE_SECONDS }, signal);
      if (swept.investigations + swept.deliveries > 0) logger.info(swept, "put back on the queue");
      lastRelay = performance.now();
    });
    resources.defer(() => relaying);

    const concurrency = { investigations: config.WEB_CONCURRENCY, alerts: 4, ingest: 3, maintenance: 2 };
    const limits = { jobsMax: config.RECYCLE_JOBS ?? null, memoryMbMax: config.RECYCLE_MEMORY_MB ?? null };
    let jobsDone = 0;
    let recycling: Promise<void> | undefined;
    const consumer = resources.use(await consumeWhenReady());
    resources.defer(() => recycling);
    logger.info({ queue: backend.kind, concurrency }, "worker is up");

    /** With the queue away at start the worker waits for it instead of dying. */
    async function consumeWhenReady(): Promise<Consumer> {
      const handlers = createHandlers(context, {
        pause: () => consumer.pause("investigations"),
        resume: () => consumer.resume("investigations"),
      });
      for (;;) {
        try {
          return await consume(backend, handlers, { concurrency, logger, onJobDone });
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof ConfigError) throw error;
          logger.warn({ error: messageOf(error) }, "the queue is not there yet");
          await pause(RELAY_MS, signal);
        }
      }
    }

    // Who cannot reach the queue takes no jobs, and so is not there.
    const name = `${hostname()}:${process.pid}`;
    const onSilence = (error: unknown) => logger.warn({ error: messageOf(error) }, "gave no sign of life");
    const beating = repeat({ intervalMs: PRESENCE_MS, signal, onError: onSilence }, async () => {
      if (producer.isReady()) await noteWorker(store, name, signal);
    });
    resources.defer(() => beating);

    function onJobDone() {
      const reason = recycleReason(limits, { jobsDone: ++jobsDone, memoryBytes: process.memoryUsage.rss() });
      if (reason === null || recycling !== undefined) return;
      logger.info({ reason }, "takes no more jobs and makes room for a fresh worker");
      recycling = consumer.drain(config.DRAIN_SECONDS * 1_000, signal).then(() => stop(reason));
    }

    function sharedLimits() {
      if (backend.kind !== "redis") return openSharedLimits(null);
      const redis = producerConnection(backend.url);
      redis.on("error", () => {}); // the limits go on in memory, and the queue reports the outage
      resources.defer(() => redis.disconnect());
      return openSharedLimits({ redis, keyPrefix: backend.prefix });
    }

    function countModelCall({ provider, model, result, tokens }: ModelCall) {
      telemetry.modelRequests.inc({ provider, model, result });
      telemetry.modelTokens.inc({ provider, model, type: "input" }, tokens.input);
      telemetry.modelTokens.inc({ provider, model, type: "output" }, tokens.output);
    }
  });
} catch (error) {
  stopOnConfigError(error);
}
