import { quantile } from "../statistics.ts";

export type Quartiles = { q1: number; q3: number };

/** NaN for no values, so that every comparison with a fence is false. */
export function quartilesOf(values: readonly number[]): Quartiles {
  return { q1: quantile(values, 0.25) ?? Number.NaN, q3: quantile(values, 0.75) ?? Number.NaN };
}

export function lowerFenceOf({ q1, q3 }: Quartiles): number {
  return addThreeHalves(q1, q1 - q3);
}

export function upperFenceOf({ q1, q3 }: Quartiles): number {
  return addThreeHalves(q3, q3 - q1);
}

/**
 * base + 1.5 × spread, rounded once as a fused multiply-add does. Fences are compared inclusively, so that the last bit
 * decides whether a value on the fence is beyond it.
 */
function addThreeHalves(base: number, spread: number): number {
  const [product, productError] = twoSum(spread, spread / 2);
  const [sum, sumError] = twoSum(product, base);
  return sum + (sumError + productError);
}

/** Knuth's error-free sum: the two results add up to a + b exactly. */
function twoSum(a: number, b: number): [sum: number, error: number] {
  const sum = a + b;
  const shadow = sum - a;
  return [sum, a - (sum - shadow) + (b - shadow)];
}
