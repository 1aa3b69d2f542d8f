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
  const tests = Array.from({ length: GRIDS }, (_, grid) => testGrid(residuals, frequencies, grid / GRIDS));
  const strongest = tests.reduce((best, test) => (test.share > best.share ? test : best));
  if (strongest.sum <= n * 1e-12) return null;
  const { share, at } = strongest;
  return { period: n / at, share, pValue: Math.min(1, GRIDS * fisherUpperTail(share, frequencies)), frequencies };
}

function testGrid(residuals: Float64Array, frequencies: number, shift: number) {
  const n = residuals.length;
  let [largest, at, sum] = [0, 1, 0];
  for (let index = 1; index <= frequencies; index++) {
    const frequency = index - shift;
    // Below one cycle there is only what is left of the trend.
    if (frequency < 1) continue;
    const power = powerAt(residuals, (2 * Math.PI * frequency) / n);
    sum += power;
    if (power > largest) [largest, at] = [power, frequency];
  }
  return { share: sum === 0 ? 0 : largest / sum, at, sum };
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

/** Goertzel's recurrence: the power at one angular frequency. */
function powerAt(series: Float64Array, angle: number): number {
  const twice = 2 * Math.cos(angle);
  let [last, before] = [0, 0];
  for (let index = 0; index < series.length; index++) {
    const next = series[index]! + twice * last - before;
    before = last;
    last = next;
  }
  return last * last + before * before - twice * last * before;
}
