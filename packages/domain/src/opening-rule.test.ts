import { expect, test } from "vitest";
import { OPENING_POINTS_DEFAULT, openingSigns } from "./opening-rule.ts";

const plain = { bidders: null, isWatched: false };
const pointsOf = (...given: Parameters<typeof openingSigns>) =>
  openingSigns(...given).reduce((sum, { points }) => sum + points, 0);
const contract = (reais: number, procurementMethod: "direct" | "open") => ({
  initialValueCents: reais * 100,
  currentValueCents: null,
  procurementMethod,
});

test.each([
  ["a direct award of R$ 900 million", contract(900e6, "direct"), plain, true],
  ["a tender of R$ 5 billion", contract(5e9, "open"), plain, true],
  ["a direct award of R$ 1", contract(1, "direct"), plain, false],
  ["a direct award of R$ 60,000", contract(60_000, "direct"), plain, true],
  ["a tender of R$ 200,000", contract(200_000, "open"), plain, false],
  ["a tender of R$ 200,000 with one bidder", contract(200_000, "open"), { ...plain, bidders: 1 }, true],
  ["a small tender with one bidder", contract(10_000, "open"), { ...plain, bidders: 1 }, false],
  ["anything of somebody who is watched", contract(10, "open"), { ...plain, isWatched: true }, true],
  ["a tender without a value", { ...contract(0, "open"), initialValueCents: null }, plain, false],
] as const)("%s opens an investigation: %s", (_, given, context, opens) => {
  expect(pointsOf(given, context) >= OPENING_POINTS_DEFAULT).toBe(opens);
});

test("each sign says its points", () => {
  expect(openingSigns(contract(20e6, "direct"), { bidders: 1, isWatched: true })).toEqual([
    { sign: "value", points: 3 },
    { sign: "direct_award", points: 3 },
    { sign: "single_bidder", points: 2 },
    { sign: "watched", points: 3 },
  ]);
});
