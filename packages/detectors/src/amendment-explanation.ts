import type { Amendment } from "@cidadao/domain/contract";
import { speaksOfIncrease, speaksOfRenewal } from "./amendment-texts.ts";
import { isWithheld } from "./text.ts";

/** What the amendments say about the growth. */
export type Explanation = "stated" | "increase" | "mixed" | "renewal" | "withheld" | "none";

export const explanationTexts: Record<Explanation, string> = {
  stated: "os percentuais de acréscimo escritos nos termos aditivos já passam do limite",
  increase: "os termos aditivos publicados mencionam acréscimo",
  mixed: "os termos aditivos mencionam acréscimo e também prorrogação ou reajuste",
  renewal: "os termos aditivos mencionam prorrogação ou reajuste, o que costuma explicar o crescimento",
  withheld: "os termos aditivos estão sob sigilo",
  none: "não há termo aditivo publicado que explique o crescimento",
};

export function explain(
  amendments: readonly Amendment[],
  { stated, limit }: { stated: number; limit: number },
): Explanation {
  const hasIncrease = amendments.some(speaksOfIncrease);
  const hasRenewal = amendments.some(speaksOfRenewal);
  if (stated > limit + STATED_TOLERANCE_SHARE) return "stated";
  if (hasIncrease && !hasRenewal) return "increase";
  if (hasIncrease && stated === 0) return "mixed";
  if (hasRenewal) return "renewal";
  return amendments.some(({ object }) => isWithheld(object)) ? "withheld" : "none";
}

/** Amendments round what they state: "25,3 %" is a quarter. */
const STATED_TOLERANCE_SHARE = 0.005;
