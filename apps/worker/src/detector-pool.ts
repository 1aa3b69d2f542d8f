import type { Dataset, Detection } from "@cidadao/domain/dataset";
import { withoutMemorySaver } from "@cidadao/runtime/memory-saver";
import { Piscina } from "piscina";
import type { DetectTask } from "./detect-thread.ts";

const THREAD_IDLE_MS = 5_000;
const QUEUED_MAX = 64;
/** A dataset that needs more ends its thread, not the process. */
const THREAD_HEAP_MB_MAX = 1_024;
/** From here on the data take more memory than V8 could save, and time begins to matter. */
const LARGE_CONTRACTS = 5_000;

export type DetectorPool = AsyncDisposable & {
  detect: (dataset: Dataset, detectors: string[] | null, signal: AbortSignal) => Promise<Detection>;
};

/** Detectors run in threads of their own, so that leases are renewed while they think; an abort ends the thread. */
export function openDetectorPool(options: { threads: number }): DetectorPool {
  const pool = new Piscina<DetectTask, Detection>({
    filename: new URL("detect-thread.ts", import.meta.url).href,
    name: "detect",
    minThreads: 0,
    maxThreads: options.threads,
    idleTimeout: THREAD_IDLE_MS,
    maxQueue: QUEUED_MAX,
    resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB_MAX },
  });
  return {
    detect: (dataset, detectors, signal) => {
      const run = () => pool.run({ dataset, detectors }, { signal });
      return dataset.contracts.length >= LARGE_CONTRACTS ? withoutMemorySaver(run) : run();
    },
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}
