import type { AlertStatus, ChannelId, DeliveryStatus } from "@cidadao/domain/alert";
import type { Severity } from "@cidadao/domain/severity";
import type { Anomaly } from "./anomalies.ts";
import { camelRow } from "./rows.ts";
import { type Store, unwrap } from "./store.ts";

export type Delivery = {
  id: string;
  alertId: string;
  channel: ChannelId;
  target: string;
  status: DeliveryStatus;
  fence: number;
  attempts: number;
};

export type Alert = {
  id: string;
  investigationId: string;
  severity: Severity;
  findings: number;
  status: AlertStatus;
};

export type DeliveryClaim =
  | { outcome: "claimed"; delivery: Delivery }
  | { outcome: "busy" | "early" | "settled" | "unknown" };

/** Commits `sending` before anything leaves. */
export async function claimDelivery(
  store: Store,
  id: string,
  leaseSeconds: number,
  signal: AbortSignal,
): Promise<DeliveryClaim> {
  const question = store.rpc("claim_alert_delivery", { p_id: id, p_lease_seconds: leaseSeconds }).abortSignal(signal);
  const answer = (await unwrap(question, "claiming the delivery")) as {
    outcome: string;
    delivery?: Record<string, unknown>;
  };
  if (answer.outcome === "claimed") return { outcome: "claimed", delivery: camelRow(answer.delivery!) };
  return answer as Exclude<DeliveryClaim, { outcome: "claimed" }>;
}

export type Settlement =
  | { status: "sent"; externalId: string | null }
  | { status: "failed" | "unknown"; problem: string }
  | { status: "pending"; problem: string; delaySeconds: number };

/** False: somebody else settled it (it was taken for lost). */
export async function settleDelivery(
  store: Store,
  delivery: Pick<Delivery, "id" | "fence">,
  settlement: Settlement,
  signal: AbortSignal,
): Promise<boolean> {
  const args = {
    p_id: delivery.id,
    p_fence: delivery.fence,
    p_status: settlement.status,
    p_external_id: settlement.status === "sent" ? settlement.externalId : null,
    p_problem: settlement.status === "sent" ? null : settlement.problem,
    p_delay_seconds: settlement.status === "pending" ? settlement.delaySeconds : null,
  };
  return (await unwrap(
    store.rpc("settle_alert_delivery", args).abortSignal(signal),
    "settling the delivery",
  )) as boolean;
}

/** The alert and the findings it covers, gravest first, at most `limit`. */
export async function findAlert(
  store: Store,
  id: string,
  limit: number,
  signal: AbortSignal,
): Promise<{ alert: Alert; anomalies: Anomaly[] } | null> {
  const question = store
    .from("alerts")
    .select("id,investigation_id,severity,findings,status,alert_findings(fingerprint)")
    .eq("id", id)
    .abortSignal(signal)
    .maybeSingle();
  const row = (await unwrap(question, "reading the alert")) as Record<string, unknown> | null;
  if (row === null) return null;
  const { alertFindings, ...alert } = camelRow<Alert & { alertFindings: { fingerprint: string }[] }>(row);
  const covered = new Set(alertFindings.map((finding) => finding.fingerprint));
  const anomalies: Anomaly[] = [];
  for (let afterRank = 0; anomalies.length < limit;) {
    const reading = store
      .from("anomalies")
      .select("*")
      .eq("investigation_id", alert.investigationId)
      .gt("rank", afterRank)
      .order("rank")
      .limit(ANOMALIES_PER_READ)
      .abortSignal(signal);
    const rows = ((await unwrap(reading, "reading the alert's anomalies")) as Record<string, unknown>[]).map((row) =>
      camelRow<Anomaly>(row),
    );
    anomalies.push(...rows.filter((anomaly) => covered.has(anomaly.fingerprint)).slice(0, limit - anomalies.length));
    if (rows.length < ANOMALIES_PER_READ) break;
    afterRank = rows.at(-1)!.rank;
  }
  return { alert, anomalies };
}

const ANOMALIES_PER_READ = 100;

export async function takeUnqueuedDeliveries(
  store: Store,
  bounds: { limit: number; graceSeconds: number },
  signal: AbortSignal,
): Promise<{ id: string; fence: number }[]> {
  const args = { p_limit: bounds.limit, p_grace_seconds: bounds.graceSeconds };
  const rows = await unwrap(store.rpc("take_unqueued_deliveries", args).abortSignal(signal), "sweeping deliveries");
  return rows as { id: string; fence: number }[];
}

export async function findDeliveries(
  store: Store,
  ids: string[],
  signal: AbortSignal,
): Promise<{ id: string; fence: number }[]> {
  if (ids.length === 0) return [];
  const question = store.from("alert_deliveries").select("id,fence").in("id", ids).abortSignal(signal);
  return (await unwrap(question, "reading deliveries")) as { id: string; fence: number }[];
}
