import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { herfindahlIndex, jaccard, median, medianAbsoluteDeviation, quantile, robustZ } from "./statistics.ts";

const finite = fc.double({ min: -1e9, max: 1e9, noNaN: true });

describe("quantile, Hyndman & Fan type 8", () => {
  test("equals R's quantile(1:10, c(.25, .5, .75), type = 8)", () => {
    const values = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1];
    expect(quantile(values, 0.25)).toBeCloseTo(2.916667, 6);
    expect(quantile(values, 0.5)).toBeCloseTo(5.5, 12);
    expect(quantile(values, 0.75)).toBeCloseTo(8.083333, 6);
  });

  test("equals the reference quartiles of nine ratios, two of 0 and seven of 100", () => {
    const ratios = [0, 0, 100, 100, 100, 100, 100, 100, 100];
    expect(quantile(ratios, 0.25)).toBeCloseTo(66.6667, 4);
    expect(quantile(ratios, 0.75)).toBe(100);
  });

  test("stays within the values and grows with p", () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1 }), fc.double({ min: 0, max: 1, noNaN: true }), (values, p) => {
        const low = quantile(values, p / 2)!;
        const high = quantile(values, p)!;
        expect(low).toBeGreaterThanOrEqual(Math.min(...values));
        expect(high).toBeLessThanOrEqual(Math.max(...values));
        expect(low).toBeLessThanOrEqual(high);
      }),
    );
  });
});

describe("median and MAD", () => {
  test("equal the textbook values of 1, 1, 2, 2, 4, 6, 9", () => {
    expect(median([1, 1, 2, 2, 4, 6, 9])).toBe(2);
    expect(medianAbsoluteDeviation([1, 1, 2, 2, 4, 6, 9])).toBe(1);
  });

  test("are null for no values", () => {
    expect(median([])).toBeNull();
    expect(medianAbsoluteDeviation([])).toBeNull();
  });

  test("MAD is zero when more than half of the values are equal", () => {
    expect(medianAbsoluteDeviation([5, 5, 5, 1, 9])).toBe(0);
  });
});

describe("robust z", () => {
  test("does not change when money is counted in another unit, for logarithms turn scale into shift", () => {
    const amounts = fc.uniqueArray(fc.integer({ min: 1, max: 1e9 }), { minLength: 5, maxLength: 40 });
    fc.assert(
      fc.property(amounts, fc.integer({ min: 2, max: 1000 }), (values, unit) => {
        const scaled = values.map((value) => value * unit);
        expect(firstScore(scaled)).toBeCloseTo(firstScore(values), 3);
      }),
    );
  });

  test("is not computable without spread", () => {
    expect(robustZ(3, { center: 1, spread: 0 })).toBeNull();
  });
});

test("the Herfindahl index is 10,000 for a monopoly, 2,500 for four equal suppliers, null for no money", () => {
  expect(herfindahlIndex([7])).toBe(10_000);
  expect(herfindahlIndex([3, 3, 3, 3])).toBe(2_500);
  expect(herfindahlIndex([])).toBeNull();
});

test("Jaccard is 1 for equal sets, 0 for disjoint or empty ones", () => {
  expect(jaccard(new Set(["a", "b"]), new Set(["b", "a"]))).toBe(1);
  expect(jaccard(new Set(["a", "b", "c"]), new Set(["b", "c", "d"]))).toBe(0.5);
  expect(jaccard(new Set(), new Set())).toBe(0);
});

function firstScore(amounts: number[]): number {
  const logarithms = amounts.map(Math.log);
  const [center, spread] = [median(logarithms)!, medianAbsoluteDeviation(logarithms)!];
  return spread < 1e-3 ? 0 : robustZ(logarithms[0]!, { center, spread })!;
}
