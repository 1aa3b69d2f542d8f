import { Readable } from "node:stream";
import { EVENTS_PER_READ, type InvestigationEvent, listEvents } from "@cidadao/database/events";
import type { Store } from "@cidadao/database/store";
import { pause } from "@cidadao/runtime/deadline";
import { AppError } from "@cidadao/runtime/errors";
import type { FastifyReply } from "fastify";

const POLL_MS = 500;
/** The server cuts a socket that is silent for 15 s, and proxies often one that is for 30. */
const HEARTBEAT_MS = 10_000;
const STREAM_MS_MAX = 30 * 60_000;
const READ_TIMEOUT_MS = 10_000;

/**
 * Sends the events of an investigation from the database: complete, in order, replayable after `afterSeq`, ended by the
 * last one. While the database is away the stream stays open and goes on where it was.
 */
export function streamEvents(
  context: { store: Store; stopping: AbortSignal },
  reply: FastifyReply,
  from: { investigationId: string; afterSeq: number },
): FastifyReply {
  const closed = new AbortController();
  reply.raw.on("close", () => closed.abort());
  const signal = AbortSignal.any([closed.signal, context.stopping, AbortSignal.timeout(STREAM_MS_MAX)]);
  return (
    reply
      .header("content-type", "text/event-stream; charset=utf-8")
      .header("cache-control", "no-cache, no-transform")
      .header("x-accel-buffering", "no")
      // Kept alive after its last event, it would hold up the shutdown.
      .header("connection", "close")
      .send(Readable.from(lines(context.store, from, signal)))
  );
}

async function* lines(
  store: Store,
  from: { investigationId: string; afterSeq: number },
  signal: AbortSignal,
): AsyncGenerator<string> {
  let afterSeq = from.afterSeq;
  let lastSentMs = performance.now();
  yield ": events follow\n\n";
  while (!signal.aborted) {
    const events = await readEvents(store, from.investigationId, afterSeq, signal);
    for (const event of events) {
      yield `id: ${event.seq}\nevent: progress\ndata: ${JSON.stringify(event)}\n\n`;
      if (event.phase === "finished") return;
      afterSeq = event.seq;
      lastSentMs = performance.now();
    }
    if (events.length === EVENTS_PER_READ) continue;
    if (performance.now() - lastSentMs > HEARTBEAT_MS) {
      yield ": still here\n\n";
      lastSentMs = performance.now();
    }
    await pause(POLL_MS, signal);
  }
}

async function readEvents(
  store: Store,
  id: string,
  afterSeq: number,
  signal: AbortSignal,
): Promise<InvestigationEvent[]> {
  try {
    return await listEvents(store, id, afterSeq, AbortSignal.any([signal, AbortSignal.timeout(READ_TIMEOUT_MS)]));
  } catch (error) {
    if (signal.aborted || (error instanceof AppError && error.code === "store_unavailable")) return [];
    throw error;
  }
}
