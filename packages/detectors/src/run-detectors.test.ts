import { compareFindings } from "@cidadao/domain/anomaly";
import type { Contract } from "@cidadao/domain/contract";
import { severityOf } from "@cidadao/domain/severity";
import { expect, test } from "vitest";
import {
  EXAMPLE_CNPJS,
  exampleAmendment,
  exampleContract,
  exampleDataset,
  exampleKey,
  examplePeers,
  exampleSanction,
} from "./examples.ts";
import { frameOf } from "./frame/frame.ts";
import { detectors } from "./registry.ts";
import { detectInFrame, FALSE_DISCOVERY_RATE, runDetectors } from "./run-detectors.ts";
import { materialityOf, rarityOf } from "./score.ts";
import { createTally } from "./tally.ts";

const grown = exampleDataset({
  contracts: [
    exampleContract("small", { initialValueCents: 100_000, currentValueCents: 360_000 }),
    exampleContract("large", { initialValueCents: 1_000_000_000, currentValueCents: 3_600_000_000 }),
    exampleContract("calm"),
  ],
  sanctions: [exampleSanction("s1")],
});

test("an empty dataset gives no finding and a report of every detector", () => {
  const { findings, reports } = runDetectors(exampleDataset({}));
  expect(findings).toEqual([]);
  expect(reports.map(({ detector }) => detector)).toEqual(detectors.map(({ id }) => id));
  expect(reports.every(({ fired, notFired }) => fired === 0 && notFired === 0)).toBe(true);
});

test("findings come gravest first, with the severity of their score and the base rate of their run", () => {
  const { findings } = runDetectors(grown, { detectors: ["amendment-growth"] });
  expect(findings.map(({ subject }) => subject.id)).toEqual([exampleKey("large"), exampleKey("small")]);
  expect(findings).toEqual(findings.toSorted(compareFindings));
  for (const { score, severity, evidence } of findings) {
    expect(severity).toBe(severityOf(score));
    expect(evidence.baseRate).toEqual({ tested: 3, fired: 2 });
  }
});

test("only the detectors asked for run, with the parameters given", () => {
  const options = { detectors: ["amendment-growth"], params: { "amendment-growth": { limitShare: 5 } } };
  const { findings, reports } = runDetectors(grown, options);
  expect(findings).toEqual([]);
  expect(reports.map(({ detector }) => detector)).toEqual(["amendment-growth"]);
});

test("an unknown detector or a parameter out of range is refused", () => {
  expect(() => runDetectors(grown, { detectors: ["astrology"] })).toThrow("unknown detector: astrology");
  expect(() => runDetectors(grown, { params: { astrology: {} } })).toThrow("unknown detector: astrology");
  expect(() => runDetectors(grown, { params: { "price-outlier": { peersMin: 2 } } })).toThrow(/peersMin/);
});

test("a contract of a few thousand reais is informative however strong the evidence", () => {
  expect(severityOf(materialityOf(260_000))).toBe("info");
  expect(severityOf(materialityOf(10_000_000))).toBe("medium");
  expect(severityOf(materialityOf(100_000_000))).toBe("high");
  expect(severityOf(materialityOf(1_000_000_000))).toBe("critical");
});

test("an expired sanction is counted with its reason, not raised", () => {
  const dataset = exampleDataset({
    contracts: [exampleContract("c1")],
    sanctions: [exampleSanction("s1", { endsOn: "2024-01-01" })],
    sanctionListsRead: ["ceis", "cnep"],
  });
  const [report] = runDetectors(dataset, { detectors: ["sanctioned-supplier"] }).reports;
  expect(report).toMatchObject({
    fired: 0,
    notFired: 1,
    notFiredNotes: [{ reason: "há sanção, mas terminou antes da assinatura", count: 1 }],
  });
});

test("growth that the amendments explain by renewal is low at most, whatever the money", () => {
  const dataset = exampleDataset({
    contracts: [exampleContract("c1", { initialValueCents: 1e11, currentValueCents: 5e11 })],
    amendments: [exampleAmendment("a1", "c1", "Prorrogação do prazo de vigência e reajuste")],
  });
  expect(runDetectors(dataset, { detectors: ["amendment-growth"] }).findings[0]?.severity).toBe("low");
});

test.each([0.1, 10, 1000])("value outliers are the same contracts when every value is %d times larger", (scale) => {
  const outlier = exampleContract("high", { initialValueCents: 1e11 * scale });
  const contracts = [...examplePeers(40, 1e7 * scale), outlier];
  const { findings } = runDetectors(exampleDataset({ contracts }), { detectors: ["price-outlier"] });
  expect(findings.map(({ subject }) => subject.id)).toEqual([exampleKey("high")]);
});

test("price registration is never a peer of ordinary tenders", () => {
  const dataset = exampleDataset({
    contracts: [
      ...examplePeers(40, 1e7, { procurementMethodDetails: "Pregão - Registro de Preço" }),
      exampleContract("high", { initialValueCents: 1e11 }),
    ],
  });
  const [report] = runDetectors(dataset, { detectors: ["price-outlier"] }).reports;
  expect(report).toMatchObject({ fired: 0, notFired: 40, notComputable: [{ count: 1 }] });
});

