import type { Contracts } from "./frame/contracts.ts";
import { yearOf } from "./frame/days.ts";
import { NONE } from "./frame/dictionary.ts";
import { groupRowsByTable, type RowGroups, splitGroups } from "./frame/group-rows.ts";
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

/** Contracts of one supplier. */
export const supplierGroupsOf = once((contracts: Contracts): RowGroups => {
  const republished = republicationsOf(contracts);
  return groupRowsByTable(contracts.size, contracts.suppliersSize, (row) =>
    republished[row] === 1 ? -1 : contracts.supplier[row]!,
  );
});

/** Contracts of one managing unit with one supplier. */
export const sellerGroupsOf = once((contracts: Contracts): RowGroups =>
  splitGroups(supplierGroupsOf(contracts), (row) => contracts.unit[row]!),
);

/** Contracts of one agency with one supplier. */
export const agencySellerGroupsOf = once((contracts: Contracts): RowGroups =>
  splitGroups(supplierGroupsOf(contracts), (row) => contracts.agency[row]!),
);

/** Year of signature; 0 for an unsigned contract. */
export function yearSigned({ signedOn }: Contracts, row: number): number {
  return signedOn[row] === NONE ? 0 : yearOf(signedOn[row]!);
}
