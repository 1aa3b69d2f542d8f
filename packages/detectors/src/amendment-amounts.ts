import type { Amendment } from "@cidadao/domain/contract";
import type { Cents } from "@cidadao/domain/money";
import { hasAgreement, readChange, statedIncreaseOf } from "./amendment-texts.ts";

/** What the amendments of a contract add to its value and take from it, told apart by what their texts say. */
export type AmendmentAmounts = {
  /** The amount of each amendment, or the value of the contract after each, from which the amount follows. */
  source: "amounts" | "values";
  /** The initial value, updated by the endorsements. */
  baseCents: Cents;
  endorsements: number;
  /** Increases proper. Never netted with the decreases. */
  increaseCents: Cents;
  /** Rises in amendments that speak of an increase and of an extension or adjustment too. */
  mixedCents: Cents;
  /** Rises in amendments that speak of neither. */
  unexplainedCents: Cents;
  /** Rises in amendments that speak only of an extension or adjustment: they count for no limit. */
  renewalCents: Cents;
  /** Reductions of what is bought, but for those that say that both parties agreed. */
  decreaseCents: Cents;
  agreedDecreaseCents: Cents;
  /** Value after ÷ value before, of each amendment that tells. */
  ratios: number[];
  /** The highest value that the contract had at first or after any of them. */
  highestCents: Cents;
};

/** `null` where the source tells neither amounts nor values of any amendment: then only the totals are left. */
export function measureAmendments(initialCents: Cents, amendments: readonly Amendment[]): AmendmentAmounts | null {
  const ofContract = amendments.filter(({ kind }) => kind !== "other");
  const hasAmounts = ofContract.some(
    ({ kind, increaseCents, decreaseCents }) =>
      kind !== "endorsement" && ((increaseCents ?? 0) > 0 || (decreaseCents ?? 0) > 0),
  );
  const hasValues = ofContract.some(({ valueAfterCents }) => (valueAfterCents ?? 0) > 0);
  if (!hasAmounts && !hasValues) return null;
  const sums: AmendmentAmounts = {
    source: hasAmounts ? "amounts" : "values",
    baseCents: initialCents,
    endorsements: 0,
    increaseCents: 0,
    mixedCents: 0,
    unexplainedCents: 0,
    renewalCents: 0,
    decreaseCents: 0,
    agreedDecreaseCents: 0,
    ratios: [],
    highestCents: initialCents,
  };
  let before = initialCents;
  for (const amendment of ofContract.toSorted(bySigning)) {
    const { kind } = amendment;
    const told = amendment.valueAfterCents || null;
    const [rise, fall] = hasAmounts
      ? [amendment.increaseCents ?? 0, amendment.decreaseCents ?? 0]
      : [Math.max((told ?? before) - before, 0), Math.max(before - (told ?? before), 0)];
    const after = told ?? before + rise - fall;
    if (before > 0 && after !== before) sums.ratios.push(after / before);
    if (kind === "endorsement") {
      sums.endorsements++;
      if (isAdjustment(after / before)) sums.baseCents *= after / before;
    } else {
      addRise(sums, amendment, rise);
      addFall(sums, amendment, fall);
    }
    sums.highestCents = Math.max(sums.highestCents, after);
    before = after;
  }
  return { ...sums, baseCents: Math.round(sums.baseCents) };
}

/** Beyond this an endorsement tells the value of another period, not another price. */
function isAdjustment(ratio: number): boolean {
  return ratio >= 0.8 && ratio <= 1.5;
}

function addRise(sums: AmendmentAmounts, amendment: Amendment, riseCents: Cents): void {
  if (riseCents <= 0) return;
  switch (readChange(amendment)) {
    case "increase":
      sums.increaseCents += riseCents;
      return;
    case "mixed": {
      // The increase is what the text states; the rest of the rise is the extension.
      const statedCents = Math.round(statedIncreaseOf([amendment]) * sums.baseCents);
      if (statedCents === 0) sums.mixedCents += riseCents;
      sums.increaseCents += Math.min(statedCents, riseCents);
      sums.renewalCents += statedCents === 0 ? 0 : Math.max(riseCents - statedCents, 0);
      return;
    }
    case "renewal":
      sums.renewalCents += riseCents;
      return;
    case "decrease":
    case "silent":
      // An amount of increase is one, whatever the text; a higher value may have other causes.
      if (sums.source === "amounts") sums.increaseCents += riseCents;
      else sums.unexplainedCents += riseCents;
  }
}

function addFall(sums: AmendmentAmounts, amendment: Amendment, fallCents: Cents): void {
  if (fallCents <= 0) return;
  const change = readChange(amendment);
  if (change === "renewal" || change === "mixed" || (sums.source === "values" && change !== "decrease")) return;
  if (hasAgreement(amendment)) sums.agreedDecreaseCents += fallCents;
  else sums.decreaseCents += fallCents;
}

/** Those without a day come last. */
function bySigning(a: Amendment, b: Amendment): number {
  const [left, right] = [dayOf(a), dayOf(b)];
  if (left !== right) return left < right ? -1 : 1;
  return a.number < b.number ? -1 : a.number > b.number ? 1 : 0;
}

function dayOf({ signedOn, publishedOn }: Amendment): string {
  return signedOn ?? publishedOn ?? "9999";
}