/** Thirty agencies that pay round values now and then, one that always does and one that does for half of its contracts. */
function roundPayers() {
  const pay = (agencyCode: string, count: number, round: number) =>
    Array.from({ length: count }, (_, index) =>
      exampleContract(`${agencyCode}-${index}`, {
        agencyCode,
        initialValueCents: index < round ? (10 + index) * 1_000_000 : 1_234_567 + 98_765 * index,
      }),
    );
  const ordinary = Array.from({ length: 30 }, (_, index) =>
    pay(`27${String(index).padStart(3, "0")}`, 10, 1 + (index % 2)),
  );
  return { ordinary: ordinary.flat(), always: pay("28000", 12, 12), half: pay("29000", 8, 4) };
}

const BY_CHANCE = "diferença que o acaso explica entre tantos testes (controle de falsas descobertas)";

test("a flag that chance explains among so many tests is counted as not fired, with its reason", () => {
  const { ordinary, always, half } = roundPayers();
  const dataset = exampleDataset({ contracts: [...ordinary, ...always, ...half] });
  const { findings, reports } = runDetectors(dataset, { detectors: ["round-number"] });
  expect(findings.map(({ subject }) => subject.id)).toEqual([`28000/${EXAMPLE_CNPJS[0]}`]);
  expect(reports[0]).toMatchObject({
    fired: 1,
    notFired: 31,
    notFiredNotes: [{ reason: BY_CHANCE, count: 1 }],
    falseDiscovery: { rate: FALSE_DISCOVERY_RATE, tests: 32, candidates: 2 },
  });
  expect(reports[0]!.falseDiscovery!.cutoff).toBeGreaterThan(0);
  expect(reports[0]!.falseDiscovery!.cutoff).toBeLessThan(1e-6);
});

test("when nothing passes the control the cutoff is -1 and all candidates are chance", () => {
  const { ordinary, half } = roundPayers();
  const dataset = exampleDataset({ contracts: [...ordinary, ...half] });
  const [report] = runDetectors(dataset, { detectors: ["round-number"] }).reports;
  expect(report).toMatchObject({
    fired: 0,
    notFired: 31,
    notFiredNotes: [{ reason: BY_CHANCE, count: 1 }],
    falseDiscovery: { tests: 31, candidates: 1, cutoff: -1 },
  });
});

test("a detector without p-values has no false discovery control", () => {
  expect(runDetectors(grown, { detectors: ["amendment-growth"] }).reports[0]?.falseDiscovery).toBeNull();
});

test("the rarity stays within [0.5, 1], and falls as more of the subjects fire", () => {
  for (const tested of [1, 10, 100, 1_000, 100_000]) {
    const rarities = Array.from({ length: 101 }, (_, percent) => rarityOf({ tested, fired: (tested * percent) / 100 }));
    expect(rarities[0]).toBe(1);
    expect(Math.min(...rarities)).toBeGreaterThanOrEqual(0.5);
    expect(rarities).toEqual(rarities.toSorted((a, b) => b - a));
  }
  expect(rarityOf({ tested: 1_000_000, fired: 10_000 })).toBe(1);
  expect(rarityOf({ tested: 1_000_000, fired: 500_000 })).toBeCloseTo(0.5, 3);
});

test("a small run is drawn to one in a hundred: the same rate is rarer among few", () => {
  const rarities = [2, 20, 200, 2_000, 20_000].map((tested) => rarityOf({ tested, fired: tested / 2 }));
  expect(rarities).toEqual(rarities.toSorted((a, b) => b - a));
  expect(rarities[0]).toBeGreaterThan(0.9);
  expect(rarities.at(-1)).toBeLessThan(0.51);
});

test("the same contract scores less the more of the others are flagged too", () => {
  const scores = [1, 20, 100, 200].map((fired) => {
    const contracts = Array.from({ length: 200 }, (_, index) =>
      exampleContract(`c${index}`, index < fired ? { initialValueCents: 1e8, currentValueCents: 3e8 } : {}),
    );
    const { findings } = runDetectors(exampleDataset({ contracts }), { detectors: ["amendment-growth"] });
    return findings.find(({ subject }) => subject.id === exampleKey("c0"))!.score;
  });
  expect(scores).toEqual([...new Set(scores)].sort((a, b) => b - a));
});

test.each<[string, Partial<Contract>]>([
  ["tendered", {}],
  ["waived", { procurementMethod: "direct", directAwardKind: "waived", initialValueCents: 1_000_000 }],
  ["without competition", { procurementMethod: "direct", directAwardKind: "no_competition" }],
  ["urgent", { procurementMethod: "direct", directAwardKind: "waived", legalBasis: "Lei 14.133/2021, art. 75, VIII" }],
])(
  "every detector gets through one supplier with 20,000 equal contracts (%s), and its counts add up",
  (_, parts) => {
    const contracts = Array.from({ length: 20_000 }, (_, index) => exampleContract(`c${index}`, parts));
    const frame = frameOf(exampleDataset({ contracts, sanctionListsRead: ["ceis", "cnep"] }));
    const { reports, findingsTotal } = detectInFrame(frame);
    expect(reports).toHaveLength(detectors.length);
    expect(findingsTotal).toBe(reports.reduce((sum, { fired }) => sum + fired, 0));
    for (const [index, { detector, fired, notFired, notComputable, excluded }] of reports.entries()) {
      const tally = createTally(frame.contracts, { keepsVerdicts: true });
      detectors[index]!.detect(frame, {}, tally);
      const total = [...notComputable, ...excluded].reduce((sum, { count }) => sum + count, fired + notFired);
      expect([detector, total]).toEqual([detector, tally.verdicts!.length]);
    }
  },
  60_000,
);
