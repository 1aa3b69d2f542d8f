import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom } from "./seeded-random.ts";
import {
  binomialUpperTail,
  falseDiscoveryCutoff,
  herfindahlIndex,
  hypergeometricUpperTail,
  jaccard,
  median,
  medianAbsoluteDeviation,
  quantile,
  robustSpread,
  robustZ,
  quantileInPlace,
  studentUpperTail,
} from "./statistics.ts";

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

describe("the Benjamini-Hochberg cutoff", () => {
  const published = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
  ];

  test("keeps the first four of the fifteen tests of the 1995 paper, in any order", () => {
    expect(falseDiscoveryCutoff(published, { tests: 15, q: 0.05 })).toBe(0.0095);
    expect(falseDiscoveryCutoff(published.toReversed(), { tests: 15, q: 0.05 })).toBe(0.0095);
  });

  test("needs only the small p-values when the number of tests is given", () => {
    expect(falseDiscoveryCutoff(published.slice(0, 8), { tests: 15, q: 0.05 })).toBe(0.0095);
  });

  test("steps up: a p-value above its own bound is kept when a larger one is within its bound", () => {
    expect(falseDiscoveryCutoff([0.04, 0.045], { tests: 2, q: 0.05 })).toBe(0.045);
  });

  test("is -1 when nothing passes or nothing is tested", () => {
    expect(falseDiscoveryCutoff([0.2, 0.9], { tests: 2, q: 0.05 })).toBe(-1);
    expect(falseDiscoveryCutoff([], { tests: 10, q: 0.05 })).toBe(-1);
  });

  test("calls something a discovery in at most one in twenty runs of pure noise", () => {
    const random = createRandom(1995);
    const runs = Array.from({ length: 2_000 }, () => Array.from({ length: 50 }, () => random.next()));
    const found = runs.filter((pValues) => falseDiscoveryCutoff(pValues, { tests: 50, q: 0.05 }) >= 0);
    expect(found.length / runs.length).toBeLessThan(0.07);
  });
});

describe("exact tails", () => {
  test("the binomial tail equals the sum of its terms in rational arithmetic", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 120 }),
        fc.nat(120),
        fc.integer({ min: 1, max: 63 }),
        (trials, at, of64) => {
          const successes = Math.min(at, trials);
          // A sixty-fourth is exact in binary, so both sides mean the same share.
          expect(
            relativeError(
              binomialUpperTail(successes, trials, of64 / 64),
              exactBinomialTail(successes, trials, of64, 64),
            ),
          ).toBeLessThan(1e-9);
        },
      ),
    );
  });

  test("the binomial tail is 1 for no success, 0 for more than the trials, and keeps tiny chances", () => {
    expect(binomialUpperTail(0, 10, 0.3)).toBe(1);
    expect(binomialUpperTail(11, 10, 0.3)).toBe(0);
    expect(binomialUpperTail(10, 10, 0)).toBe(0);
    expect(binomialUpperTail(3, 10, 1)).toBe(1);
    expect(relativeError(binomialUpperTail(40, 50, 1 / 64), exactBinomialTail(40, 50, 1, 64))).toBeLessThan(1e-9);
  });

  test("the hypergeometric tail equals the sum of its terms in rational arithmetic", () => {
    const three = fc.tuple(fc.integer({ min: 1, max: 150 }), fc.nat(150), fc.nat(150), fc.nat(150));
    fc.assert(
      fc.property(three, ([population, a, b, c]) => {
        const [marked, drawn] = [a % (population + 1), b % (population + 1)];
        const shared = c % (Math.min(marked, drawn) + 1);
        const urn = { population, marked, drawn };
        expect(relativeError(hypergeometricUpperTail(shared, urn), exactHypergeometricTail(shared, urn))).toBeLessThan(
          1e-9,
        );
      }),
    );
  });

  test("the hypergeometric tail is 1 for none shared and 0 for more than can be", () => {
    expect(hypergeometricUpperTail(0, { population: 20, marked: 5, drawn: 5 })).toBeCloseTo(1, 12);
    expect(hypergeometricUpperTail(6, { population: 20, marked: 5, drawn: 5 })).toBe(0);
    // Fisher's tea: all four cups right has one chance in seventy.
    expect(hypergeometricUpperTail(4, { population: 8, marked: 4, drawn: 4 })).toBeCloseTo(1 / 70, 12);
  });
});

