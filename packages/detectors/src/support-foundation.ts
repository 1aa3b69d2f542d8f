import type { Contracts } from "./frame/contracts.ts";
import { once } from "./frame/once.ts";
import { fold } from "./text.ts";

const FOUNDATION = /\bfundacao\b/;
const PURPOSE = /\b(apoio|amparo|pesquisas?|cientific|tecnolog|extensao|ensino|fomento|universi)/;

/**
 * Support foundations of universities are contracted by waiver under a law of their own (Lei 8.958/1994): that they
 * hold most of a university's contracts, and that projects grow, is how that law works.
 */
export const supportFoundationsOf = once((contracts: Contracts): ((row: number) => boolean) => {
  const answers = new Uint8Array(contracts.namesSize);
  return (row) => {
    const name = contracts.supplierName[row]!;
    if (answers[name] === UNKNOWN) answers[name] = FOUNDATION.test(fold(contracts.nameText(name))) ? YES : NO;
    if (answers[name] === NO) return false;
    return PURPOSE.test(fold(`${contracts.nameText(name)} ${contracts.objectText(row) ?? ""}`));
  };
});

/** By id of the name: each name is read once. */
const [UNKNOWN, NO, YES] = [0, 1, 2];
