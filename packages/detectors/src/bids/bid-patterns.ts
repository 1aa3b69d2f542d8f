import type { BidPattern } from "./bid-pattern.ts";
import { collusion } from "./collusion.ts";
import { fixedMultiples } from "./fixed-multiples.ts";
import { sameWinner, winnerRotation } from "./repeated-bidders.ts";

/** Alphabetical by id. */
export const bidPatterns: readonly BidPattern[] = [collusion, fixedMultiples, sameWinner, winnerRotation];
