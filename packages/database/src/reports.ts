import type { DetectorReport } from "@cidadao/domain/dataset";
import type { Timestamp } from "@cidadao/domain/dates";
import type { SourceCoverage } from "@cidadao/domain/investigation";
import { camelRow } from "./rows.ts";
import { type Store, unwrap } from "./store.ts";

export type Report = {
  investigationId: string;
  title: string;
  markdown: string;
  totals: Record<string, unknown>;
  detectors: DetectorReport[];
  coverage: SourceCoverage[];
  sample: string | null;
  createdAt: Timestamp;
};

export async function findReport(store: Store, investigationId: string, signal: AbortSignal): Promise<Report | null> {
  const question = store
    .from("reports")
    .select("*")
    .eq("investigation_id", investigationId)
    .abortSignal(signal)
    .maybeSingle();
  const row = (await unwrap(question, "reading the report")) as Record<string, unknown> | null;
  return row === null ? null : camelRow(row);
}
