import { ConfigError } from "@cidadao/runtime/config";
import { limitedSignal, withDeadline } from "@cidadao/runtime/deadline";
import { messageOf } from "@cidadao/runtime/errors";
import type { Logger } from "@cidadao/runtime/logger";
import {
  consumerConnection,
  postgresConnection,
  postgresWorker,
  prepareBackend,
  type QueueBackend,
  RedisWorker,
} from "./backend.ts";
import { jobCatalogue, type JobName, type JobPayload, queueNames, type QueueName } from "./jobs.ts";
import { throttledReporter } from "./produce.ts";

/** One handler for each job of the catalogue: a job without one does not compile. */
export type JobHandlers = {
  [Name in JobName]: (payload: JobPayload<Name>, signal: AbortSignal) => Promise<void>;
};

const LOCK_MS = 60_000;
const STALLED_CHECK_MS = 15_000;
/** The row counts crashes; BullMQ's own limit of 1 would turn a crash into a failure. */
const STALLED_COUNT_MAX = 100;
const DRAIN_DELAY_SECONDS = 5;
/** For handlers to settle what they hold; then for the queue to hear that their jobs are over. */
const SETTLE_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2_000;

type AnyWorker = {
  on(event: "error" | "failed", listener: (...args: never[]) => void): unknown;
  close(force?: boolean): Promise<void>;
  pause(doNotWaitActive?: boolean): Promise<void>;
  resume(): void;
};

export type Consumer = AsyncDisposable & {
  /** Takes no more jobs of the queue until `resume`; those under way go on. */
  pause: (queue: QueueName) => void;
  resume: (queue: QueueName) => void;
  /** Takes no more jobs; resolves when those under way are over, at the latest after `timeoutMs` or when told to stop. */
  drain: (timeoutMs: number, signal: AbortSignal) => Promise<void>;
};

/**
 * Takes jobs of every queue until it is disposed of; disposal aborts what runs. Handlers settle their own work in the
 * database; an error that reaches this place is a bug, logged here, and its row is found by the sweep.
 */
export async function consume(
  backend: QueueBackend,
  handlers: JobHandlers,
  options: {
    concurrency: Record<QueueName, number>;
    logger: Logger;
    queues?: readonly QueueName[];
    /** Called after each job, whatever became of it. */
    onJobDone?: () => void;
  },
): Promise<Consumer> {
  const { logger } = options;
  const consumed = options.queues ?? queueNames;
  const idle = consumed.filter((name) => !(options.concurrency[name] >= 1));
  if (idle.length > 0)
    throw new ConfigError(`no consumer for the queue ${idle.join(", ")}: its jobs would wait for ever`);
  await prepareBackend(backend);
  const report = throttledReporter(logger);
  const stop = new AbortController();

  const process = async (
    job: { name: string; data: unknown; id?: string | undefined },
    _token: unknown,
    lost?: AbortSignal,
  ) => {
    const name = job.name as JobName;
    const entry = jobCatalogue[name];
    const payload = entry?.payload.safeParse(job.data);
    if (!payload?.success) {
      logger.error({ job: job.name, jobId: job.id }, "dropped a job that the catalogue does not know");
      return;
    }
    using limited = limitedSignal(entry.timeoutMs, [stop.signal, ...(lost ? [lost] : [])]);
    const handler = handlers[name] as (payload: unknown, signal: AbortSignal) => Promise<void>;
    const handling = handler(payload.data, limited.signal);
    handled.add(handling);
    try {
      await handling;
    } catch (error) {
      logger.error({ job: name, jobId: job.id, error: messageOf(error) }, "a job failed outside its own settlement");
      throw error;
    } finally {
      handled.delete(handling);
      options.onJobDone?.();
    }
  };

  const handled = new Set<Promise<void>>();
  const connections: ReturnType<typeof consumerConnection>[] = [];
  const workers = consumed.map((name): AnyWorker => {
    const settings = {
      concurrency: options.concurrency[name],
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: STALLED_COUNT_MAX,
      drainDelay: DRAIN_DELAY_SECONDS,
    };
    // Three parameters: BullMQ passes the signal of a lost lock only to a processor that declares it.
    const processor = (job: Parameters<typeof process>[0], token?: string, signal?: AbortSignal) =>
      process(job, token, signal);
    if (backend.kind === "postgres") {
      return new postgresWorker(name, processor, { ...settings, connection: postgresConnection(backend) });
    }
    const connection = consumerConnection(backend.url);
    connection.redis.on("error", report);
    connections.push(connection);
    return new RedisWorker(name, processor, { ...settings, connection: connection.redis, prefix: backend.prefix });
  });
  const workerOf = (queue: QueueName) => workers[consumed.indexOf(queue)];
  for (const worker of workers) worker.on("error", (error: Error) => report(error));

  return {
    pause: (queue) => void workerOf(queue)?.pause(true).catch(report),
    resume: (queue) => workerOf(queue)?.resume(),
    drain: async (timeoutMs, signal) => {
      using limited = limitedSignal(timeoutMs, [signal]);
      const over = Promise.withResolvers<void>();
      limited.signal.addEventListener("abort", () => over.resolve(), { once: true });
      await Promise.race([Promise.allSettled(workers.map((worker) => worker.close())), over.promise]);
      if (handled.size > 0) logger.warn({ jobs: handled.size }, "not every job came to its end");
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error("shutdown"));
      const leave = (error: unknown) => logger.warn({ error: messageOf(error) }, "left the workers behind");
      const settling = Promise.allSettled(handled);
      // An unreachable Redis lets a worker close only by force, which does not wait for its jobs. Their rows are released.
      const isReachable = connections.every(({ redis }) => redis.status === "ready");
      const close = (worker: AnyWorker) => (isReachable ? worker.close() : settling.then(() => worker.close(true)));
      const closing = Promise.allSettled(workers.map(close));
      await withDeadline(settling, SETTLE_TIMEOUT_MS, "settling running jobs").catch(leave);
      await withDeadline(closing, CLOSE_TIMEOUT_MS, "closing the workers").catch(leave);
      for (const connection of connections) connection.disconnect();
    },
  };
}
