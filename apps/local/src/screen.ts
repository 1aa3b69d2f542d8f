import { styleText } from "node:util";
import { formatBrl } from "@cidadao/domain/money";
import Table from "cli-table3";
import type { ShownAnomaly, ShownEvent } from "./api-client.ts";

/** Everything the terminal shows; `out` is where. */
export type Screen = {
  line(text?: string): void;
  step(text: string): void;
  progress(event: ShownEvent): void;
  anomalies(anomalies: ShownAnomaly[]): void;
  columns: number;
};

const BAR_CHARACTERS = 24;
const COLUMNS_MIN = 100;
const COLUMNS_MAX = 170;

export function createScreen(out: NodeJS.WriteStream): Screen {
  const columns = Math.min(Math.max(out.columns ?? COLUMNS_MIN, COLUMNS_MIN), COLUMNS_MAX);
  const line = (text = "") => void out.write(`${text}\n`);
  return {
    columns,
    line,
    step: (text) => line(`${styleText("green", "●")} ${text}`),
    progress: (event) => {
      const filled = Math.round(event.progress * BAR_CHARACTERS);
      const bar = "█".repeat(filled) + "░".repeat(BAR_CHARACTERS - filled);
      line(`  ${styleText("cyan", bar)} ${String(Math.round(event.progress * 100)).padStart(3)} %  ${event.message}`);
    },
    anomalies: (anomalies) => line(anomalyTable(anomalies, columns)),
  };
}

const severityColours: Record<string, Parameters<typeof styleText>[0]> = {
  critical: ["bold", "red"],
  high: "red",
  medium: "yellow",
  low: "green",
};
const severityLabels: Record<string, string> = {
  critical: "crítica",
  high: "alta",
  medium: "média",
  low: "baixa",
  info: "informativa",
};

function anomalyTable(anomalies: ShownAnomaly[], columns: number): string {
  const fixed = { rank: 4, severity: 13, money: 21 };
  const free = columns - fixed.rank - fixed.severity - fixed.money - 7;
  const share = (fraction: number) => Math.floor(free * fraction);
  const table = new Table({
    head: ["#", "gravidade", "o quê", "quem", "R$ em atenção", "por quê", "onde conferir"],
    colWidths: [fixed.rank, fixed.severity, share(0.18), share(0.24), fixed.money, share(0.34), share(0.24)],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const anomaly of anomalies) {
    const record = anomaly.evidence.records[0];
    table.push([
      anomaly.rank,
      styleText(severityColours[anomaly.severity] ?? "dim", severityLabels[anomaly.severity] ?? anomaly.severity),
      anomaly.title,
      [anomaly.agencyName, anomaly.supplierName].filter(Boolean).join(" → "),
      { content: formatBrl(anomaly.amountAtRiskCents), hAlign: "right" },
      anomaly.reason,
      record ? `${record.label} ${breakable(record.url, share(0.24) - 2)}` : "",
    ]);
  }
  return table.toString();
}

/** A URL has no spaces to wrap at; without a break the table would cut it. */
function breakable(url: string, width: number): string {
  return url.match(new RegExp(`.{1,${Math.max(width, 8)}}`, "g"))?.join("\n") ?? url;
}
