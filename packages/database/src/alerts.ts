import type { AlertContent, AlertKind, AlertStatus, ChannelId, DeliveryStatus } from "@cidadao/domain/alert";
import type { Timestamp } from "@cidadao/domain/dates";
import type { Severity } from "@cidadao/domain/severity";
import type { Anomaly } from "./anomalies.ts";
import { type ListPosition, olderThan } from "./list-position.ts";
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
  kind: AlertKind;
  /** `null`: the alert says by itself, in `message`, what it has to say. */
  investigationId: string | null;
  message: AlertContent | null;
  severity: Severity;
  findings: number;
  status: AlertStatus;
  createdAt: Timestamp;
  settledAt: Timestamp | null;
  acknowledgedAt: Timestamp | null;
};

const ALERT_COLUMNS =
  "id,kind,investigation_id,message,severity,findings,status,created_at,settled_at,acknowledged_at" as const;

/** Who is to be told, and from which severity on; `null`: of everything. */
export type AlertAddressee = { channel: ChannelId; target: string; severityMin: Severity | null };

/** Raises an alert that no investigation raises. The same key raises one, ever: `null` for every later caller. */
export async function raiseAlert(
  store: Store,
  alert: { kind: Exclude<AlertKind, "findings">; dedupeKey: string; message: AlertContent; targets: AlertAddressee[] },
  signal: AbortSignal,
): Promise<{ alertId: string | null; deliveries: string[] }> {
  const args = {
    p_kind: alert.kind,
    p_dedupe_key: alert.dedupeKey,
    p_severity: alert.message.severity,
    p_message: alert.message,
    p_targets: alert.targets,
  };
  return (await unwrap(store.rpc("raise_alert", args).abortSignal(signal), "raising the alert")) as {
    alertId: string | null;
    deliveries: string[];
  };
}

export type DeliveryClaim =
  /** `grouped`: others to the same target, which its message carries as well. */
  | { outcome: "claimed"; delivery: Delivery; grouped: Delivery[] }
  | { outcome: "busy" | "early" | "settled" | "disabled" | "unknown" };

/** Commits `sending` before anything leaves. */
export async function claimDelivery(
  store: Store,
  id: string,
  bounds: { leaseSeconds: number; groupMax: number; perMinute: number },
  signal: AbortSignal,
): Promise<DeliveryClaim> {
  const args = {
    p_id: id,
    p_lease_seconds: bounds.leaseSeconds,
    p_group_max: bounds.groupMax,
    p_per_minute: bounds.perMinute,
  };
  const question = store.rpc("claim_alert_delivery", args).abortSignal(signal);
  const answer = (await unwrap(question, "claiming the delivery")) as {
    outcome: string;
    delivery?: Record<string, unknown>;
    grouped?: Record<string, unknown>[];
  };
  if (answer.outcome === "claimed") {
    const grouped = answer.grouped!.map((row) => camelRow<Delivery>(row));
    return { outcome: "claimed", delivery: camelRow(answer.delivery!), grouped };
  }
  return answer as Exclude<DeliveryClaim, { outcome: "claimed" }>;
}

/** Waits until then, with no attempt counted. */
export async function putOffDelivery(store: Store, id: string, until: Date, signal: AbortSignal): Promise<void> {
  const args = { p_id: id, p_until: until.toISOString() };
  await unwrap(store.rpc("put_off_alert_delivery", args).abortSignal(signal), "putting the delivery off");
}

/** `target` null: everything that goes through the channel. */
export async function pauseTarget(
  store: Store,
  pause: { channel: ChannelId; target: string | null; seconds: number; problem: string },
  signal: AbortSignal,
): Promise<void> {
  const args = {
    p_channel: pause.channel,
    p_target: pause.target,
    p_seconds: pause.seconds,
    p_problem: pause.problem,
  };
  await unwrap(store.rpc("pause_alert_target", args).abortSignal(signal), "pausing the target");
}

