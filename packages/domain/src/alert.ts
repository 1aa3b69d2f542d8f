import type { Severity } from "./severity.ts";

export const alertStatuses = ["pending", "sending", "sent", "failed", "unknown", "acknowledged"] as const;
export type AlertStatus = (typeof alertStatuses)[number];

/** One delivery: an alert on its way to one target of one channel. */
export const deliveryStatuses = ["pending", "sending", "sent", "failed", "unknown"] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

export const channelIds = ["discord", "email", "webhook"] as const;
export type ChannelId = (typeof channelIds)[number];

/** `findings`: of one investigation. `digest`: of a time. `operations`: about this system itself. */
export const alertKinds = ["findings", "digest", "operations"] as const;
export type AlertKind = (typeof alertKinds)[number];

export type AlertFinding = {
  title: string;
  severity: Severity;
  reason: string;
  agencyName: string | null;
  supplierName: string | null;
  amountAtRiskCents: number;
  url: string | null;
  /** Where a person says whether it is one; `null` where nobody is asked. */
  feedbackUrl?: string | null | undefined;
};

/** What an alert says, whoever is told; a channel decides only the form. */
export type AlertContent = {
  title: string;
  severity: Severity;
  /** One line on the whole: how many findings, how much money, of which data. */
  summary: string;
  /** Further lines: what is not a finding, or what was left out. */
  notes: string[];
  findings: AlertFinding[];
  /** How many findings it covers; more than `findings` holds when it was cut. */
  findingsTotal: number;
  investigationUrl: string | null;
  sample: string | null;
};

/** What a channel is asked to say: the alerts it tells of, several when a burst became one message. */
export type AlertMessage = AlertContent & { ids: string[] };