describe("Student's upper tail", () => {
  test.each([
    [6.3138, 1, 0.05],
    [63.6567, 1, 0.005],
    [2.92, 2, 0.05],
    [2.015, 5, 0.05],
    [4.0321, 5, 0.005],
    [1.8125, 10, 0.05],
    [2.2281, 10, 0.025],
    [3.7251, 25, 0.0005],
    [1.6973, 30, 0.05],
    [1.9799, 120, 0.025],
  ])("of t = %d with %d degrees is %d, as in the table", (t, freedom, tail) => {
    expect(Math.abs(studentUpperTail(t, freedom) / tail - 1)).toBeLessThan(1e-3);
  });

  test("is one half at 0, mirrors below it, and equals Cauchy's for one degree", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 50, noNaN: true }),
        fc.double({ min: 0.5, max: 200, noNaN: true }),
        (t, freedom) => {
          expect(studentUpperTail(t, freedom) + studentUpperTail(-t, freedom)).toBeCloseTo(1, 7);
          expect(studentUpperTail(t, 1)).toBeCloseTo(0.5 - Math.atan(t) / Math.PI, 7);
        },
      ),
    );
    expect(studentUpperTail(0, 7)).toBeCloseTo(0.5, 12);
  });
});

test("the quantile found by selection is the quantile", () => {
  fc.assert(
    fc.property(fc.array(finite, { minLength: 1 }), fc.double({ min: 0, max: 1, noNaN: true }), (values, p) => {
      // Adding zero makes one zero of the two.
      expect(quantileInPlace(Float64Array.from(values), p) + 0).toBe(quantile(values, p)! + 0);
    }),
  );
  expect(quantileInPlace(new Float64Array(0), 0.5)).toBeNaN();
});

describe("the robust spread", () => {
  const random = createRandom(42);
  const normal = Array.from({ length: 4_000 }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
    return radius * Math.cos(2 * Math.PI * random.next());
  });
  const spreadOf = (values: number[]) => {
    return robustSpread(Float64Array.from(values), new Float64Array(values.length));
  };

  test("is the standard deviation of what is normal, and scales and shifts with it", () => {
    expect(spreadOf(normal)).toBeGreaterThan(0.95);
    expect(spreadOf(normal)).toBeLessThan(1.06);
    expect(spreadOf(normal.map((value) => 7 + 3 * value))).toBeCloseTo(3 * spreadOf(normal), 9);
  });

  test("hardly moves when a tenth becomes outliers, on whichever side and however far", () => {
    for (const outlier of [1e3, 1e9, -1e9]) {
      const spread = spreadOf(normal.map((value, index) => (index % 10 === 0 ? outlier : value)));
      expect(spread).toBeGreaterThan(0.9);
      expect(spread).toBeLessThan(1.35);
    }
  });

  test("is that of the upper fifth where most values are one and the same", () => {
    const values = [...Array.from({ length: 70 }, () => 0), ...Array.from({ length: 30 }, (_, index) => 1 + index)];
    expect(medianAbsoluteDeviation(values)).toBe(0);
    expect(spreadOf(values)).toBeCloseTo(quantile(values, 0.8)! / 0.8416, 9);
    expect(spreadOf(values)).toBeGreaterThan(0);
  });
});

function firstScore(amounts: number[]): number {
  const logarithms = amounts.map(Math.log);
  const [center, spread] = [median(logarithms)!, medianAbsoluteDeviation(logarithms)!];
  return spread < 1e-3 ? 0 : robustZ(logarithms[0]!, { center, spread })!;
}

function relativeError(actual: number, exact: number): number {
  return exact === 0 ? Math.abs(actual) : Math.abs(actual / exact - 1);
}

function choose(n: number, k: number): bigint {
  if (k < 0 || k > n) return 0n;
  let product = 1n;
  for (let step = 1; step <= k; step++) product = (product * BigInt(n - k + step)) / BigInt(step);
  return product;
}

function exactBinomialTail(successes: number, trials: number, numerator: number, denominator: number): number {
  let sum = 0n;
  for (let count = successes; count <= trials; count++) {
    sum +=
      choose(trials, count) *
      BigInt(numerator) ** BigInt(count) *
      BigInt(denominator - numerator) ** BigInt(trials - count);
  }
  return quotient(sum, BigInt(denominator) ** BigInt(trials));
}

function exactHypergeometricTail(
  shared: number,
  { population, marked, drawn }: { population: number; marked: number; drawn: number },
): number {
  let sum = 0n;
  for (let count = shared; count <= Math.min(marked, drawn); count++) {
    sum += choose(marked, count) * choose(population - marked, drawn - count);
  }
  return quotient(sum, choose(population, drawn));
}

/** To some seventeen digits, however small. */
function quotient(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const digits = denominator.toString().length - numerator.toString().length + 18;
  return Number((numerator * 10n ** BigInt(digits)) / denominator) / 10 ** digits;
}
