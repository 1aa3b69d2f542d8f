import { type Contracts, nameText, objectText } from "./frame/contracts.ts";
import { once } from "./frame/once.ts";
import { fold } from "./text.ts";

const FOUNDATION = /\bfundacao\b/;
const PURPOSE = /\b(apoio|amparo|pesquisas?|cientific|tecnolog|extensao|ensino|fomento|universi)/;

/**
 * Support foundations of universities are contracted by waiver under a law of their own (Lei 8.958/1994): that they
 * hold most of a university's contracts, and that projects grow, is how that law works.
 */
export function isWithSupportFoundation(contracts: Contracts, row: number): boolean {
  const name = contracts.supplierName[row]!;
  const answers = answersByNameOf(contracts);
  if (answers[name] === UNKNOWN) answers[name] = FOUNDATION.test(fold(nameText(contracts, name))) ? YES : NO;
  if (answers[name] === NO) return false;
  return PURPOSE.test(fold(`${nameText(contracts, name)} ${objectText(contracts, row) ?? ""}`));
}

/** Each name is read once. */
const answersByNameOf = once((contracts: Contracts) => new Uint8Array(contracts.namesSize));
const [UNKNOWN, NO, YES] = [0, 1, 2];
