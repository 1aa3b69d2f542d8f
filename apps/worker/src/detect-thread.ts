import { runDetectors } from "@cidadao/detectors/run-detectors";
import type { Dataset, Detection } from "@cidadao/domain/dataset";

export type DetectTask = { dataset: Dataset; detectors: string[] | null };

/** The body of a thread of the detector pool. */
export function detect({ dataset, detectors }: DetectTask): Detection {
  return runDetectors(dataset, detectors === null ? {} : { detectors });
}
