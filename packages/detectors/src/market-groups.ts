import { awardKindCodes, type Contracts } from "./frame/contracts.ts";
import { yearOf } from "./frame/days.ts";
import { NONE } from "./frame/dictionary.ts";
import { groupRowsByTable, keepRows, type RowGroups, splitGroups } from "./frame/group-rows.ts";
import { once } from "./frame/once.ts";
import { firstPublicationsOf, rowsBySupplierOf } from "./republications.ts";

/* The groupings that several detectors start from, each made once a frame. A contract published again is in none. */

/** Contracts of one agency. */
export const agencyGroupsOf = once((contracts: Contracts): RowGroups =>
  keepRows(groupRowsByTable(contracts.agency, contracts.codesSize), firstPublicationsOf(contracts)),
);

/** Contracts of one supplier. */
export const supplierGroupsOf = once((contracts: Contracts): RowGroups =>
  keepRows(rowsBySupplierOf(contracts), firstPublicationsOf(contracts)),
);

/** Contracts of one managing unit with one supplier. */
export const sellerGroupsOf = once((contracts: Contracts): RowGroups =>
  splitGroups(supplierGroupsOf(contracts), contracts.unit),
);

/** Of those, the direct awards by waiver. */
export const waivedGroupsOf = once((contracts: Contracts): RowGroups =>
  keepRows(
    sellerGroupsOf(contracts),
    contracts.awardKind.map((kind) => Number(kind === awardKindCodes.waived)),
  ),
);

/** Contracts of one agency with one supplier. */
export const agencySellerGroupsOf = once((contracts: Contracts): RowGroups =>
  splitGroups(supplierGroupsOf(contracts), contracts.agency),
);

/** By row: the year of signature; 0 for an unsigned contract. */
export const yearsSignedOf = once(({ size, signedOn }: Contracts): Int32Array => {
  const years = new Int32Array(size);
  for (let row = 0; row < size; row++) if (signedOn[row] !== NONE) years[row] = yearOf(signedOn[row]!);
  return years;
});
