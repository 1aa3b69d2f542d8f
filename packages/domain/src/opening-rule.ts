import type { Contract } from "./contract.ts";

/** What is known of a contract beyond its own record; `null`: no source says. */
export type OpeningContext = {
  bidders: number | null;
  /** Its supplier or agency is on somebody's watch-list, or a sanction in force names the supplier. */
  isWatched: boolean;
};

export type OpeningSign = { sign: "value" | "direct_award" | "single_bidder" | "watched"; points: number };

export const OPENING_POINTS_DEFAULT = 3;

/** R$ 100,000 and R$ 10,000,000. */
const LARGE_CENTS = 100_000_00;
const VERY_LARGE_CENTS = 10_000_000_00;
/** Below this a direct award is everyday shopping: about the limit of Lei 14.133/2021, art. 75, II, when it was passed. */
const SMALL_CENTS = 50_000_00;

/**
 * Why a new contract deserves an investigation, sign by sign. Enough points open one: a very large value is enough by
 * itself, and so is a direct award, but for small ones.
 */
export function openingSigns(
  contract: Pick<Contract, "initialValueCents" | "currentValueCents" | "procurementMethod">,
  context: OpeningContext,
): OpeningSign[] {
  const value = contract.initialValueCents ?? contract.currentValueCents ?? 0;
  const signs: OpeningSign[] = [];
  if (value > LARGE_CENTS) signs.push({ sign: "value", points: value > VERY_LARGE_CENTS ? 3 : 2 });
  if (contract.procurementMethod === "direct")
    signs.push({ sign: "direct_award", points: value > SMALL_CENTS ? 3 : 1 });
  if (context.bidders === 1) signs.push({ sign: "single_bidder", points: 2 });
  if (context.isWatched) signs.push({ sign: "watched", points: 3 });
  return signs;
}
