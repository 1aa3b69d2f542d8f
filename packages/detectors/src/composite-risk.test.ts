import type { Contract } from "@cidadao/domain/contract";
import { describe, expect, test } from "vitest";
import type { DetectorRun } from "./detector-run.ts";
import { keyText } from "./frame/contracts.ts";
import { rankRisks } from "./composite-risk.ts";
import type { Concern } from "./define-detector.ts";
import { EXAMPLE_CNPJS, exampleContract, exampleDataset, exampleKey } from "./examples.ts";
import { frameOf } from "./frame/frame.ts";
import { detectors } from "./registry.ts";

const [FIRST, , SECOND] = EXAMPLE_CNPJS;

describe("the composite risk", () => {
  const contracts = [
    exampleContract("c1"),
    exampleContract("c2"),
    exampleContract("c3", { supplierId: SECOND, supplierTaxId: SECOND, supplierName: "Outra" }),
  ];

  test("is 10 × (1 − Π (1 − score)) over the detectors that raised the entity", () => {
    const risks = rank(contracts, [
      { id: "a", raised: [{ ids: ["c1"], score: 0.5 }] },
      { id: "b", raised: [{ ids: ["c1"], score: 0.4 }] },
    ]);
    expect(risks.contract).toEqual([expect.objectContaining({ id: exampleKey("c1"), risk: 7, fired: ["a", "b"] })]);
    expect(risks.supplier).toEqual([expect.objectContaining({ id: FIRST, risk: 7 })]);
    expect(risks.agency).toEqual([expect.objectContaining({ id: "26000", risk: 7 })]);
  });

  test("counts of each detector only the gravest score, however often it raised the entity", () => {
    const often = [
      { ids: ["c1"], score: 0.2 },
      { ids: ["c2"], score: 0.5 },
      { ids: ["c1", "c2"], score: 0.3 },
    ];
    const { supplier, contract } = rank(contracts, [{ id: "a", raised: often }]);
    expect(supplier).toEqual([expect.objectContaining({ risk: 5, fired: ["a"] })]);
    expect(contract.map(({ id, risk }) => [id, risk])).toEqual([
      [exampleKey("c2"), 5],
      [exampleKey("c1"), 3],
    ]);
  });

  test("raises every entity of a group, and one between others of a group once", () => {
    const { supplier } = rank(contracts, [{ id: "a", raised: [{ ids: ["c1", "c3", "c2"], score: 0.6 }] }]);
    expect(supplier.map(({ id, risk }) => [id, risk])).toEqual([
      [FIRST, 6],
      [SECOND, 6],
    ]);
  });

  test("leaves out the kinds that the detector does not concern, and those that nothing raised", () => {
    const risks = rank(contracts, [{ id: "a", concerns: ["supplier"], raised: [{ ids: ["c1"], score: 0.6 }] }]);
    expect(risks.contract).toEqual([]);
    expect(risks.agency).toEqual([]);
    expect(risks.supplier.map(({ id }) => id)).toEqual([FIRST]);
  });

  test("says of how many detectors an answer was available, fired or not", () => {
    const risks = rank(contracts, [
      { id: "fired", raised: [{ ids: ["c1"], score: 0.6 }], available: ["c1"] },
      { id: "calm", raised: [], available: ["c2"] },
      { id: "mute", raised: [], available: [] },
      { id: "elsewhere", concerns: ["agency"], raised: [], available: ["c1", "c2", "c3"] },
    ]);
    expect(risks.contract).toEqual([expect.objectContaining({ fired: ["fired"], available: 1 })]);
    expect(risks.supplier).toEqual([expect.objectContaining({ fired: ["fired"], available: 2 })]);
    expect(risks.agency).toEqual([expect.objectContaining({ fired: ["fired"], available: 3 })]);
  });

  test("names an entity by the first of its names", () => {
    const named = [exampleContract("c1", { supplierName: "Beta" }), exampleContract("c2", { supplierName: "Alfa" })];
    const { supplier } = rank(named, [{ id: "a", raised: [{ ids: ["c1"], score: 0.6 }] }]);
    expect(supplier[0]?.name).toBe("Alfa");
  });

  test("lists the hundred riskiest, ties by id", () => {
    const many = Array.from({ length: 150 }, (_, index) => exampleContract(`c${String(index).padStart(3, "0")}`));
    const raised = many.map(({ number }, index) => ({ ids: [number], score: index === 149 ? 0.9 : 0.5 })).toReversed();
    const { contract } = rank(many, [{ id: "a", raised }]);
    expect(contract.map(({ id }) => id)).toEqual(
      ["c149", ...many.slice(0, 99).map(({ number }) => number)].map(exampleKey),
    );
  });

  test("does not depend on the order of the detectors", () => {
    const runs = [0.137, 0.611, 0.283].map((score, index) => ({ id: `d${index}`, raised: [{ ids: ["c1"], score }] }));
    expect(rank(contracts, runs.toReversed())).toEqual(rank(contracts, runs));
  });

  test("of nothing is nothing", () => {
    expect(rankRisks(frameOf(exampleDataset({})), [])).toEqual([]);
  });
});

type Run = {
  id: string;
  concerns?: Concern[];
  raised: { ids: string[]; score: number }[];
  available?: string[];
};

function rank(contracts: Contract[], runs: Run[]) {
  const frame = frameOf(exampleDataset({ contracts }));
  const rowOf = new Map(Array.from({ length: frame.contracts.size }, (_, row) => [keyText(frame.contracts, row), row]));
  const rowsOf = (ids: string[]) => ids.map((id) => rowOf.get(exampleKey(id))!);
  const risks = rankRisks(
    frame,
    runs.map(({ id, concerns = ["contract", "supplier", "agency"], raised, available = [] }): DetectorRun => {
      const detector = { ...detectors[0]!, id, concerns };
      const isAvailable = new Uint8Array(contracts.length);
      for (const row of rowsOf(available)) isAvailable[row] = 1;
      return {
        detector,
        available: isAvailable,
        raised: raised.map(({ ids, score }) => ({
          detector,
          subjectId: () => ids.join(),
          rows: rowsOf(ids),
          score,
          baseRate: { tested: contracts.length, fired: raised.length },
          flag: { strength: score, amountAtRiskCents: 0, pValue: null, describe: () => expect.fail("not described") },
        })),
        report: {
          detector: id,
          version: 1,
          fired: raised.length,
          notFired: 0,
          notComputable: [],
          excluded: [],
          notFiredNotes: [],
          falseDiscovery: null,
        },
      };
    }),
  );
  const of = (kind: Concern) => risks.filter((risk) => risk.kind === kind);
  return { contract: of("contract"), supplier: of("supplier"), agency: of("agency") };
}
