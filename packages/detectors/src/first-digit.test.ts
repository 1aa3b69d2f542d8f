import { expect, test } from "vitest";
import { benfordFit, chiSquareUpperTail } from "./first-digit.ts";

test("the χ² tail with 8 degrees of freedom is that of the published tables", () => {
  const table = { 2.733: 0.95, 7.344: 0.5, 15.507: 0.05, 20.09: 0.01, 26.124: 0.001 };
  for (const [chiSquare, p] of Object.entries(table)) expect(chiSquareUpperTail(Number(chiSquare))).toBeCloseTo(p, 4);
});

test("counts in Benford's own shares fit without a difference", () => {
  const shares = Array.from({ length: 9 }, (_, index) => 1e6 * Math.log10(1 + 1 / (index + 1)));
  const { mad, chiSquare } = benfordFit(shares);
  expect(mad).toBeLessThan(1e-9);
  expect(chiSquareUpperTail(chiSquare)).toBe(1);
});
