export const screenNames = ["cv", "spd", "diffp", "rd", "skew", "kurt", "ks"] as const;
export type ScreenName = (typeof screenNames)[number];

export type CollusionScreens = {
  /** How many bids went in. */
  n: number;
  values: Record<ScreenName, number | null>;
  /** Why a value is `null`. */
  reasons: Partial<Record<ScreenName, string>>;
};

/**
 * Statistics of the bids of one tender, in ascending order b₁ ≤ … ≤ bₙ whatever the order they come in: CV = s / mean;
 * SPD = (bₙ − b₁) / b₁; DIFFP = (b₂ − b₁) / b₁; RD = (b₂ − b₁) / s(b₂ … bₙ); SKEW and KURT the bias-corrected sample
 * skewness and excess kurtosis; KS the distance of the bids from the uniform law on [b₁, bₙ]. Every s has n − 1. RD
 * and SKEW need three bids, KURT four, the others two; whether so few say anything is for the caller to decide.
 */
export function collusionScreens(bids: readonly number[]): CollusionScreens {
  const sorted = bids.toSorted((a, b) => a - b);
  const answers = answersOf(sorted);
  const screens: CollusionScreens = { n: sorted.length, values: {} as CollusionScreens["values"], reasons: {} };
  for (const name of screenNames) {
    const answer = answers[name];
    screens.values[name] = typeof answer === "number" ? answer : null;
    if (typeof answer === "string") screens.reasons[name] = answer;
  }
  return screens;
}

type Answer = number | string;

const UNDER_TWO = "menos de duas propostas";
const UNDER_THREE = "menos de três propostas";
const UNDER_FOUR = "menos de quatro propostas";
const NOT_POSITIVE = "há proposta que não é um valor positivo";
const EQUAL_LOSERS = "as propostas perdedoras são iguais";
const NO_SPREAD = "todas as propostas têm o mesmo valor";

function answersOf(sorted: readonly number[]): Record<ScreenName, Answer> {
  const n = sorted.length;
  const [lowest, second, highest] = [sorted[0], sorted[1], sorted.at(-1)];
  if (lowest === undefined || second === undefined || highest === undefined) return all(UNDER_TWO);
  if (!(lowest > 0) || !Number.isFinite(highest)) return all(NOT_POSITIVE);
  const center = mean(sorted);
  const spread = deviation(sorted);
  const hasSpread = highest > lowest && spread > 0;
  const losingSpread = deviation(sorted.slice(1));
  return {
    cv: spread / center,
    spd: (highest - lowest) / lowest,
    diffp: (second - lowest) / lowest,
    rd: n < 3 ? UNDER_THREE : losingSpread > 0 && highest > second ? (second - lowest) / losingSpread : EQUAL_LOSERS,
    skew: n < 3 ? UNDER_THREE : hasSpread ? skewness(sorted, center, spread) : NO_SPREAD,
    kurt: n < 4 ? UNDER_FOUR : hasSpread ? excessKurtosis(sorted, center, spread) : NO_SPREAD,
    ks: hasSpread ? distanceFromUniform(sorted, lowest, highest) : NO_SPREAD,
  };
}

function all(reason: string): Record<ScreenName, Answer> {
  return { cv: reason, spd: reason, diffp: reason, rd: reason, skew: reason, kurt: reason, ks: reason };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

function skewness(values: readonly number[], center: number, spread: number): number {
  const n = values.length;
  return (n / ((n - 1) * (n - 2))) * powerSum(values, center, spread, 3);
}

function excessKurtosis(values: readonly number[], center: number, spread: number): number {
  const n = values.length;
  const scale = (n * (n + 1)) / ((n - 1) * (n - 2) * (n - 3));
  return scale * powerSum(values, center, spread, 4) - (3 * (n - 1) ** 2) / ((n - 2) * (n - 3));
}

function powerSum(values: readonly number[], center: number, spread: number, power: number): number {
  return values.reduce((sum, value) => sum + ((value - center) / spread) ** power, 0);
}

function distanceFromUniform(sorted: readonly number[], lowest: number, highest: number): number {
  const n = sorted.length;
  return Math.max(
    ...sorted.map((value, index) => {
      const share = (value - lowest) / (highest - lowest);
      return Math.max((index + 1) / n - share, share - index / n);
    }),
  );
}
