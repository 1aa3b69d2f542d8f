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
import { findTargetWatches } from "@cidadao/database/watches";
import type { AlertMessage, ChannelId } from "@cidadao/domain/alert";
import { severities, type Severity } from "@cidadao/domain/severity";
import { concerns, type Watched } from "@cidadao/domain/watch";
import { ConfigError } from "@cidadao/runtime/config";
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
  /** The way to an address that a watch names; throws a `ConfigError` where this process has none. */
  openTarget: (given: { channel: ChannelId; address: string }) => AlertTarget["send"];
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
  let message: AlertMessage;
  let send: AlertTarget["send"];
  try {
    const addressee = await findAddressee(context, delivery, signal);
    if (addressee === null)
      return { status: "failed", problem: "its target is no longer configured, and watches nothing" };
    send = addressee.send;
    const found = await readAlerts(context.store, deliveries, addressee, signal);
    if (found.length === 0) return { status: "failed", problem: "the alert is gone, or its target watches it no more" };
    message = composeAlert(found, context);
  } catch (error) {
    if (error instanceof ConfigError) return { status: "failed", problem: error.message };
    return later(delivery.attempts, messageOf(error)); // nothing has left yet
  }
  // From here on the message may have left: shutdown does not cut it short, only its own limit does.
  const outcome = await send(message, AbortSignal.timeout(SEND_TIMEOUT_MS));
  await heed(context, delivery, outcome);
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

type Addressee = Pick<AlertTarget, "send"> & {
  /** Hears of the alert as such, not as somebody who watches what it is about; of findings at least this grave. */
  hearsOf: readonly Severity[] | null;
  watched: Watched[];
};

/** A target of the configuration, of watches, or of both; `null` where it is none any more. */
async function findAddressee(
  context: DeliverContext,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<Addressee | null> {
  const configured = context.targets.find(({ target }) => target === delivery.target);
  const watches = await findTargetWatches(context.store, delivery, signal);
  const watched = watches?.watched ?? [];
  if (configured) {
    const hearsOf = severities.slice(severities.indexOf(configured.severityMin ?? "info"));
    return { send: configured.send, hearsOf, watched };
  }
  if (watches === null) return null;
  return {
    send: context.openTarget({ channel: delivery.channel, address: watches.address }),
    hearsOf: null,
    watched,
  };
}

async function readAlerts(
  store: Store,
  deliveries: Delivery[],
  { hearsOf, watched }: Addressee,
  signal: AbortSignal,
): Promise<FoundAlert[]> {
  const found = await Promise.all(
    deliveries.map(async ({ alertId }): Promise<FoundAlert | null> => {
      const whole = hearsOf === null ? null : await findAlert(store, alertId, told(hearsOf), signal);
      if (whole !== null && (whole.alert.message !== null || whole.anomalies.length > 0))
        return { ...whole, watched: [] };
      return readWatched(store, alertId, watched, signal);
    }),
  );
  return found.filter((one) => one !== null);
}

const told = (hearsOf: readonly Severity[]) => ({ limit: FINDINGS_SHOWN_MAX, severities: hearsOf });

/** Of the alert, what is about something watched: the others are nothing to this target. */
async function readWatched(
  store: Store,
  alertId: string,
  watched: Watched[],
  signal: AbortSignal,
): Promise<FoundAlert | null> {
  const found = await findAlert(store, alertId, { limit: Infinity, severities }, signal);
  if (found === null) return null;
  const anomalies = found.anomalies.filter((anomaly) => watched.some((watch) => concerns(watch, anomaly)));
  const [gravest] = anomalies;
  if (gravest === undefined) return null;
  return {
    alert: { ...found.alert, findings: anomalies.length, severity: gravest.severity },
    anomalies: anomalies.slice(0, FINDINGS_SHOWN_MAX),
    watched: watched.filter((watch) => anomalies.some((anomaly) => concerns(watch, anomaly))),
  };
}

/** What the other side said about more than this message. That it is not noted costs a refusal, not a message. */
async function heed(context: DeliverContext, delivery: Delivery, outcome: SendOutcome): Promise<void> {
  const { channel, target: name } = delivery;
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
