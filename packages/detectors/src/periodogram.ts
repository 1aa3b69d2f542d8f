export type PeriodicityTest = {
  /** Length of the strongest cycle, in steps of the series. */
  period: number;
  /** Its part of the whole variation: Fisher's g. */
  share: number;
  pValue: number;
  frequencies: number;
};

/** A cycle whose length does not divide the series falls between two frequencies: the grid is laid this many times, shifted. */
const GRIDS = 4;

/**
 * Fisher's exact test of the largest ordinate of the periodogram, after the linear trend and the memory of one step have
 * been taken out; on shifted grids of frequencies, with the p-value of the best times their number (Bonferroni). `null`
 * for a series that does not vary or is shorter than eight steps.
 */
export function fisherPeriodicityTest(series: Float64Array): PeriodicityTest | null {
  const residuals = withoutMemory(withoutTrend(series));
  const n = residuals.length;
  const frequencies = Math.floor((n - 1) / 2);
  if (frequencies < 3) return null;
  const strongest = testGrids(residuals, frequencies).reduce((best, test) => (test.share > best.share ? test : best));
  if (strongest.sum <= n * 1e-12) return null;
  const { share, at } = strongest;
  return { period: n / at, share, pValue: Math.min(1, GRIDS * fisherUpperTail(share, frequencies)), frequencies };
}

function testGrids(residuals: Float64Array, frequencies: number): { share: number; at: number; sum: number }[] {
  const [largest, at, sum] = [new Float64Array(GRIDS), new Float64Array(GRIDS).fill(1), new Float64Array(GRIDS)];
  const powers = new Float64Array(GRIDS);
  for (let index = 1; index <= frequencies; index++) {
    readPowers(powers, residuals, index);
    for (let grid = 0; grid < GRIDS; grid++) {
      const frequency = index - grid / GRIDS;
      // Below one cycle there is only what is left of the trend.
      if (frequency < 1) continue;
      sum[grid]! += powers[grid]!;
      if (powers[grid]! > largest[grid]!) [largest[grid], at[grid]] = [powers[grid]!, frequency];
    }
  }
  return Array.from(powers, (_, grid) => ({
    share: sum[grid] === 0 ? 0 : largest[grid]! / sum[grid]!,
    at: at[grid]!,
    sum: sum[grid]!,
  }));
}

/** P(g ≥ share) = Σ (−1)^(j−1) C(m, j) (1 − j·share)^(m−1), over j while 1 − j·share is positive. */
export function fisherUpperTail(share: number, frequencies: number): number {
  if (share <= 1 / frequencies) return 1;
  const terms = Math.min(frequencies, Math.floor(1 / share));
  let [tail, logChoose] = [0, 0];
  for (let j = 1; j <= terms; j++) {
    logChoose += Math.log(frequencies - j + 1) - Math.log(j);
    const rest = 1 - j * share;
    if (rest <= 0) break;
    const term = Math.exp(logChoose + (frequencies - 1) * Math.log(rest));
    tail += j % 2 === 1 ? term : -term;
  }
  return Math.min(1, Math.max(0, tail));
}

function withoutTrend(series: Float64Array): Float64Array {
  const n = series.length;
  const middle = (n - 1) / 2;
  let [sum, product, squares] = [0, 0, 0];
  for (let index = 0; index < n; index++) {
    sum += series[index]!;
    product += (index - middle) * series[index]!;
    squares += (index - middle) ** 2;
  }
  const [mean, slope] = [sum / n, squares === 0 ? 0 : product / squares];
  return series.map((value, index) => value - mean - slope * (index - middle));
}

/** Residuals of a first-order autoregression, where it is positive: a slow series is no cycle. */
function withoutMemory(series: Float64Array): Float64Array {
  let [lagged, squares] = [0, 0];
  for (let index = 1; index < series.length; index++) {
    lagged += series[index]! * series[index - 1]!;
    squares += series[index - 1]! ** 2;
  }
  const memory = squares === 0 ? 0 : Math.max(0, Math.min(0.95, lagged / squares));
  return memory === 0 ? series : series.slice(1).map((value, index) => value - memory * series[index]!);
}

/** Goertzel's recurrence: the power at a frequency of each grid. Four at once, for each step waits for the one before. */
function readPowers(powers: Float64Array, series: Float64Array, index: number): void {
  const n = series.length;
  const a = 2 * Math.cos((2 * Math.PI * index) / n);
  const b = 2 * Math.cos((2 * Math.PI * (index - 0.25)) / n);
  const c = 2 * Math.cos((2 * Math.PI * (index - 0.5)) / n);
  const d = 2 * Math.cos((2 * Math.PI * (index - 0.75)) / n);
  let [lastA, lastB, lastC, lastD, beforeA, beforeB, beforeC, beforeD] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let step = 0; step < n; step++) {
    const value = series[step]!;
    const [nextA, nextB] = [value + a * lastA - beforeA, value + b * lastB - beforeB];
    const [nextC, nextD] = [value + c * lastC - beforeC, value + d * lastD - beforeD];
    [beforeA, beforeB, beforeC, beforeD] = [lastA, lastB, lastC, lastD];
    [lastA, lastB, lastC, lastD] = [nextA, nextB, nextC, nextD];
  }
  powers[0] = lastA * lastA + beforeA * beforeA - a * lastA * beforeA;
  powers[1] = lastB * lastB + beforeB * beforeB - b * lastB * beforeB;
  powers[2] = lastC * lastC + beforeC * beforeC - c * lastC * beforeC;
  powers[3] = lastD * lastD + beforeD * beforeD - d * lastD * beforeD;
}
