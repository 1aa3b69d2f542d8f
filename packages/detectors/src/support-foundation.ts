import type { Contract } from "@cidadao/domain/contract";
import { fold } from "./text.ts";

const FOUNDATION = /\bfundacao\b/;
const PURPOSE = /\b(apoio|amparo|pesquisas?|cientific|tecnolog|extensao|ensino|fomento|universi)/;

/**
 * Support foundations of universities are contracted by waiver under a law of their own (Lei 8.958/1994): that they
 * hold most of a university's contracts, and that projects grow, is how that law works.
 */
export function isWithSupportFoundation({ supplierName, object }: Pick<Contract, "supplierName" | "object">): boolean {
  return FOUNDATION.test(fold(supplierName)) && PURPOSE.test(fold(`${supplierName} ${object ?? ""}`));
}
