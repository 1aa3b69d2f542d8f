import { expect, test } from "vitest";
import { coverageOf, fieldNames } from "./coverage.ts";
import { contractFields } from "./define-detector.ts";
import {
  EXAMPLE_CNPJS,
  exampleAmendment,
  exampleContract,
  exampleDataset,
  exampleItem,
  exampleRegistration,
  exampleSanction,
} from "./examples.ts";
import { frameOf } from "./frame/frame.ts";
import { detectors } from "./registry.ts";

test("an empty dataset feeds nothing, and says so for every detector", () => {
  const coverage = coverageOf(frameOf(exampleDataset({})));
  expect(coverage.records).toEqual({ contracts: 0, items: 0, amendments: 0, sanctions: 0, registrations: 0 });
  expect(coverage.fields.map(({ field }) => field)).toEqual([...contractFields]);
  expect(coverage.detectors.map(({ detector }) => detector)).toEqual(detectors.map(({ id }) => id));
  expect(coverage.detectors.every(({ feeds, ready, missing }) => feeds === "no" && ready === 0 && missing)).toBe(true);
});

test("a complete dataset feeds every detector", () => {
  const { records, sanctionListsRead, fields, detectors: covered } = coverageOf(frameOf(complete()));
  expect(records).toEqual({ contracts: 2, items: 2, amendments: 1, sanctions: 1, registrations: 1 });
  expect(sanctionListsRead).toEqual(["ceis", "cnep"]);
  expect(fields.filter(({ filled }) => filled < 2)).toEqual([]);
  for (const one of covered) expect(one).toMatchObject({ feeds: "yes", ready: 2, total: 2, missing: null });
});

test("each field is counted as it is: absent, zero and present", () => {
  const bare = exampleContract("c1", {
    initialValueCents: 0,
    currentValueCents: null,
    signedOn: null,
    publishedOn: null,
    startsOn: null,
    endsOn: null,
    supplierTaxId: null,
    object: null,
  });
  const { fields } = coverageOf(frameOf(exampleDataset({ contracts: [bare, exampleContract("c2")] })));
  const filled = Object.fromEntries(fields.map((one) => [one.field, one.filled]));
  expect(filled).toMatchObject({ initialValue: 1, currentValue: 1, signedOn: 1, publishedOn: 1, startsOn: 1 });
  expect(filled).toMatchObject({ endsOn: 1, supplierTaxId: 1, object: 1, methodDetails: 2, awardKind: 2 });
  expect(filled).toMatchObject({ estimatedValue: 0, legalBasis: 0, itemClass: 0, itemPrice: 0 });
  expect(fields.every(({ total }) => total === 2)).toBe(true);
});

test("a price needs a quantity: an item without either is no priced item", () => {
  const contracts = ["c1", "c2", "c3"].map((id) => exampleContract(id));
  const items = [
    exampleItem("i1", "c1", { unitPriceCents: null }),
    exampleItem("i2", "c2", { quantity: 0 }),
    exampleItem("i3", "c3", { unitPriceCents: null }),
    exampleItem("i4", "c3"),
  ];
  const { fields } = coverageOf(frameOf(exampleDataset({ contracts, items })));
  expect(fields.find(({ field }) => field === "itemPrice")).toEqual({ field: "itemPrice", filled: 1, total: 3 });
});

test("what is missing is named, the most frequent first, and a part feeds a detector partly", () => {
  const contracts = [
    exampleContract("c1", { supplierTaxId: null, initialValueCents: null }),
    exampleContract("c2", { supplierTaxId: null }),
    exampleContract("c3"),
  ];
  const covered = coverageOf(frameOf(exampleDataset({ contracts }))).detectors;
  expect(covered.find(({ detector }) => detector === "round-number")).toEqual({
    detector: "round-number",
    feeds: "partly",
    ready: 1,
    total: 3,
    missing: `${fieldNames.supplierTaxId} falta em 2 de 3; ${fieldNames.initialValue} falta em 1 de 3`,
  });
  expect(covered.find(({ detector }) => detector === "unit-price-outlier")).toMatchObject({ feeds: "no", ready: 0 });
});

test("without a sanction list or a registry the detectors that need them say nothing at all", () => {
  const { detectors: covered } = coverageOf(
    frameOf({ ...complete(), sanctions: [], sanctionListsRead: [], registrations: [] }),
  );
  const missing = new Map(covered.map((one) => [one.detector, one.missing]));
  for (const { id, needs } of detectors) {
    const absent = needs.includes("sanctions")
      ? "nenhuma lista de sanções lida"
      : needs.includes("registrations")
        ? "nenhum registro do cadastro CNPJ"
        : null;
    expect([id, missing.get(id)]).toEqual([id, absent]);
  }
});

test("a list that was read and is empty is a list", () => {
  const { detectors: covered } = coverageOf(frameOf({ ...complete(), sanctions: [] }));
  expect(covered.find(({ detector }) => detector === "sanctioned-supplier")?.feeds).toBe("yes");
});

function complete() {
  const parts = {
    estimatedValueCents: 11_000_000,
    procurementMethod: "direct",
    procurementMethodDetails: "Dispensa de Licitação",
    directAwardKind: "waived",
    legalBasis: "Lei 14.133/2021, art. 75, II",
  } as const;
  return exampleDataset({
    contracts: [exampleContract("c1", parts), exampleContract("c2", parts)],
    items: [exampleItem("i1", "c1"), exampleItem("i2", "c2")],
    amendments: [exampleAmendment("a1", "c1", "Prorrogação")],
    sanctions: [exampleSanction("s1")],
    sanctionListsRead: ["ceis", "cnep"],
    registrations: [exampleRegistration(EXAMPLE_CNPJS[0])],
  });
}

test("one sanction list of two feeds partly, and the other is named", () => {
  const { detectors: covered } = coverageOf(frameOf({ ...complete(), sanctionListsRead: ["ceis"] }));
  expect(covered.find(({ detector }) => detector === "sanctioned-supplier")).toMatchObject({
    feeds: "partly",
    missing: "lista não lida: CNEP",
  });
});
