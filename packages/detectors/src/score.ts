import type { Cents } from "@cidadao/domain/money";

const REFERENCE_CENTS = 1_000_000;

/**
 * Weight of the money in [0.05, 1]: R$ 10 thousand weighs 0.4 and each factor of ten weighs 0.2 more. With the mean
 * below, R$ 2.6 thousand reach medium at most, R$ 100 thousand high, and only R$ 1.3 million can be critical.
 */
export function materialityOf(amountCents: Cents): number {
  if (amountCents <= 0) return MATERIALITY_MIN;
  return round4(clamp(0.4 + 0.2 * Math.log10(amountCents / REFERENCE_CENTS), MATERIALITY_MIN, 1));
}

const MATERIALITY_MIN = 0.05;

/**
 * Weight of the rarity in [0.5, 1]: what one subject in a hundred shows weighs fully, what every second shows weighs
 * half. In a small run the rate is drawn towards one in a hundred, for three subjects say nothing about rarity.
 */
export function rarityOf({ tested, fired }: { tested: number; fired: number }): number {
  const rate = (fired + RATE_PRIOR * RATE_PRIOR_SUBJECTS) / (tested + RATE_PRIOR_SUBJECTS);
  return round4(clamp(1 - 0.5 * (Math.log10(rate / RATE_PRIOR) / Math.log10(50)), 0.5, 1));
}

const RATE_PRIOR = 0.01;
const RATE_PRIOR_SUBJECTS = 100;

/** The one way to a score: no weight alone makes a finding grave. */
export function scoreOf(weights: { strength: number; materiality: number; rarity: number }): number {
  const { strength, materiality, rarity } = weights;
  return round4(Math.sqrt(clamp(strength, 0, 1) * materiality * rarity));
}

export function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

/** Four decimals: logarithms may differ in the last bit between processors, findings may not. */
export function round4(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
