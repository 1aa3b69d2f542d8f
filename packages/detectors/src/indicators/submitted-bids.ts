import type { CommonSettings } from "./define-indicator.ts";
import type { AwardFacts, BidFacts, OrganizationIds, ReleaseFacts } from "./read-release.ts";

/** Pending, valid and disqualified bids, and those of unknown status; a bid without a status is none. */
export function submittedBids(release: ReleaseFacts): BidFacts[] {
  return (release.bids ?? []).filter(({ status }) => status !== null && status !== "invited" && status !== "withdrawn");
}

/** The tenderer or supplier, when there is exactly one and it has an id. */
export function soleOrganization(organizations: OrganizationIds | null): string | null {
  return organizations?.length === 1 ? organizations[0]! : null;
}

export function idsOf(organizations: OrganizationIds | null): string[] {
  return (organizations ?? []).filter((id) => id !== null);
}

export function comparesPrices(
  release: ReleaseFacts,
  common: Pick<CommonSettings, "priceComparisonMethods" | "noPriceComparisonMethods">,
): boolean {
  const details = release.procurementMethodDetails;
  const { priceComparisonMethods: allowed, noPriceComparisonMethods: denied } = common;
  if (details === null) return allowed.size === 0;
  return allowed.size === 0 ? !denied.has(details) : allowed.has(details);
}

/** An empty list takes every method, and none; otherwise a missing method does not match, whatever is listed. */
export function matchesMethod({ procurementMethod }: ReleaseFacts, methods: ReadonlySet<string>): boolean {
  return methods.size === 0 || (procurementMethod !== null && methods.has(procurementMethod));
}

export const NO_PRICE_COMPARISON = "procedimento que não compara preços";

export type FinalAwards = { active: AwardFacts[]; bids: BidFacts[] };

/** The active awards once all are in a final state, and the bids; otherwise why not. */
export function finalAwards(release: ReleaseFacts): FinalAwards | string {
  const { awards, bids } = release;
  if (awards === null) return "sem adjudicações";
  if (bids === null) return "sem propostas";
  const isOpen = awards.some(({ status }) => status !== null && !FINAL.has(status));
  if (isOpen) return "há adjudicação ainda não concluída";
  return { active: awards.filter(({ status }) => status === "active"), bids };
}

const FINAL = new Set(["active", "cancelled", "unsuccessful"]);

/** The one supplier of the one active award, for bids are taken to compete for everything; otherwise why not. */
export function soleWinner(release: ReleaseFacts): { winner: string; bids: BidFacts[] } | string {
  const final = finalAwards(release);
  if (typeof final === "string") return final;
  if (final.active.length !== 1) return "não há exatamente uma adjudicação ativa";
  const winner = soleOrganization(final.active[0]!.suppliers);
  return winner === null ? "a adjudicação não tem exatamente um fornecedor identificado" : { winner, bids: final.bids };
}
