import { AppError, messageOf } from "@cidadao/runtime/errors";
import { pause, withDeadline } from "@cidadao/runtime/deadline";
import type { Logger } from "@cidadao/runtime/logger";
import {
  postgresConnection,
  postgresQueue,
  prepareBackend,
  producerConnection,
  type QueueBackend,
  RedisQueue,
} from "./backend.ts";
import { jobCatalogue, jobId, type JobName, type JobPayload, queueNames, type QueueName } from "./jobs.ts";

export type Enqueue = <Name extends JobName>(
  name: Name,
  payload: JobPayload<Name>,
  options: { timeoutMs: number; priority?: number },
) => Promise<void>;

export type Producer = AsyncDisposable & {
  /** Puts a job on its queue, or rejects with `queue_unavailable` within `timeoutMs`; the job may still have arrived. */
  enqueue: Enqueue;
  /** Jobs nobody has taken yet, by queue; `null` while the queue cannot be asked. */
  depths: (timeoutMs: number) => Promise<Record<QueueName, number> | null>;
  /** The queues as BullMQ has them, always the same list, for its own tools; `null` while they are away. */
  queues: () => readonly unknown[] | null;
  /** False while the queue is known to be away. Never asks. */
  isReady: () => boolean;
};

type AnyQueue = {
  add(name: string, data: unknown, options: Record<string, unknown>): Promise<unknown>;
  getJobCounts(...types: string[]): Promise<Record<string, number>>;
  close(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
};

const PAYLOAD_BYTES_MAX = 4_096;
const CLOSE_TIMEOUT_MS = 3_000;
const RETRY_MS = 1_000;

/** Opens the producing side. Returns at once, with the queue there or not; it connects when the queue comes. */
export function openProducer(backend: QueueBackend, logger: Logger): Producer {
  const opened = backend.kind === "redis" ? openRedis(backend, logger) : openPostgres(backend, logger);
  const enqueue: Enqueue = async (name, payload, { timeoutMs, priority }) => {
    const queue = opened.queues()?.[jobCatalogue[name].queue];
    if (!queue) throw new AppError("queue_unavailable", "the queue is not reachable");
    try {
      await withDeadline(
        queue.add(name, payload, {
          jobId: jobId(payload),
          attempts: 1, // tries are counted in the row, not in the queue
          removeOnComplete: true,
          removeOnFail: true, // a failed job that stays would swallow a later one of the same id
          sizeLimit: PAYLOAD_BYTES_MAX,
          ...(priority === undefined ? {} : { priority }),
        }),
        timeoutMs,
        `enqueueing ${name}`,
      );
    } catch (error) {
      throw new AppError("queue_unavailable", `could not enqueue ${name}: ${messageOf(error)}`, { cause: error });
    }
  };
  const depths = async (timeoutMs: number) => {
    const queues = opened.queues();
    if (!queues) return null;
    try {
      const counted = queueNames.map(async (name) => {
        const counts = await queues[name].getJobCounts("waiting", "prioritized", "delayed");
        return [name, Object.values(counts).reduce((sum, count) => sum + count, 0)] as const;
      });
      return Object.fromEntries(await withDeadline(Promise.all(counted), timeoutMs, "counting jobs")) as Record<
        QueueName,
        number
      >;
    } catch {
      return null;
    }
  };
  let listed: readonly unknown[] | undefined;
  const queues = () => {
    const all = opened.queues();
    return all === null ? null : (listed ??= Object.values(all));
  };
  return { enqueue, depths, queues, isReady: () => opened.queues() !== null, [Symbol.asyncDispose]: opened.close };
}

type Opened = { queues: () => Record<QueueName, AnyQueue> | null; close: () => Promise<void> };

function openRedis(backend: Extract<QueueBackend, { kind: "redis" }>, logger: Logger): Opened {
  const connection = producerConnection(backend.url);
  const report = throttledReporter(logger);
  connection.on("error", report);
  let queues: Record<QueueName, AnyQueue> | null = null;
  // A BullMQ queue that is built before its connection is ready hangs or stays broken, so it is built after.
  connection.on("ready", () => {
    queues ??= eachQueue((name) => {
      const queue: AnyQueue = new RedisQueue(name, { connection, prefix: backend.prefix });
      queue.on("error", report);
      return queue;
    });
  });
  return {
    queues: () => (connection.status === "ready" ? queues : null),
    close: async () => {
      if (queues) await closeAll(Object.values(queues));
      connection.disconnect();
    },
  };
}

function openPostgres(backend: Extract<QueueBackend, { kind: "postgres" }>, logger: Logger): Opened {
  const report = throttledReporter(logger);
  let queues: Record<QueueName, AnyQueue> | null = null;
  const closing = new AbortController();
  const open = async () => {
    while (!closing.signal.aborted && !queues) {
      try {
        await prepareBackend(backend);
        queues = eachQueue((name) => {
          const queue: AnyQueue = new postgresQueue(name, { connection: postgresConnection(backend) });
          queue.on("error", report);
          return queue;
        });
      } catch (error) {
        report(error as Error);
        await pause(RETRY_MS, closing.signal);
      }
    }
  };
  const opening = open();
  return {
    queues: () => queues,
    close: async () => {
      closing.abort();
      await opening;
      if (queues) await closeAll(Object.values(queues));
    },
  };
}

function eachQueue(make: (name: QueueName) => AnyQueue): Record<QueueName, AnyQueue> {
  return Object.fromEntries(queueNames.map((name) => [name, make(name)])) as Record<QueueName, AnyQueue>;
}

async function closeAll(queues: AnyQueue[]): Promise<void> {
  const closing = Promise.allSettled(queues.map((queue) => queue.close()));
  await withDeadline(closing, CLOSE_TIMEOUT_MS, "closing the queue").catch(() => {}); // an unreachable queue never closes
}

const REPORT_INTERVAL_MS = 5_000;

/** A lost queue errors many times a second; one line in five seconds says the same. */
export function throttledReporter(logger: Logger): (error: Error) => void {
  let last = Number.NEGATIVE_INFINITY;
  let held = 0;
  return (error) => {
    held++;
    const now = performance.now();
    if (now - last < REPORT_INTERVAL_MS) return;
    logger.warn({ error: error.message, times: held }, "the queue reports an error");
    last = now;
    held = 0;
  };
}
