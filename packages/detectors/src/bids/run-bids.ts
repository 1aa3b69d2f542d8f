import type { Timestamp } from "@cidadao/domain/dates";
import type { LineWarning } from "../indicators/line-warnings.ts";
import { parseLine } from "../indicators/parse-line.ts";
import { createIndicatorRun, type IndicatorResult, type IndicatorState } from "../indicators/run-indicators.ts";
import { defaultSettings, type IndicatorSettings } from "../indicators/settings.ts";
import { comparesPrices } from "../indicators/submitted-bids.ts";
import { bidFindings, type BidDetection } from "./bid-findings.ts";
import { readProcess, type BidProcess } from "./read-process.ts";

export type BidState = { indicators: IndicatorState; processes: Map<string, BidProcess> };

export type BidRun = {
  addLine: (text: string, lineNumber: number) => void;
  addRelease: (value: unknown, lineNumber?: number) => void;
  merge: (later: BidState) => void;
  finish: () => BidDetection & { result: IndicatorResult };
  readonly state: BidState;
  readonly warnings: readonly LineWarning[];
};

/**
 * The indicators and the patterns over bids, as findings. Unlike a run of the indicators alone it keeps every process in
 * memory. `retrievedAt` is when the releases were read from their publisher.
 */
export function createBidRun(
  { retrievedAt }: { retrievedAt: Timestamp },
  settings: IndicatorSettings = defaultSettings(),
): BidRun {
  const run = createIndicatorRun(settings);
  const processes = new Map<string, BidProcess>();
  const { excludedMethodDetails } = settings.common;
  const addRelease = (value: unknown, lineNumber: number | null = null) => {
    run.addRelease(value, lineNumber);
    const process = readProcess(value);
    if (typeof process === "string" || process.tenderStatus === "cancelled") return;
    const details = process.procurementMethodDetails;
    if (details === null || !excludedMethodDetails.has(details)) processes.set(process.ocid, process);
  };
  return {
    state: { indicators: run.state, processes },
    warnings: run.warnings,
    addRelease,
    addLine: (text, lineNumber) => {
      const line = parseLine(text);
      if (line.kind === "json") addRelease(line.value, lineNumber);
      else run.addLine(text, lineNumber);
    },
    merge: (later) => {
      run.merge(later.indicators);
      for (const [ocid, process] of later.processes) processes.set(ocid, process);
    },
    finish: () => {
      const result = run.finish();
      const context = {
        comparesPrices: (process: BidProcess) => comparesPrices(process, settings.common),
        retrievedAt,
      };
      return { ...bidFindings(result, processes, context), result };
    },
  };
}
