import { expect, test } from "vitest";
import { lowerFenceOf, quartilesOf, upperFenceOf } from "./fences.ts";

test("are NaN without values", () => {
  expect(quartilesOf([])).toEqual({ q1: Number.NaN, q3: Number.NaN });
  expect(upperFenceOf(quartilesOf([]))).toBeNaN();
});

test("round once", () => {
  // By exact rational arithmetic (Python's fractions): plain arithmetic is a last bit off in both.
  expect(upperFenceOf({ q1: 0.0, q3: 2.8 })).toBe(7.0);
  expect(lowerFenceOf({ q1: 0.1, q3: 1.3 })).toBe(-1.7);
});
