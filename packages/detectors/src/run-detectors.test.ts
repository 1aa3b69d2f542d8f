import { compareFindings } from "@cidadao/domain/anomaly";
import { severityOf } from "@cidadao/domain/severity";
import { expect, test } from "vitest";
import {
  exampleAmendment,
  exampleContract,
  exampleDataset,
  exampleKey,
  examplePeers,
  exampleSanction,
} from "./examples.ts";
import { detectors } from "./registry.ts";
import { runDetectors } from "./run-detectors.ts";
import { materialityOf } from "./score.ts";

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