/** Every further delivery to it fails until somebody resends an alert to it. */
export async function disableTarget(
  store: Store,
  target: { channel: ChannelId; target: string; problem: string },
  signal: AbortSignal,
): Promise<void> {
  const args = { p_channel: target.channel, p_target: target.target, p_problem: target.problem };
  await unwrap(store.rpc("disable_alert_target", args).abortSignal(signal), "disabling the target");
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

/** The alert and the findings it covers, gravest first, at most `limit`, of those at least as grave as `severities` allow. */
export async function findAlert(
  store: Store,
  id: string,
  bounds: { limit: number; severities: readonly Severity[] },
  signal: AbortSignal,
): Promise<{ alert: Alert; anomalies: Anomaly[] } | null> {
  const question = store
    .from("alerts")
    .select(`${ALERT_COLUMNS},alert_findings(fingerprint)`)
    .eq("id", id)
    .abortSignal(signal)
    .maybeSingle();
  const row = (await unwrap(question, "reading the alert")) as Record<string, unknown> | null;
  if (row === null) return null;
  const { alertFindings, ...alert } = camelRow<Alert & { alertFindings: { fingerprint: string }[] }>(row);
  if (alert.investigationId === null) return { alert, anomalies: [] };
  const covered = new Set(alertFindings.map((finding) => finding.fingerprint));
  const anomalies: Anomaly[] = [];
  for (let afterRank = 0; anomalies.length < bounds.limit;) {
    const reading = store
      .from("anomalies")
      .select("*")
      .eq("investigation_id", alert.investigationId)
      .in("severity", bounds.severities)
      .gt("rank", afterRank)
      .order("rank")
      .limit(ANOMALIES_PER_READ)
      .abortSignal(signal);
    const rows = ((await unwrap(reading, "reading the alert's anomalies")) as Record<string, unknown>[]).map((row) =>
      camelRow<Anomaly>(row),
    );
    const told = rows.filter((anomaly) => covered.has(anomaly.fingerprint));
    anomalies.push(...told.slice(0, bounds.limit - anomalies.length));
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

export async function findDelivery(
  store: Store,
  id: string,
  signal: AbortSignal,
): Promise<{ status: DeliveryStatus; severity: Severity } | null> {
  const question = store.from("alert_deliveries").select("status,alerts(severity)").eq("id", id);
  const row = await unwrap(question.abortSignal(signal).maybeSingle(), "reading the delivery");
  const found = row as unknown as { status: DeliveryStatus; alerts: { severity: Severity } } | null;
  return found === null ? null : { status: found.status, severity: found.alerts.severity };
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

/** False: there is no such alert. */
export async function acknowledgeAlert(store: Store, id: string, signal: AbortSignal): Promise<boolean> {
  const outcome = await unwrap(store.rpc("acknowledge_alert", { p_id: id }).abortSignal(signal), "acknowledging");
  return outcome === "acknowledged";
}

/** Sends again what failed or may not have arrived, because somebody decided so: what is to be enqueued. */
export async function resendAlert(
  store: Store,
  id: string,
  signal: AbortSignal,
): Promise<{ id: string; fence: number }[]> {
  const rows = await unwrap(store.rpc("resend_alert", { p_id: id }).abortSignal(signal), "resending the alert");
  return rows as { id: string; fence: number }[];
}

export type ListedAlert = Omit<Alert, "message"> & {
  deliveries: (Pick<Delivery, "id" | "channel" | "target" | "status" | "attempts"> & {
    problem: string | null;
    settledAt: Timestamp | null;
  })[];
};

const LISTED =
  "id,kind,investigation_id,severity,findings,status,created_at,settled_at,acknowledged_at," +
  "alert_deliveries(id,channel,target,status,attempts,problem,settled_at)";

function listedAlert(row: Record<string, unknown>): ListedAlert {
  const { alert_deliveries: deliveries, ...alert } = row;
  return {
    ...camelRow<Omit<ListedAlert, "deliveries">>(alert),
    deliveries: (deliveries as Record<string, unknown>[]).map((one) => camelRow(one)),
  };
}

/** Newest first. */
export async function listAlerts(
  store: Store,
  filter: { status?: AlertStatus | undefined; before?: ListPosition | undefined; limit: number },
  signal: AbortSignal,
): Promise<ListedAlert[]> {
  let question = store.from("alerts").select(LISTED);
  if (filter.status) question = question.eq("status", filter.status);
  if (filter.before) question = question.or(olderThan(filter.before));
  const ordered = question.order("created_at", { ascending: false }).order("id", { ascending: false });
  const rows = await unwrap(ordered.limit(filter.limit).abortSignal(signal), "listing alerts");
  return (rows as unknown as Record<string, unknown>[]).map(listedAlert);
}

export async function findAlertById(store: Store, id: string, signal: AbortSignal): Promise<ListedAlert | null> {
  const question = store.from("alerts").select(LISTED).eq("id", id).abortSignal(signal).maybeSingle();
  const row = await unwrap(question, "reading the alert");
  return row === null ? null : listedAlert(row as unknown as Record<string, unknown>);
}

/** Of the alert with this key, what was not tried yet or waits to be tried again. */
export async function listPendingDeliveries(store: Store, dedupeKey: string, signal: AbortSignal): Promise<string[]> {
  const question = store
    .from("alert_deliveries")
    .select("id,alerts!inner(dedupe_key)")
    .eq("alerts.dedupe_key", dedupeKey)
    .eq("status", "pending")
    .order("id")
    .abortSignal(signal);
  return ((await unwrap(question, "reading pending deliveries")) as { id: string }[]).map(({ id }) => id);
}
