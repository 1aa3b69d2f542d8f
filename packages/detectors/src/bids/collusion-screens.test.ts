import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { collusionScreens, screenNames, type CollusionScreens } from "./collusion-screens.ts";

describe("the screens", () => {
  // Computed independently with Python's statistics module and the formulas of the literature.
  test.each<[number[], Partial<CollusionScreens["values"]>]>([
    [
      [112, 100, 107, 104, 105],
      { cv: 0.04160205, spd: 0.12, diffp: 0.04, rd: 1.123902974, skew: 0.4175104, kurt: 0.965663508, ks: 0.216666667 },
    ],
    [[30, 10, 20], { cv: 0.5, spd: 2, diffp: 1, rd: Math.SQRT2, skew: 0, ks: 0.333333333 }],
    [
      [1000, 1001.5, 1500, 980, 1203.25, 1100],
      {
        cv: 0.176457339,
        spd: 0.530612245,
        diffp: 0.020408163,
        rd: 0.096507974,
        skew: 1.618189659,
        kurt: 2.448792997,
        ks: 0.458653846,
      },
    ],
  ])("of %j", (bids, expected) => {
    const { n, values } = collusionScreens(bids);
    expect(n).toBe(bids.length);
    for (const [name, value] of Object.entries(expected)) {
      expect(values[name as keyof typeof values], name).toBeCloseTo(value ?? 0, 8);
    }
  });

  test.each([
    [[], { cv: "menos de duas propostas" }],
    [[5], { ks: "menos de duas propostas" }],
    [[5, 6], { rd: "menos de três propostas", skew: "menos de três propostas", kurt: "menos de quatro propostas" }],
    [[5, 6, 7], { kurt: "menos de quatro propostas" }],
    [[0, 5, 6], { cv: "há proposta que não é um valor positivo" }],
    [[5, 7, 7], { rd: "as propostas perdedoras são iguais" }],
    [[5, 5, 5, 5], { skew: "todas as propostas têm o mesmo valor", ks: "todas as propostas têm o mesmo valor" }],
  ])("of %j say why they cannot be computed", (bids, reasons) => {
    expect(collusionScreens(bids).reasons).toMatchObject(reasons);
  });

  test("have a value or a reason, and do not depend on the order or the unit of the bids", () => {
    const bids = fc.array(fc.integer({ min: 1, max: 1e9 }), { maxLength: 12 });
    fc.assert(
      fc.property(bids, fc.integer({ min: 2, max: 64 }), (values, unit) => {
        const screens = collusionScreens(values);
        const scaled = collusionScreens(values.toReversed().map((value) => value * unit));
        for (const name of screenNames) {
          expect(screens.values[name] === null).toBe(screens.reasons[name] !== undefined);
          expect(Number.isFinite(screens.values[name] ?? 0)).toBe(true);
          expect(scaled.values[name] ?? 0).toBeCloseTo(screens.values[name] ?? 0, 5);
        }
      }),
    );
  });
});
