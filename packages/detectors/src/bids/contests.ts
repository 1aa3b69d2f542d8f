import { idsOf, NO_PRICE_COMPARISON, submittedBids } from "../indicators/submitted-bids.ts";
import type { BidContext } from "./bid-pattern.ts";
import type { BidProcess } from "./read-process.ts";

/** One bid a bidder, its lowest, in ascending order; equal ones by bidder. */
export type Contest = { process: BidProcess; bids: { bidder: string; amount: number }[] };

const BIDS_MIN = 3;

/** The bids of a process that can be compared, or why they cannot. A consortium is one bidder. */
export function contestOf(
  process: BidProcess,
  context: BidContext,
): Contest | { excluded: string } | { notComputable: string } {
  if (!context.comparesPrices(process)) return { excluded: NO_PRICE_COMPARISON };
  if (process.lots > 1) return { notComputable: "propostas de vários lotes, que não competem entre si" };
  const lowest = new Map<string, number>();
  for (const { tenderers, price } of submittedBids(process)) {
    const bidder = [...new Set(idsOf(tenderers))].toSorted().join("+");
    if (bidder === "" || price === null || price.currency !== context.currency || !(price.amount > 0)) continue;
    lowest.set(bidder, Math.min(price.amount, lowest.get(bidder) ?? Number.POSITIVE_INFINITY));
  }
  if (lowest.size === 0) return { notComputable: "sem valores de propostas na moeda principal" };
  if (lowest.size < BIDS_MIN) return { notComputable: `menos de ${BIDS_MIN} licitantes com valor` };
  const bids = [...lowest]
    .map(([bidder, amount]) => ({ bidder, amount }))
    .toSorted((a, b) => a.amount - b.amount || (a.bidder < b.bidder ? -1 : 1));
  return { process, bids };
}

/** The contests among the processes, in an order that does not depend on theirs. */
export function contestsOf(processes: readonly BidProcess[], context: BidContext): Contest[] {
  return processes
    .map((process) => contestOf(process, context))
    .filter((contest) => "bids" in contest)
    .toSorted((a, b) => compare(sortKey(a), sortKey(b)));
}

/** The bidder that is the one supplier of all active awards. */
export function winnerOf({ process, bids }: Contest): string | null {
  const suppliers = new Set(process.activeAwards.flatMap((award) => award.suppliers));
  const winner = [...suppliers].toSorted().join("+");
  return bids.some(({ bidder }) => bidder === winner) ? winner : null;
}

/** What the active awards of the process add up to, in the main currency. */
export function awardedIn(process: BidProcess, currency: string, supplier: string | null = null): number {
  return process.activeAwards
    .filter(({ suppliers }) => supplier === null || suppliers.includes(supplier))
    .reduce((sum, { price }) => sum + (price?.currency === currency ? Math.max(price.amount, 0) : 0), 0);
}

function sortKey({ process }: Contest): string {
  return `${process.tenderPeriodEnd ?? process.publishedAt ?? ""} ${process.ocid}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
