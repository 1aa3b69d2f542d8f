import type { Verdict } from "@cidadao/domain/anomaly";
import { camelRow } from "./rows.ts";
import { type Store, unwrap } from "./store.ts";

/** False: there is no such anomaly. */
export async function recordFeedback(
  store: Store,
  given: { anomalyId: string; verdict: Verdict },
  signal: AbortSignal,
): Promise<boolean> {
  const args = { p_anomaly: given.anomalyId, p_verdict: given.verdict };
  return (await unwrap(store.rpc("record_feedback", args).abortSignal(signal), "recording the verdict")) as boolean;
}

/** Counts verdicts by detector; how many detectors have any. */
export async function computeDetectorPrecision(store: Store, signal: AbortSignal): Promise<number> {
  return (await unwrap(store.rpc("compute_detector_precision").abortSignal(signal), "computing precision")) as number;
}

export type DetectorPrecision = {
  detector: string;
  detectorVersion: number;
  confirmed: number;
  falsePositive: number;
};

export async function listDetectorPrecision(store: Store, signal: AbortSignal): Promise<DetectorPrecision[]> {
  const columns = "detector,detector_version,confirmed,false_positive";
  const question = store.from("detector_precision").select(columns).order("detector").abortSignal(signal);
  return ((await unwrap(question, "reading precision")) as Record<string, unknown>[]).map((row) => camelRow(row));
}
