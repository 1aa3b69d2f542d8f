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
const COLUMNS_MAX = 160;
/** Of a pipe or a file, which have no width. */
const COLUMNS_DEFAULT = 140;

export function createScreen(out: NodeJS.WriteStream): Screen {
  const columns = Math.min(Math.max(out.columns ?? COLUMNS_DEFAULT, COLUMNS_MIN), COLUMNS_MAX);
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

const RANK_COLUMNS = 4;
const SEVERITY_COLUMNS = 13;
const MONEY_COLUMNS = 21;

/** One row an anomaly, and under it, over the whole width, where to check it: a wrapped address would be of no use. */
function anomalyTable(anomalies: ShownAnomaly[], columns: number): string {
  const free = columns - RANK_COLUMNS - SEVERITY_COLUMNS - MONEY_COLUMNS - 7;
  const share = (fraction: number) => Math.floor(free * fraction);
  const table = new Table({
    head: ["#", "gravidade", "o quê", "quem", "R$ em atenção", "por quê"],
    colWidths: [RANK_COLUMNS, SEVERITY_COLUMNS, share(0.24), share(0.3), MONEY_COLUMNS, share(0.46)],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const anomaly of anomalies) {
    const [record] = anomaly.evidence.records;
    table.push(
      [
        anomaly.rank,
        styleText(severityColours[anomaly.severity] ?? "dim", severityLabels[anomaly.severity] ?? anomaly.severity),
        anomaly.title,
        [anomaly.agencyName, anomaly.supplierName].filter(Boolean).join(" → "),
        { content: formatBrl(anomaly.amountAtRiskCents), hAlign: "right" },
        anomaly.reason,
      ],
      ...(record ? [["", { content: `conferir: ${record.label}\n${record.url}`, colSpan: 5 }]] : []),
    );
  }
  return table.toString();
}
