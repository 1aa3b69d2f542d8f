import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom } from "./seeded-random.ts";
import { fisherPeriodicityTest, fisherUpperTail } from "./periodogram.ts";

describe("fisherUpperTail", () => {
  test("equals the sum of its terms in rational arithmetic", () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 30 }), fc.integer({ min: 1, max: 255 }), (frequencies, of256) => {
        const exact = exactTail(of256, 256, frequencies);
        expect(fisherUpperTail(of256 / 256, frequencies)).toBeCloseTo(exact, 6);
      }),
    );
  });

  test("gives the critical values of Fisher's table at 5 % and 1 %", () => {
    for (const [frequencies, g5, g1] of [
      [5, 0.68377, 0.78853],
      [10, 0.44495, 0.5358],
      [20, 0.27046, 0.32971],
      [50, 0.13135, 0.15997],
    ] as const) {
      expect(Math.abs(fisherUpperTail(g5, frequencies) - 0.05)).toBeLessThan(0.001);
      expect(Math.abs(fisherUpperTail(g1, frequencies) - 0.01)).toBeLessThan(0.0005);
    }
  });

  test("is 1 up to the even share, 0 for the whole, and falls in between", () => {
    expect(fisherUpperTail(0, 10)).toBe(1);
    expect(fisherUpperTail(0.1, 10)).toBe(1);
    expect(fisherUpperTail(1, 10)).toBe(0);
    const tails = Array.from({ length: 181 }, (_, index) => fisherUpperTail(0.1 + index / 200, 10));
    for (const [index, tail] of tails.entries()) expect(tail).toBeLessThanOrEqual((tails[index - 1] ?? 1) + 1e-12);
  });
});

describe("fisherPeriodicityTest", () => {
  test.each([4, 6, 7.5, 12])("finds a planted cycle of %d steps", (period) => {
    const random = createRandom(12);
    const found = fisherPeriodicityTest(
      seriesOf(96, (step) => 100 + 0.5 * step + 3 * Math.sin((2 * Math.PI * step) / period) + normal(random)),
    );
    expect(Math.abs(found!.period / period - 1)).toBeLessThan(0.05);
    expect(found!.pValue).toBeLessThan(0.001);
  });

  test("says nothing of a short series, nor of one without variation", () => {
    expect(fisherPeriodicityTest(new Float64Array(6))).toBeNull();
    expect(fisherPeriodicityTest(new Float64Array(48))).toBeNull();
    expect(fisherPeriodicityTest(new Float64Array(48).fill(3))).toBeNull();
    expect(fisherPeriodicityTest(seriesOf(48, (step) => 5 + 2 * step))).toBeNull();
  });

  test.each([0, 0.3, 0.6, 0.9])("rejects noise with a memory of %d at most as often as it says", (memory) => {
    const random = createRandom(1929);
    const runs = 1_500;
    let rejected = 0;
    for (let run = 0; run < runs; run++) {
      let last = 0;
      const series = seriesOf(60, () => (last = memory * last + normal(random)));
      if (fisherPeriodicityTest(series)!.pValue <= 0.05) rejected++;
    }
    // 5 % and three standard errors.
    expect(rejected / runs).toBeLessThan(0.067);
  });
});

function seriesOf(length: number, at: (step: number) => number): Float64Array {
  return Float64Array.from({ length }, (_, step) => at(step));
}

/** By twelve uniform numbers: neighbours of a congruential generator do not show. */
function normal(random: { next(): number }): number {
  let sum = -6;
  for (let draw = 0; draw < 12; draw++) sum += random.next();
  return sum;
}

/** Σ (−1)^(j−1) C(m, j) (1 − j·g)^(m−1) for g = numerator ÷ denominator. */
function exactTail(numerator: number, denominator: number, m: number): number {
  if (numerator * m <= denominator) return 1;
  let sum = 0n;
  let choose = 1n;
  for (let j = 1; j <= m && j * numerator < denominator; j++) {
    choose = (choose * BigInt(m - j + 1)) / BigInt(j);
    const term = choose * BigInt(denominator - j * numerator) ** BigInt(m - 1);
    sum += j % 2 === 1 ? term : -term;
  }
  return Number((sum * 10n ** 17n) / BigInt(denominator) ** BigInt(m - 1)) / 1e17;
}
