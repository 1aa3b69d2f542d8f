import { type AlertAddressee, raiseAlert } from "@cidadao/database/alerts";
import type { Store } from "@cidadao/database/store";
import type { AlertContent, AlertKind } from "@cidadao/domain/alert";
import type { Enqueue } from "@cidadao/queue/produce";
import type { Logger } from "@cidadao/runtime/logger";
import { enqueueDelivery } from "./sweep-stuck.ts";

export type TellContext = { store: Store; enqueue: Enqueue; alertTargets: AlertAddressee[]; logger: Logger };

/**
 * Raises an alert that no investigation raises, and puts its deliveries on their way. The same key tells once, ever;
 * resolves with the alert's id, or `null` when it had been told before. With nobody to tell it is stored all the same.
 */
export async function tell(
  context: TellContext,
  alert: { kind: Exclude<AlertKind, "findings">; dedupeKey: string; message: AlertContent },
  signal: AbortSignal,
): Promise<string | null> {
  const { alertId, deliveries } = await raiseAlert(context.store, { ...alert, targets: context.alertTargets }, signal);
  await Promise.all(deliveries.map((id) => enqueueDelivery(context, { id, fence: 0 })));
  return alertId;
}
