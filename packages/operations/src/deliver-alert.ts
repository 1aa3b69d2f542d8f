import type { SendOutcome } from "@cidadao/channels/channel";
import {
  type AlertAddressee,
  claimDelivery,
  type Delivery,
  disableTarget,
  findAlert,
  findDelivery,
  pauseTarget,
  putOffDelivery,
  settleDelivery,
  type Settlement,
} from "@cidadao/database/alerts";
import type { Store } from "@cidadao/database/store";
import type { AlertMessage } from "@cidadao/domain/alert";
import { severities, type Severity } from "@cidadao/domain/severity";
import { messageOf } from "@cidadao/runtime/errors";
import type { Logger } from "@cidadao/runtime/logger";
import type { Telemetry } from "@cidadao/runtime/telemetry";
import { type AlertLinks, composeAlert, type FoundAlert } from "./compose-alert.ts";
import { type QuietHours, quietUntil } from "./quiet-hours.ts";

export type AlertTarget = AlertAddressee & {
  send: (message: AlertMessage, signal: AbortSignal) => Promise<SendOutcome>;
};

export type DeliverContext = AlertLinks & {
  store: Store;
  targets: AlertTarget[];
  /** Alerts that wait for the same target leave in one message, at most so many; 1: each has its own. */
  groupMax: number;
  /** More messages than this wait for a minute, and leave as one. Critical ones do not wait. */
  messagesPerMinute: number;
  quietHours: QuietHours | null;
  /** A sender that has not settled by then is taken for dead and its message for unknown: more than a sending can take. */
  sendLeaseSeconds: number;
  logger: Logger;
  telemetry: Telemetry;
};

const SEND_TIMEOUT_MS = 30_000;
const SETTLE_TIMEOUT_MS = 10_000;
const ATTEMPTS_MAX = 8;
const BACKOFF_SECONDS = [2, 10, 30, 120, 300];
/** Findings of one alert that a message names; the rest is counted. */
const FINDINGS_SHOWN_MAX = 5;

/**
 * Sends one alert to one target, once, with whatever else waits for that target. `sending` is committed before the
 * message leaves; whatever happens afterwards is settled as sent, failed, to be tried again (only when it surely did not
 * arrive), or unknown.
 */
export async function deliverAlert(
  context: DeliverContext,
  input: { deliveryId: string },
  signal: AbortSignal,
): Promise<void> {
  const log = context.logger.child({ delivery: input.deliveryId });
  if (await isPutOff(context, input.deliveryId, signal)) return log.info("waits for the end of the quiet hours");
  const bounds = {
    leaseSeconds: context.sendLeaseSeconds,
    groupMax: context.groupMax,
    perMinute: context.messagesPerMinute,
  };
  const claim = await claimDelivery(context.store, input.deliveryId, bounds, signal);
  if (claim.outcome !== "claimed") {
    log.debug({ outcome: claim.outcome }, "not ours to send");
    return;
  }
  const { delivery, grouped } = claim;
  const settlement = await attempt(context, [delivery, ...grouped], signal);
  const settled = await settleDelivery(context.store, delivery, settlement, AbortSignal.timeout(SETTLE_TIMEOUT_MS));
  context.telemetry.alertDeliveries.inc({ channel: delivery.channel, status: settlement.status }, 1 + grouped.length);
  const problem = settlement.status === "sent" ? undefined : settlement.problem;
  const told = { settled, alerts: 1 + grouped.length };
  if (settlement.status === "sent") log.info(told, "alert sent");
  else log.warn({ ...told, status: settlement.status, problem }, "alert not sent");
}

/** In the quiet hours only critical alerts leave; nothing is claimed, so no attempt is counted. */
async function isPutOff(context: DeliverContext, deliveryId: string, signal: AbortSignal): Promise<boolean> {
  const until = quietUntil(context.quietHours, new Date());
  if (until === null) return false;
  const found = await findDelivery(context.store, deliveryId, signal);
  if (!found || found.status !== "pending" || found.severity === "critical") return false;
  await putOffDelivery(context.store, deliveryId, until, signal);
  return true;
}

async function attempt(context: DeliverContext, deliveries: Delivery[], signal: AbortSignal): Promise<Settlement> {
  const [delivery] = deliveries as [Delivery];
  const target = context.targets.find((one) => one.target === delivery.target);
  if (!target) return { status: "failed", problem: "its target is no longer configured" };
  let message: AlertMessage;
  try {
    const severitiesTold = severities.slice(severities.indexOf(target.severityMin ?? "info"));
    const found = await readAlerts(context.store, deliveries, severitiesTold, signal);
    if (found.length === 0) return { status: "failed", problem: "the alert is gone" };
    message = composeAlert(found, context);
  } catch (error) {
    return later(delivery.attempts, messageOf(error)); // nothing has left yet
  }
  // From here on the message may have left: shutdown does not cut it short, only its own limit does.
  const outcome = await target.send(message, AbortSignal.timeout(SEND_TIMEOUT_MS));
  await heed(context, target, outcome);
  switch (outcome.kind) {
    case "sent":
      return { status: "sent", externalId: outcome.externalId };
    case "failed":
    case "unknown":
      return { status: outcome.kind, problem: outcome.problem };
    case "retry":
      return later(delivery.attempts, outcome.problem, outcome.afterSeconds);
  }
}

async function readAlerts(
  store: Store,
  deliveries: Delivery[],
  severitiesTold: readonly Severity[],
  signal: AbortSignal,
): Promise<FoundAlert[]> {
  const bounds = { limit: FINDINGS_SHOWN_MAX, severities: severitiesTold };
  const found = await Promise.all(deliveries.map(({ alertId }) => findAlert(store, alertId, bounds, signal)));
  return found.filter((one) => one !== null);
}

/** What the other side said about more than this message. That it is not noted costs a refusal, not a message. */
async function heed(context: DeliverContext, target: AlertTarget, outcome: SendOutcome): Promise<void> {
  const { channel, target: name } = target;
  const signal = AbortSignal.timeout(SETTLE_TIMEOUT_MS);
  try {
    if (outcome.kind === "failed" && outcome.targetIsGone)
      await disableTarget(context.store, { channel, target: name, problem: outcome.problem }, signal);
    if (outcome.kind === "retry" && outcome.pause && outcome.afterSeconds !== null) {
      const whole = outcome.pause === "channel";
      const pause = { channel, target: whole ? null : name, seconds: outcome.afterSeconds, problem: outcome.problem };
      await pauseTarget(context.store, pause, signal);
    }
    if (outcome.kind === "sent" && outcome.pauseSeconds !== undefined) {
      const problem = "the other side takes no more for now";
      await pauseTarget(context.store, { channel, target: name, seconds: outcome.pauseSeconds, problem }, signal);
    }
  } catch (error) {
    context.logger.warn({ target: name, error: messageOf(error) }, "not noted about the target");
  }
}

function later(attempts: number, problem: string, afterSeconds: number | null = null): Settlement {
  if (attempts >= ATTEMPTS_MAX) return { status: "failed", problem: `${problem} (${attempts} tries)` };
  const backoff = BACKOFF_SECONDS[attempts - 1] ?? BACKOFF_SECONDS.at(-1)!;
  return { status: "pending", problem, delaySeconds: Math.ceil(Math.max(backoff, afterSeconds ?? 0)) };
}
