import { readdirSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { everyExample } from "./every-example.ts";
import { EXAMPLE_CNPJS, exampleContract, exampleDataset, exampleSanction } from "./examples.ts";
import { type Frame, frameOf } from "./frame/frame.ts";
import { detectors } from "./registry.ts";
import { renderDetectorsPage } from "./render-docs.ts";
import { assess, runDetectors } from "./run-detectors.ts";
import { createTally } from "./tally.ts";
import type { Verdict } from "./verdict.ts";

const FORBIDDEN = /fraud|desvi|culpad|crime|crimino|corrup|quadrilha|laranja/i;

describe.each(detectors)("$id", (detector) => {
  test.each(detector.examples)("example: $title", ({ dataset, params = {}, ...expected }) => {
    const verdicts = assess(detector, dataset, params);
    expect(idsOf(verdicts, "fired")).toEqual(expected.flags.toSorted());
    expect(idsOf(verdicts, "not_computable")).toEqual((expected.notComputable ?? []).toSorted());
    expect(idsOf(verdicts, "excluded")).toEqual((expected.excluded ?? []).toSorted());
  });

  test.each(detector.examples)("gives each subject exactly one verdict: $title", ({ dataset, params = {} }) => {
    const ids = assess(detector, dataset, params).map(({ subjectId }) => subjectId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("has an example that fires, one that does not, and one that is not computable", () => {
    expect(detector.examples.some(({ flags }) => flags.length > 0)).toBe(true);
    expect(detector.examples.some(({ flags }) => flags.length === 0)).toBe(true);
    expect(detector.examples.some(({ notComputable = [] }) => notComputable.length > 0)).toBe(true);
  });

  test("explains itself in every field that people read", () => {
    const { title, question, method, subjects } = detector;
    for (const text of [title, question, method, subjects]) expect(text.length).toBeGreaterThan(5);
    for (const list of [detector.legalBasis, detector.references, detector.exclusions, detector.assumptions]) {
      expect(list).not.toHaveLength(0);
    }
    expect(detector.innocentExplanations.length).toBeGreaterThanOrEqual(3);
  });

  test("rejects parameters that it does not know", () => {
    expect(() => assess(detector, exampleDataset({}), { unheardOf: 1 })).toThrow(/unheardOf|Unrecognized/);
  });

  test("reads nothing but what it declares to need", () => {
    const allowed = new Set<string>([
      ...detector.needs,
      ...(detector.needs.includes("sanctions") ? ["sanctionListsRead"] : []),
    ]);
    const guarded = new Proxy(frameOf(everyExample()), {
      get: (frame, key) => {
        if (!allowed.has(String(key))) throw new Error(`read ${String(key)}`);
        return frame[key as keyof Frame];
      },
    });
    const tally = createTally(frameOf(everyExample()).contracts);
    expect(() => detector.detect(guarded, {}, tally)).not.toThrow();
  });
});

test("every file that defines a detector is listed, alphabetically", () => {
  const folder = new URL(".", import.meta.url);
  const defined = readdirSync(folder)
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .filter((name) => /= defineDetector\(/.test(readFileSync(new URL(name, folder), "utf8")))
    .map((name) => name.replace(/\.ts$/, ""));
  expect(detectors.map(({ id }) => id)).toEqual(defined.toSorted());
});

test("the answer does not depend on the order of the records", () => {
  const dataset = everyExample();
  const expected = JSON.stringify(runDetectors(dataset));
  fc.assert(
    fc.property(
      fc.shuffledSubarray(dataset.contracts, { minLength: dataset.contracts.length }),
      fc.shuffledSubarray(dataset.items, { minLength: dataset.items.length }),
      fc.shuffledSubarray(dataset.amendments, { minLength: dataset.amendments.length }),
      fc.shuffledSubarray(dataset.sanctions, { minLength: dataset.sanctions.length }),
      (contracts, items, amendments, sanctions) => {
        const shuffled = { ...dataset, contracts, items, amendments, sanctions };
        expect(JSON.stringify(runDetectors(shuffled))).toBe(expected);
      },
    ),
    { numRuns: 5 },
  );
});

test("fired, not fired, not computable and excluded add up to the contracts seen, whatever the contracts", () => {
  const contract = fc.record({
    initialValueCents: fc.option(fc.integer({ min: -100, max: 1e12 })),
    currentValueCents: fc.option(fc.integer({ min: -100, max: 1e12 })),
    signedOn: fc.option(
      fc.constantFrom("1995-01-01", "2019-05-05", "2020-06-01", "2022-02-02", "2024-03-03", "2031-01-01"),
    ),
    supplierKind: fc.constantFrom("company", "person", "foreign", "public_body", "secret", "unknown"),
    supplierTaxId: fc.option(fc.constantFrom(...EXAMPLE_CNPJS)),
    procurementMethod: fc.constantFrom("open", "direct", "unknown"),
    procurementMethodDetails: fc.option(fc.constantFrom("Pregão", "Dispensa de Licitação", "Sem Informação")),
    directAwardKind: fc.option(fc.constantFrom("waived", "no_competition")),
    object: fc.option(fc.constantFrom("Obra", "Informação protegida por sigilo", "Energia elétrica", "")),
  });
  const perContract = new Set(["amendment-growth", "price-outlier", "sanctioned-supplier"]);
  fc.assert(
    fc.property(fc.array(contract, { maxLength: 80 }), (parts) => {
      const contracts = parts.map((part, index) => exampleContract(`c${index}`, part));
      const dataset = exampleDataset({
        contracts,
        sanctions: [exampleSanction("s1")],
        sanctionListsRead: ["ceis", "cnep"],
      });
      const { findings, reports } = runDetectors(dataset);
      for (const report of reports.filter(({ detector }) => perContract.has(detector))) {
        const unanswered = [...report.notComputable, ...report.excluded].reduce((sum, { count }) => sum + count, 0);
        expect(report.fired + report.notFired + unanswered).toBe(contracts.length);
      }
      for (const { score, amountAtRiskCents } of findings) {
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
        expect(Number.isSafeInteger(amountAtRiskCents)).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});

test("no text calls anyone guilty of anything", () => {
  const findings = runDetectors(everyExample()).findings;
  const texts = findings.flatMap(({ title, reason, evidence }) => [
    title,
    reason,
    ...evidence.facts.map((one) => one.label),
  ]);
  expect(findings.length).toBeGreaterThan(5);
  for (const text of [...texts, renderDetectorsPage()]) expect(text).not.toMatch(FORBIDDEN);
});

test("every finding can be checked: numbers, records with address and time, law, base rate", () => {
  for (const finding of runDetectors(everyExample()).findings) {
    const { formula, facts, records, baseRate } = finding.evidence;
    expect(formula).not.toBe("");
    expect(new Set(facts.map(({ name }) => name)).size).toBe(facts.length);
    expect(facts.every(({ value }) => typeof value === "string" || Number.isFinite(value))).toBe(true);
    expect(records.length).toBeGreaterThan(0);
    expect(records.every(({ url, retrievedAt }) => url.startsWith("https://") && retrievedAt !== "")).toBe(true);
    expect(finding.legalBasis.length).toBeGreaterThan(0);
    expect(baseRate.fired).toBeGreaterThan(0);
    expect(baseRate.tested).toBeGreaterThanOrEqual(baseRate.fired);
  }
});

test("the page for people names every detector, its parameters and the legal limits", () => {
  const page = renderDetectorsPage();
  for (const { id, title, params } of detectors) {
    expect(page).toContain(title);
    expect(page).toContain(`\`${id}\``);
    for (const name of Object.keys(params.shape)) expect(page).toContain(`\`${name}\``);
  }
  expect(page).toContain("R$ 59.906,02");
});

function idsOf(verdicts: ReturnType<typeof assess>, outcome: Verdict["outcome"]): string[] {
  return verdicts
    .filter(({ verdict }) => verdict.outcome === outcome)
    .map(({ subjectId }) => subjectId)
    .toSorted();
}
