import type { SendOutcome } from "@cidadao/channels/channel";
import { type Alert, claimDelivery, findAlert, settleDelivery, type Settlement } from "@cidadao/database/alerts";
import type { Anomaly } from "@cidadao/database/anomalies";
import type { Store } from "@cidadao/database/store";
import type { AlertMessage } from "@cidadao/domain/alert";
import { formatBrl } from "@cidadao/domain/money";
import { severityNames } from "@cidadao/domain/severity";
import { messageOf } from "@cidadao/runtime/errors";
import type { Logger } from "@cidadao/runtime/logger";
import type { Telemetry } from "@cidadao/runtime/telemetry";

export type AlertTarget = {
  channel: "discord";
  /** Names the target in the database without its secret address. */
  target: string;
  send: (message: AlertMessage, signal: AbortSignal) => Promise<SendOutcome>;
};

export type DeliverContext = {
  store: Store;
  targets: AlertTarget[];
  /** Base of the public API for links back, or `null`. */
  publicUrl: string | null;
  logger: Logger;
  telemetry: Telemetry;
};

const LEASE_SECONDS = 60;
const SEND_TIMEOUT_MS = 30_000;
const SETTLE_TIMEOUT_MS = 10_000;
const ATTEMPTS_MAX = 8;
const BACKOFF_SECONDS = [2, 10, 30, 120, 300];
/** Findings named in one message; the rest is counted. */
const FINDINGS_SHOWN_MAX = 5;

/**
 * Sends one alert to one target, once. `sending` is committed before the message leaves; whatever happens afterwards
 * is settled as sent, failed, to be tried again (only when it surely did not arrive), or unknown.
 */
export async function deliverAlert(
  context: DeliverContext,
  input: { deliveryId: string },
  signal: AbortSignal,
): Promise<void> {
  const log = context.logger.child({ delivery: input.deliveryId });
  const claim = await claimDelivery(context.store, input.deliveryId, LEASE_SECONDS, signal);
  if (claim.outcome !== "claimed") {
    log.debug({ outcome: claim.outcome }, "not ours to send");
    return;
  }
  const { delivery } = claim;
  const settlement = await attempt(context, delivery, signal);
  const settled = await settleDelivery(context.store, delivery, settlement, AbortSignal.timeout(SETTLE_TIMEOUT_MS));
  context.telemetry.alertDeliveries.inc({ channel: delivery.channel, status: settlement.status });
  const problem = settlement.status === "sent" ? undefined : settlement.problem;
  if (settlement.status === "sent") log.info({ settled }, "alert sent");
  else log.warn({ settled, status: settlement.status, problem }, "alert not sent");
}

type Claimed = { id: string; alertId: string; target: string; attempts: number };

async function attempt(context: DeliverContext, delivery: Claimed, signal: AbortSignal): Promise<Settlement> {
  const target = context.targets.find((one) => one.target === delivery.target);
  if (!target) return { status: "failed", problem: "its target is no longer configured in ALERT_WEBHOOKS" };
  let message: AlertMessage;
  try {
    const found = await findAlert(context.store, delivery.alertId, FINDINGS_SHOWN_MAX, signal);
    if (!found) return { status: "failed", problem: "the alert is gone" };
    message = messageFor(found.alert, found.anomalies, context.publicUrl);
  } catch (error) {
    return later(delivery.attempts, messageOf(error)); // nothing has left yet
  }
  // From here on the message may have left: shutdown does not cut it short, only its own limit does.
  const outcome = await target.send(message, AbortSignal.timeout(SEND_TIMEOUT_MS));
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

function later(attempts: number, problem: string, afterSeconds: number | null = null): Settlement {
  if (attempts >= ATTEMPTS_MAX) return { status: "failed", problem: `${problem} (${attempts} tries)` };
  const backoff = BACKOFF_SECONDS[attempts - 1] ?? BACKOFF_SECONDS.at(-1)!;
  return { status: "pending", problem, delaySeconds: Math.ceil(Math.max(backoff, afterSeconds ?? 0)) };
}

/** The same words for every channel; a channel decides only the form. */
function messageFor(alert: Alert, anomalies: Anomaly[], publicUrl: string | null): AlertMessage {
  const total = anomalies.reduce((sum, anomaly) => sum + anomaly.amountAtRiskCents, 0);
  const findings = `${alert.findings} ${alert.findings === 1 ? "indício novo" : "indícios novos"}`;
  return {
    id: alert.id,
    title: `Alerta de anomalia: ${findings}, ${alert.findings === 1 ? "" : "o mais grave "}de severidade ${severityNames[alert.severity]}`,
    severity: alert.severity,
    summary:
      `${anomalies.length === 1 ? "Valor" : `Os ${anomalies.length} mais graves somam valor`} em atenção de ${formatBrl(total)}. ` +
      "Um indício é um motivo para olhar, não uma acusação.",
    findings: anomalies.map((anomaly) => ({
      title: anomaly.title,
      severity: anomaly.severity,
      reason: anomaly.reason,
      agencyName: anomaly.agencyName,
      supplierName: anomaly.supplierName,
      amountAtRiskCents: anomaly.amountAtRiskCents,
      url: anomaly.evidence.records[0]?.url ?? null,
    })),
    findingsTotal: alert.findings,
    investigationUrl: publicUrl === null ? null : `${publicUrl}/api/v1/investigations/${alert.investigationId}/report`,
    sample: anomalies.find((anomaly) => anomaly.sample !== null)?.sample ?? null,
  };
}
