import { readJanuary2024 } from "../evaluation/sample.ts";
import { createFrameBuilder, openFrame } from "@cidadao/detectors/frame/frame";
import { detectInFrame } from "@cidadao/detectors/run-detectors";
import { withoutMemorySaver } from "@cidadao/runtime/memory-saver";
import { resample } from "./resample.ts";

/*
 * One measurement in a process of its own: `node detectors-run.ts CONTRACTS ROUNDS [items] [near-duplicate]`. Prints
 * JSON: the first round, in code that no one has run before, and the median of the second half of all rounds, as in a
 * worker that has been up for a while.
 */

const [contracts, rounds, ...options] = process.argv.slice(2);
const size = Number(contracts);
const real = await readJanuary2024("data");
if (!options.includes("items")) real.items = [];
const detectors = options.filter((option) => option !== "items");

const measured = await withoutMemorySaver(async () =>
  Array.from({ length: Number(rounds) }, (_, round) => measure(20_240_131 + round)),
);
const [cold] = measured;
const ranked = measured
  .slice(measured.length >> 1)
  .toSorted((a, b) => a.foldSeconds + a.detectSeconds - b.foldSeconds - b.detectSeconds);
process.stdout.write(
  JSON.stringify({
    cold,
    steady: ranked[Math.floor(ranked.length / 2)] ?? cold,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  }),
);

function measure(seed: number) {
  const builder = createFrameBuilder();
  let foldMs = 0;
  let items = 0;
  for (const batch of resample(real, size, seed)) {
    items += batch.items.length;
    const startedMs = performance.now();
    builder.add(batch);
    foldMs += performance.now() - startedMs;
  }
  const openedMs = performance.now();
  const frame = openFrame(builder.data());
  const detectedMs = performance.now();
  const { findingsTotal } = detectInFrame(frame, detectors.length > 0 ? { detectors } : {});
  return {
    contracts: size,
    items,
    foldSeconds: (foldMs + detectedMs - openedMs) / 1000,
    detectSeconds: (performance.now() - detectedMs) / 1000,
    findings: findingsTotal,
  };
}
