import { takeUnqueuedDeliveries } from "@cidadao/database/alerts";
import { takeUnqueuedInvestigations } from "@cidadao/database/investigations";
import type { Store } from "@cidadao/database/store";
import type { Enqueue } from "@cidadao/queue/produce";
import { messageOf } from "@cidadao/runtime/errors";
import type { Logger } from "@cidadao/runtime/logger";
import type { Telemetry } from "@cidadao/runtime/telemetry";
import { enqueueInvestigation } from "./open-investigation.ts";

export type SweepContext = {
  store: Store;
  enqueue: Enqueue;
  /** False while the queue is known to be away: then nothing is taken that could not be put anywhere. */
  queueIsReady: () => boolean;
  /** True while workers may still give back what they held when the database went away: they have not crashed. */
  storeIsJustBack: () => boolean;
  logger: Logger;
  telemetry: Telemetry;
};

export type SweepCounts = { investigations: number; deliveries: number };

const TAKEN_PER_SWEEP = 200;
const ENQUEUE_TIMEOUT_MS = 2_500;

/**
 * Puts back on the queue whatever should be there and is not: rows that were never enqueued, that the queue lost, or
 * whose worker died. Harmless at any time, by any number of processes.
 */
export async function sweepStuck(
  context: SweepContext,
  input: { graceSeconds: number },
  signal: AbortSignal,
): Promise<SweepCounts> {
  if (!context.queueIsReady() || context.storeIsJustBack()) return { investigations: 0, deliveries: 0 };
  const bounds = { limit: TAKEN_PER_SWEEP, graceSeconds: input.graceSeconds };
  const investigations = await takeUnqueuedInvestigations(context.store, bounds, signal);
  await Promise.all(investigations.map((investigation) => enqueueInvestigation(context, investigation)));
  const deliveries = await takeUnqueuedDeliveries(context.store, bounds, signal);
  await Promise.all(deliveries.map((delivery) => enqueueDelivery(context, delivery)));
  const counts = { investigations: investigations.length, deliveries: deliveries.length };
  for (const [kind, count] of Object.entries(counts)) if (count > 0) context.telemetry.swept.inc({ kind }, count);
  return counts;
}

/** A delivery that could not be enqueued is taken again by a later sweep. */
export async function enqueueDelivery(
  context: Pick<SweepContext, "enqueue" | "logger">,
  delivery: { id: string; fence: number },
): Promise<void> {
  try {
    const payload = { deliveryId: delivery.id, fence: delivery.fence };
    await context.enqueue("deliver-alert", payload, { timeoutMs: ENQUEUE_TIMEOUT_MS });
  } catch (error) {
    context.logger.warn({ delivery: delivery.id, error: messageOf(error) }, "not enqueued; the sweep will do it");
  }
}
