import { readJanuary2024 } from "../evaluation/sample.ts";
import { createFrameBuilder, openFrame } from "@cidadao/detectors/frame/frame";
import { detectInFrame } from "@cidadao/detectors/run-detectors";
import { resample } from "./resample.ts";

/* One measurement in a process of its own: `node detectors-run.ts CONTRACTS [items] [near-duplicate]`. Prints JSON. */

const [contracts, ...options] = process.argv.slice(2);
const size = Number(contracts);
const real = await readJanuary2024("data");
if (!options.includes("items")) real.items = [];
const detectors = options.filter((option) => option !== "items");

const builder = createFrameBuilder();
let foldMs = 0;
let items = 0;
for (const batch of resample(real, size, 20_240_131)) {
  items += batch.items.length;
  const startedMs = performance.now();
  builder.add(batch);
  foldMs += performance.now() - startedMs;
}
const openedMs = performance.now();
const frame = openFrame(builder.data());
const detectedMs = performance.now();
const { findingsTotal } = detectInFrame(frame, detectors.length > 0 ? { detectors } : {});
const endedMs = performance.now();

process.stdout.write(
  JSON.stringify({
    contracts: size,
    items,
    foldSeconds: (foldMs + detectedMs - openedMs) / 1000,
    detectSeconds: (endedMs - detectedMs) / 1000,
    findings: findingsTotal,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  }),
);
