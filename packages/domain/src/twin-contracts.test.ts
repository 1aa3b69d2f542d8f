import { expect, test } from "vitest";
import type { Contract } from "./contract.ts";
import { withoutTwins } from "./twin-contracts.ts";

const contract = (source: string, id: string, given: Partial<Contract>): Contract => ({
  provenance: { source, sourceId: id, url: "", retrievedAt: "", sample: null },
  number: "000342023",
  object: null,
  procurementMethod: "open",
  procurementMethodDetails: null,
  directAwardKind: null,
  legalBasis: null,
  agencyCode: "20101",
  agencyName: "A",
  parentAgencyCode: null,
  parentAgencyName: null,
  unitCode: "110001",
  unitName: "U",
  supplierId: "s",
  supplierKind: "company",
  supplierTaxId: "11222333000181",
  supplierName: "S",
  signedOn: null,
  publishedOn: null,
  startsOn: null,
  endsOn: null,
  initialValueCents: 100,
  currentValueCents: 100,
  ...given,
});
const portal = contract("portal-transparencia", "1", {});
const pncp = (given: Partial<Contract>) =>
  contract("pncp", "00394460005887-2-000001/2023", {
    unitCode: "00394460005887/110001",
    number: "00034/2023",
    ...given,
  });

test("a contract that both sources give is looked at once, as the Portal gives it", () => {
  expect(withoutTwins([portal], [pncp({})])).toEqual({ contracts: [portal], twins: 1, apart: [] });
});

test("the same number of the same unit with another supplier is another contract, with the reason", () => {
  const other = pncp({ supplierTaxId: "33000167000101" });
  const { contracts, twins, apart } = withoutTwins([portal], [other]);
  expect({ contracts, twins }).toEqual({ contracts: [portal, other], twins: 0 });
  expect(apart).toEqual([
    { what: "contrato 00394460005887-2-000001/2023", why: "mesma unidade e mesmo número que 1, de outro fornecedor" },
  ]);
});

test.each<[string, Partial<Contract>]>([
  ["another unit", { unitCode: "00394460005887/110002" }],
  ["another year", { number: "00034/2024" }],
  ["a number without a year", { number: "34" }],
  ["a number that is a commitment's", { number: "2023NE000034" }],
  ["a unit that is no managing unit", { unitCode: "00394460005887/1" }],
])("%s makes it another contract, and no reason is needed", (_, given) => {
  expect(withoutTwins([portal], [pncp(given)])).toMatchObject({ twins: 0, apart: [], contracts: { length: 2 } });
});

test("without suppliers nothing is the same", () => {
  const nobody = { supplierTaxId: null };
  const { twins } = withoutTwins([{ ...portal, ...nobody }], [pncp(nobody)]);
  expect(twins).toBe(0);
});
