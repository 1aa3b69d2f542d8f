/** Hyndman & Fan type 8 quantile; `null` for no values. */
export function quantile(values: readonly number[], p: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  const h = (n + 1 / 3) * p + 1 / 3;
  const k = Math.floor(h);
  if (k <= 0) return sorted[0] ?? null;
  if (k >= n) return sorted[n - 1] ?? null;
  const [below, above] = [sorted[k - 1]!, sorted[k]!];
  return below + (h - k) * (above - below);
}

export function median(values: readonly number[]): number | null {
  return quantile(values, 0.5);
}

/** Median absolute deviation from the median, unscaled; `null` for no values. */
export function medianAbsoluteDeviation(values: readonly number[]): number | null {
  const center = median(values);
  return center === null ? null : median(values.map((value) => Math.abs(value - center)));
}

/** Iglewicz & Hoaglin's modified z-score; `null` when the spread is zero, for then every distance is infinite. */
export function robustZ(value: number, { center, spread }: { center: number; spread: number }): number | null {
  return spread === 0 ? null : (0.6745 * (value - center)) / spread;
}

/** Herfindahl-Hirschman index on the 0 to 10,000 scale; `null` when the total is zero. */
export function herfindahlIndex(amounts: readonly number[]): number | null {
  const total = amounts.reduce((sum, amount) => sum + amount, 0);
  if (total === 0) return null;
  return amounts.toSorted((a, b) => a - b).reduce((sum, amount) => sum + (100 * (amount / total)) ** 2, 0);
}

/** Share of common elements of two sets; 0 when both are empty. */
export function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const common = [...a].filter((element) => b.has(element)).length;
  const union = a.size + b.size - common;
  return union === 0 ? 0 : common / union;
}

/** The Benjamini-Hochberg step-up rule: the largest p-value that may be called a discovery at rate `q` in `tests` tests; -1 for none. */
export function falseDiscoveryCutoff(pValues: readonly number[], { tests, q }: { tests: number; q: number }): number {
  const sorted = pValues.toSorted((a, b) => a - b);
  for (let rank = sorted.length; rank > 0; rank--) {
    if (sorted[rank - 1]! <= (rank * q) / tests) return sorted[rank - 1]!;
  }
  return -1;
}

/** P(X ≥ successes) for X binomial, exact through the incomplete beta function. */
export function binomialUpperTail(successes: number, trials: number, share: number): number {
  if (successes <= 0) return 1;
  if (successes > trials) return 0;
  return incompleteBeta(share, successes, trials - successes + 1);
}

/** P(T ≥ t) for Student's t with `freedom` degrees of freedom, which need not be whole. */
export function studentUpperTail(t: number, freedom: number): number {
  const tail = 0.5 * incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
  return t >= 0 ? tail : 1 - tail;
}

/** The regularised incomplete beta function I_x(a, b), by Lentz's continued fraction (Numerical Recipes 6.4). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  const tiny = 1e-300;
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  d = 1 / (Math.abs(d) < tiny ? tiny : d);
  let fraction = d;
  for (let m = 1; m <= FRACTION_STEPS_MAX; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    for (const step of [even, odd]) {
      d = 1 + step * d;
      c = 1 + step / c;
      d = 1 / (Math.abs(d) < tiny ? tiny : d);
      if (Math.abs(c) < tiny) c = tiny;
      fraction *= d * c;
    }
    if (Math.abs(d * c - 1) < 1e-14) break;
  }
  return front * fraction;
}

const FRACTION_STEPS_MAX = 10_000;

/** ln Γ(x) for x > 0, by Lanczos with g = 7 and nine terms. */
function logGamma(x: number): number {
  const shifted = x - 1;
  const sum = LANCZOS.reduce((total, term, index) => total + (index === 0 ? term : term / (shifted + index)), 0);
  const base = shifted + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(sum);
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** Median; NaN for none. Reorders `values`. */
export function medianInPlace(values: Float64Array): number {
  const n = values.length;
  if (n === 0) return Number.NaN;
  const middle = n >> 1;
  const upper = selectInPlace(values, middle);
  return n % 2 === 1 ? upper : (largestBefore(values, middle) + upper) / 2;
}

/** Type 8 quantile; NaN for none. Reorders `values`. */
export function quantileInPlace(values: Float64Array, p: number): number {
  const n = values.length;
  const h = (n + 1 / 3) * p + 1 / 3;
  const k = Math.floor(h);
  if (n === 0) return Number.NaN;
  if (k <= 0) return selectInPlace(values, 0);
  if (k >= n) return selectInPlace(values, n - 1);
  const above = selectInPlace(values, k);
  const below = largestBefore(values, k);
  return below + (h - k) * (above - below);
}

/** The value that would be at `place` in ascending order; smaller ones come before it, larger ones after. Hoare's selection. */
function selectInPlace(values: Float64Array, place: number): number {
  let [left, right] = [0, values.length - 1];
  while (right - left > INSERTION_MAX) {
    const pivot = middleOfThree(values[left]!, values[(left + right) >> 1]!, values[right]!);
    let [low, high] = [left, right];
    while (low <= high) {
      while (values[low]! < pivot) low++;
      while (values[high]! > pivot) high--;
      if (low > high) break;
      const value = values[low]!;
      values[low++] = values[high]!;
      values[high--] = value;
    }
    if (place <= high) right = high;
    else if (place >= low) left = low;
    else return values[place]!;
  }
  for (let index = left + 1; index <= right; index++) {
    const value = values[index]!;
    let hole = index;
    for (; hole > left && values[hole - 1]! > value; hole--) values[hole] = values[hole - 1]!;
    values[hole] = value;
  }
  return values[place]!;
}

const INSERTION_MAX = 16;

function middleOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

function largestBefore(values: Float64Array, end: number): number {
  let largest = values[0]!;
  for (let index = 1; index < end; index++) if (values[index]! > largest) largest = values[index]!;
  return largest;
}

/** P(X ≥ shared) when `drawn` of a population are drawn and `marked` of it are marked. */
export function hypergeometricUpperTail(
  shared: number,
  { population, marked, drawn }: { population: number; marked: number; drawn: number },
): number {
  const logChoose = (n: number, k: number) => logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
  const whole = logChoose(population, drawn);
  let tail = 0;
  for (let count = Math.max(shared, drawn + marked - population, 0); count <= Math.min(marked, drawn); count++) {
    tail += Math.exp(logChoose(marked, count) + logChoose(population - marked, drawn - count) - whole);
  }
  return Math.min(1, tail);
}

/**
 * A deviation in the sense of the normal distribution that neither a few outliers nor a long lower tail move: the larger
 * of 1.4826 × MAD and the upper fifth over 0.8416. Reorders `values`; `scratch` is as long and is overwritten.
 */
export function robustSpread(values: Float64Array, scratch: Float64Array): number {
  const middle = medianInPlace(values);
  for (let index = 0; index < values.length; index++) scratch[index] = Math.abs(values[index]! - middle);
  const upper = (quantileInPlace(values, 0.8) - middle) / 0.8416;
  return Math.max(1.4826 * medianInPlace(scratch), upper);
}
