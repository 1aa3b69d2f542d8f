import type { Severity } from "./severity.ts";

export const alertStatuses = ["pending", "sending", "sent", "failed", "unknown", "acknowledged"] as const;
export type AlertStatus = (typeof alertStatuses)[number];

/** One delivery: an alert on its way to one target of one channel. */
export const deliveryStatuses = ["pending", "sending", "sent", "failed", "unknown"] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

export const channelIds = ["discord"] as const;
export type ChannelId = (typeof channelIds)[number];

/** What a channel is asked to say; it decides only the form. */
export type AlertMessage = {
  id: string;
  title: string;
  severity: Severity;
  /** One line on the whole: how many findings, how much money, of which data. */
  summary: string;
  findings: {
    title: string;
    severity: Severity;
    reason: string;
    agencyName: string | null;
    supplierName: string | null;
    amountAtRiskCents: number;
    url: string | null;
  }[];
  /** How many findings the alert covers; more than `findings` holds when it was cut. */
  findingsTotal: number;
  investigationUrl: string | null;
  sample: string | null;
};
