import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { runDetectors } from "@cidadao/detectors/run-detectors";
import type { Dataset } from "@cidadao/domain/dataset";
import { productionFlags } from "@cidadao/testing/service-process";
import { readJanuary2024 } from "../evaluation/sample.ts";
import { naiveDetectors, quadraticDuplicates } from "./naive-detectors.ts";
import { resample } from "./resample.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Contracts, and how often they are analysed in one process, until the code is warm. */
const SIZES = [
  { size: 10_000, rounds: 40 },
  { size: 100_000, rounds: 16 },
  { size: 1_000_000, rounds: 2 },
];
/** Whatever else a machine does only adds to the time: of so many processes, spread over the whole run, the fastest counts. */
const PROCESSES = 4;
const CONTRACTS_PER_SECOND_MIN = 100_000;
const GROWTH_MAX = 12;
const PEAK_BYTES_MAX = 1.5e9;
const NEAR_DUPLICATE_SECONDS_MAX = 3;
/** The naive ways are quadratic: at more contracts than this nobody would wait for them. */
const NAIVE_CONTRACTS = 3_000;

/** As the worker runs them: small by flags, without the memory saver while it analyses as many contracts as here. */
const FLAGS = productionFlags("worker");

type Round = { contracts: number; items: number; foldSeconds: number; detectSeconds: number; findings: number };
type Measurement = { cold: Round; steady: Round; peakBytes: number };

/** All contract-level detectors on one core, on real contracts drawn again and again; true when all bounds hold. */
export async function benchDetectors(): Promise<boolean> {
  const pinned = canPin();
  console.log(
    `One core${pinned ? " (pinned)" : " (not pinned: no taskset here)"}, node ${FLAGS.join(" ")}; real contracts of January 2024, resampled; fastest of ${PROCESSES} processes (in brackets ` +
      `the median), each by the median of the second half of its rounds.\n`,
  );
  const loads = [
    ...SIZES.map((size) => ({ ...size, options: [] })),
    { size: 100_000, rounds: 6, options: ["items"] },
    { size: 100_000, rounds: 4, options: ["near-duplicate"] },
  ];
  const passes = Array.from({ length: PROCESSES }, () => loads.map((load) => measure(load, pinned)));
  const [tenThousand, hundredThousand, million, withItems, duplicates] = loads.map((_, place) =>
    passes.map((pass) => pass[place]!).toSorted((a, b) => seconds(a) - seconds(b)),
  ) as [Measurement[], Measurement[], Measurement[], Measurement[], Measurement[]];
  for (const runs of [tenThousand, hundredThousand, million, withItems]) show(runs);
  const growth = seconds(million[0]!) / seconds(hundredThousand[0]!);
  const peakBytes = Math.max(...million.map((one) => one.peakBytes));
  console.log(`\ntime at 1 M ÷ time at 100 k: ${growth.toFixed(1)} (at most ${GROWTH_MAX})`);
  console.log(`peak memory at 1 M: ${(peakBytes / 1e9).toFixed(2)} GB (at most ${PEAK_BYTES_MAX / 1e9})`);
  console.log(
    `near-duplicates at 100 k: ${duplicates[0]!.steady.detectSeconds.toFixed(2)} s (at most ${NEAR_DUPLICATE_SECONDS_MAX})`,
  );
  await compareWithNaive();
  return [
    ...[hundredThousand, million].map(([fastest]) => rate(fastest!.steady) >= CONTRACTS_PER_SECOND_MIN),
    growth <= GROWTH_MAX,
    peakBytes <= PEAK_BYTES_MAX,
    duplicates[0]!.steady.detectSeconds <= NEAR_DUPLICATE_SECONDS_MAX,
  ].every(Boolean);
}

async function compareWithNaive(): Promise<void> {
  const real = await readJanuary2024("data");
  const dataset: Dataset = { ...real, contracts: [], items: [], amendments: [] };
  for (const { contracts } of resample({ contracts: real.contracts, items: [] }, NAIVE_CONTRACTS, 7))
    dataset.contracts.push(...contracts);
  const ours = secondsOf(() => runDetectors(dataset));
  const naive = secondsOf(() => naiveDetectors(dataset.contracts));
  const oursDuplicates = secondsOf(() => runDetectors(dataset, { detectors: ["near-duplicate"] }));
  const quadratic = secondsOf(() => quadraticDuplicates(dataset.contracts));
  console.log(`\nAt ${NAIVE_CONTRACTS} contracts, in this run:`);
  console.log(
    `  all detectors ${ours.toFixed(3)} s; three of them the naive way ${naive.toFixed(3)} s: ${(naive / ours).toFixed(0)} times as long`,
  );
  console.log(
    `  near-duplicates ${oursDuplicates.toFixed(3)} s; all pairs ${quadratic.toFixed(3)} s: ${(quadratic / oursDuplicates).toFixed(0)} times as long`,
  );
}

/** The second of two runs: the first warms the code up, for both sides alike. */
function secondsOf(work: () => unknown): number {
  work();
  const startedMs = performance.now();
  work();
  return (performance.now() - startedMs) / 1000;
}

type Load = { size: number; rounds: number; options: string[] };

function measure({ size, rounds, options }: Load, pinned: boolean): Measurement {
  const node = [process.execPath, ...FLAGS, "bench/detectors-run.ts", String(size), String(rounds), ...options];
  const [command, ...args] = pinned ? ["taskset", "-c", "0", ...node] : node;
  return JSON.parse(execFileSync(command!, args, { cwd: root, encoding: "utf8" })) as Measurement;
}

function canPin(): boolean {
  return spawnSync("taskset", ["-c", "0", "true"], { stdio: "ignore" }).status === 0;
}

function seconds({ steady }: Measurement): number {
  return steady.foldSeconds + steady.detectSeconds;
}

function rate({ contracts, foldSeconds, detectSeconds }: Round): number {
  return contracts / (foldSeconds + detectSeconds);
}

/** `runs`, fastest first. */
function show(runs: readonly Measurement[]): void {
  const { cold, steady, peakBytes } = runs[0]!;
  const middle = runs[runs.length >> 1]!.steady;
  const { contracts, items, foldSeconds, detectSeconds, findings } = steady;
  console.log(
    `${String(contracts).padStart(9)} contracts, ${String(items).padStart(7)} items: fold ${foldSeconds.toFixed(2)} s, detect ${detectSeconds.toFixed(2)} s, ` +
      `${Math.round(rate(steady)).toLocaleString("en")} contracts/s [${Math.round(rate(middle)).toLocaleString("en")}] (first round ${Math.round(rate(cold)).toLocaleString("en")}/s), ` +
      `${findings} findings, ${(peakBytes / 1e6).toFixed(0)} MB`,
  );
}
