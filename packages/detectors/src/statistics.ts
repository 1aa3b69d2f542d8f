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
