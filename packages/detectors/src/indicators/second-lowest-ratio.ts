import type { Finished, Fold } from "./define-indicator.ts";
import type { BidFacts, Price } from "./read-release.ts";
import { comparesPrices, NO_PRICE_COMPARISON, soleOrganization, soleWinner } from "./submitted-bids.ts";
import { addCount, mergeCounts, mergeTallies, startTally, type Tally } from "./tally.ts";

/** How far the best other valid bid is above the winner's, as a share of the winner's. */
export type SecondLowest = { ratio: number; winner: string; runnerUp: string };

/** By currency, because the main one may be known only at the end. */
type InCurrency = { ratios: Map<string, SecondLowest>; bids: number; notComputable: Map<string, number> };

export type SecondLowestState = {
  byCurrency: Map<string, InCurrency>;
  /** Processes with one winner, whose prices remain to be compared. */
  candidates: number;
  tally: Tally;
};

export const secondLowestRatio: Fold<SecondLowestState, unknown> = {
  name: "second-lowest-ratio",
  start: () => ({ byCurrency: new Map(), candidates: 0, tally: startTally() }),
  add: (state, release, _settings, common) => {
    if (!comparesPrices(release, common)) return addCount(state.tally.excluded, NO_PRICE_COMPARISON);
    const contest = soleWinner(release);
    if (typeof contest === "string") return addCount(state.tally.notComputable, contest);
    state.candidates += 1;
    for (const [currency, bids] of Map.groupBy(pricedBids(contest.bids), ({ price }) => price.currency)) {
      const own = state.byCurrency.get(currency) ?? { ratios: new Map(), bids: 0, notComputable: new Map() };
      state.byCurrency.set(currency, own);
      own.bids += bids.length;
      if (common.currency !== null && common.currency !== currency) continue;
      const answer = compare(contest.winner, bids);
      if (typeof answer === "string") addCount(own.notComputable, answer);
      else own.ratios.set(release.ocid, answer);
    }
  },
  merge: (a, b) => {
    const byCurrency = new Map(a.byCurrency);
    for (const [currency, later] of b.byCurrency) {
      const earlier = byCurrency.get(currency);
      byCurrency.set(currency, earlier === undefined ? later : mergeInCurrency(earlier, later));
    }
    return { byCurrency, candidates: a.candidates + b.candidates, tally: mergeTallies(a.tally, b.tally) };
  },
  firstCurrency: (release, common) => {
    const contest = comparesPrices(release, common) ? soleWinner(release) : "";
    return typeof contest === "string" ? null : (pricedBids(contest.bids)[0]?.price.currency ?? null);
  },
};

/** What R024 and R058 compare with their fences: the ratios in the main currency. */
export function ratiosIn(state: SecondLowestState, mainCurrency: string | null) {
  const own = state.byCurrency.get(mainCurrency ?? "");
  const ratios: Map<string, SecondLowest> = own?.ratios ?? new Map<string, SecondLowest>();
  const tally = mergeTallies(state.tally, {
    tested: ratios.size,
    notComputable: own?.notComputable ?? new Map(),
    excluded: new Map(),
  });
  const answered = ratios.size + [...(own?.notComputable.values() ?? [])].reduce((sum, count) => sum + count, 0);
  addCount(tally.notComputable, NOTHING_TO_COMPARE, state.candidates - answered);
  const bids = [...state.byCurrency.values()].reduce((sum, one) => sum + one.bids, 0);
  return { ratios, tally, currencyMismatches: bids - (own?.bids ?? 0) };
}

/** An unusable fence leaves every process without an answer. */
export function withoutFence(
  { tally, currencyMismatches }: ReturnType<typeof ratiosIn>,
  meta: Finished["meta"],
): Finished {
  const { tested, notComputable, excluded } = tally;
  const counts = mergeCounts(notComputable, new Map());
  addCount(counts, UNUSABLE_FENCE, tested);
  return {
    results: [],
    meta,
    tallies: { OCID: { tested: 0, notComputable: counts, excluded } },
    currencyMismatches,
  };
}

export const UNUSABLE_FENCE = "limite estatístico inutilizável: zero, negativo ou sem valores";

const NOTHING_TO_COMPARE = "sem proposta do vencedor e de outro licitante para comparar na moeda principal";

type PricedBid = { tenderer: string; price: Price };

function pricedBids(bids: readonly BidFacts[]): PricedBid[] {
  return bids.flatMap(({ status, price, tenderers }) => {
    const tenderer = soleOrganization(tenderers);
    return status === "valid" && price !== null && tenderer !== null ? [{ tenderer, price }] : [];
  });
}

function compare(winner: string, bids: readonly PricedBid[]): SecondLowest | string {
  const best = lowestOf(bids.filter(({ tenderer }) => tenderer === winner));
  const other = lowestOf(bids.filter(({ tenderer }) => tenderer !== winner));
  if (best === null || other === null) return NOTHING_TO_COMPARE;
  if (other.price.amount < best.price.amount) return "a menor proposta não venceu: o critério não é só preço";
  const ratio = (other.price.amount - best.price.amount) / best.price.amount;
  return Number.isFinite(ratio)
    ? { ratio, winner, runnerUp: other.tenderer }
    : "a proposta vencedora vale zero: a razão não existe";
}

/** The first of equal ones. */
function lowestOf(bids: readonly PricedBid[]): PricedBid | null {
  return bids.reduce<PricedBid | null>(
    (lowest, bid) => (lowest === null || bid.price.amount < lowest.price.amount ? bid : lowest),
    null,
  );
}

function mergeInCurrency(a: InCurrency, b: InCurrency): InCurrency {
  return {
    ratios: new Map([...a.ratios, ...b.ratios]),
    bids: a.bids + b.bids,
    notComputable: mergeCounts(a.notComputable, b.notComputable),
  };
}
