import path from "node:path";
import { expect, test } from "vitest";
import { syntheticCases } from "./null-data/synthetic.ts";
import { runNullCase } from "./null-data.ts";
import { tryPlant } from "./planted.ts";
import { plants } from "./plants/list.ts";
import { readJanuary2024 } from "./sample.ts";

/* What `npm run evaluate` measures in full, small enough for every change. */

const month = await readJanuary2024(path.join(import.meta.dirname, "../data"));
const grounds = { month, years: month, directAwards: null };

/* One of five may be missed: in full, nine of ten must be found. */
test.each(plants.filter(({ into }) => into === "month"))("finds what was planted: $detector", (plant) => {
  const { ours, planted } = tryPlant(plant, month, { count: 5, seed: 7, against: [] });
  expect(planted).toBeGreaterThan(0);
  expect(ours * planted).toBeGreaterThanOrEqual(planted - 1);
});

/* With 20 draws and at most one in twenty to flag, five or more happen once in 390 times; the draws are always the same. */
test.each(syntheticCases)("keeps its promise where there is nothing to find: $detector", ({ detector, prepare }) => {
  const { drawsWithFlags, tested } = runNullCase({ detector, prepare, draws: 20 }, grounds);
  expect(tested).toBeGreaterThan(0);
  expect(drawsWithFlags).toBeLessThan(5);
});
