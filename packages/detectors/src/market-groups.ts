import type { Contracts } from "./frame/contracts.ts";
import { yearOf } from "./frame/days.ts";
import { NONE } from "./frame/dictionary.ts";
import { groupRows, groupRowsByTable, pairKey, type RowGroups } from "./frame/group-rows.ts";
import { once } from "./frame/once.ts";
import { republicationsOf } from "./republications.ts";

/* The groupings that several detectors start from, each made once a frame. A contract published again is in none. */

/** Contracts of one agency. */
export const agencyGroupsOf = once((contracts: Contracts): RowGroups => {
  const republished = republicationsOf(contracts);
  return groupRowsByTable(contracts.size, contracts.codesSize, (row) =>
    republished[row] === 1 ? -1 : contracts.agency[row]!,
  );
});

/** Contracts of one managing unit with one supplier. */
export const sellerGroupsOf = once((contracts: Contracts): RowGroups => {
  const republished = republicationsOf(contracts);
  return groupRows(contracts.size, (row) =>
    republished[row] === 1 ? -1 : pairKey(contracts.unit[row]!, contracts.supplier[row]!),
  );
});

/** More than any year of a public record. */
const YEARS = 3_000;

/** Those of the groups' rows that `isCounted`, apart by year of signature; the year of an unsigned contract is none. */
export function groupsByYear(contracts: Contracts, groups: RowGroups, isCounted: (row: number) => boolean): RowGroups {
  return groupRows(contracts.size, (row) => {
    const group = groups.groupOf[row]!;
    if (group < 0 || !isCounted(row)) return -1;
    const day = contracts.signedOn[row]!;
    return group * YEARS + (day === NONE ? 0 : yearOf(day));
  });
}
