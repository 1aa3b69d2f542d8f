import { keyText } from "./frame/contracts.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { exampleContract, exampleDataset } from "./examples.ts";
import { frameOf } from "./frame/frame.ts";
import { firstPublicationsOf } from "./republications.ts";

test("of the rows with one unit, number, supplier, day and value all but the first key are republications", () => {
  const contract = fc.record({
    number: fc.constantFrom("1", "2", "3", "4"),
    unitCode: fc.constantFrom("150000", "160000"),
    signedOn: fc.constantFrom("2024-03-01", "2024-03-02", null),
    initialValueCents: fc.constantFrom(100, 200, null),
  });
  fc.assert(
    fc.property(fc.array(contract, { maxLength: 60 }), (parts) => {
      const contracts = parts.map((part, index) => exampleContract(`c${String(index).padStart(2, "0")}`, part));
      const frame = frameOf(exampleDataset({ contracts }));
      const firsts = new Map(
        contracts.toReversed().map(({ number, unitCode, signedOn, initialValueCents, provenance }) => {
          return [JSON.stringify([number, unitCode, signedOn, initialValueCents]), `exemplo/${provenance.sourceId}`];
        }),
      );
      const kept = [...firstPublicationsOf(frame.contracts)].flatMap((isFirst, row) =>
        isFirst === 1 ? keyText(frame.contracts, row) : [],
      );
      expect(kept.sort()).toEqual([...firsts.values()].sort());
    }),
  );
});

test("20,000 contracts that differ in nothing but the number are 20,000 contracts", () => {
  const contracts = Array.from({ length: 20_000 }, (_, index) => exampleContract(`c${index}`));
  const again = contracts.slice(0, 100).map(({ number }) => exampleContract(`z${number}`, { number }));
  const frame = frameOf(exampleDataset({ contracts: [...contracts, ...again] }));
  expect(firstPublicationsOf(frame.contracts).reduce((sum, one) => sum + one, 0)).toBe(20_000);
}, 10_000);
