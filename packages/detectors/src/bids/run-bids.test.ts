import { severityOf } from "@cidadao/domain/severity";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { indicators } from "../indicators/registry.ts";
import { parseSettings } from "../indicators/settings.ts";
import { bidPatterns } from "./bid-patterns.ts";
import { createBidRun } from "./run-bids.ts";

const FORBIDDEN = /fraud|desvi|culpad|crime|crimino|corrup|quadrilha|laranja/i;
const retrievedAt = "2026-01-02T03:04:05Z";
const [A, B, C] = ["11222333000181", "12345678000195", "98765432000198"] as const;

describe("collusion screens", () => {
  test("raise a process whose bids are close together with the lowest apart, and say the numbers", () => {
    const { findings, reports } = detect([contest("perto", { [A]: 100, [B]: 104.9, [C]: 105 }, { value: 100_000 })]);
    const finding = findings.find(({ detector }) => detector === "collusion-screens")!;
    expect(finding.subject).toEqual({ kind: "process", id: "perto", label: "Obra perto" });
    expect(finding.reason).toMatch(
      /^As 3 propostas variam 2,8 % em torno da média e 5 % da menor à maior, com RD 69,30/,
    );
    expect(finding.amountAtRiskCents).toBe(10_000_000);
    expect(finding.supplierTaxId).toBe(A);
    expect(finding.supplierName).toBe(`Empresa ${A}`);
    expect(finding.agencyCode).toBe("BR-26000");
    expect(finding.evidence.baseRate).toEqual({ tested: 1, fired: 1 });
    expect(finding.evidence.facts.map(({ name }) => name)).toEqual(expect.arrayContaining(["cv", "spd", "rd", "skew"]));
    expect(finding.evidence.records).toEqual([
      { kind: "process", id: "perto", label: "Obra perto", url: "https://exemplo.gov.br/perto", retrievedAt },
    ]);
    expect(reports.find(({ detector }) => detector === "collusion-screens")).toMatchObject({ fired: 1, notFired: 0 });
  });

  test("are silent when only the spread or only the form is suspicious", () => {
    const releases = [
      contest("só dispersão", { [A]: 100, [B]: 101, [C]: 106 }),
      contest("só forma", { [A]: 100, [B]: 190, [C]: 195 }),
    ];
    expect(raised(releases, "collusion-screens")).toEqual([]);
  });

  test("cannot be computed with two bidders, several lots, or another currency, and leave other methods out", () => {
    const lots = contest("lotes", { [A]: 100, [B]: 104.9, [C]: 105 });
    lots.bids.details.forEach((bid, index) => Object.assign(bid, { relatedLots: [`${index}`] }));
    const releases = [
      contest("dois", { [A]: 100, [B]: 101 }),
      lots,
      contest("moeda", { [A]: 100, [B]: 104.9, [C]: 105 }, { currency: "USD" }),
      contest("sorteio", { [A]: 100, [B]: 104.9, [C]: 105 }, { method: "Sorteio" }),
      { ...contest("cancelado", { [A]: 100, [B]: 104.9, [C]: 105 }), tender: { status: "cancelled" } },
    ];
    const { reports } = detect(releases, "currency = BRL\nno_price_comparison_procurement_methods = Sorteio\n[R024]\n");
    expect(reports.find(({ detector }) => detector === "collusion-screens")).toMatchObject({
      fired: 0,
      notFired: 0,
      notComputable: [
        { reason: "menos de 3 licitantes com valor", count: 1 },
        { reason: "propostas de vários lotes, que não competem entre si", count: 1 },
        { reason: "sem valores de propostas na moeda principal", count: 1 },
      ],
      excluded: [
        { reason: "procedimento que não compara preços", count: 1 },
        { reason: "processo cancelado", count: 1 },
      ],
    });
  });

  test("take the lowest bid of a bidder who bids twice", () => {
    const release = contest("repetida", { [A]: 100, [B]: 104.9, [C]: 105 });
    release.bids.details.push(bid(C, 500, "BRL"));
    expect(raised([release], "collusion-screens")).toEqual(["repetida"]);
  });
});

describe("repeated bidders", () => {
  const turns = (...winners: string[]) =>
    winners.map((winner, index) =>
      contest(
        `d${index}`,
        { [A]: 200, [B]: 300, [C]: 400, [winner]: 100 + index },
        { end: `2024-0${index + 1}-01T00:00:00Z` },
      ),
    );
  const group = [A, B, C].toSorted().join("/");

  test("that win in turn are raised as a group", () => {
    const { findings } = detect(turns(A, B, C, A, B));
    const finding = findings.find(({ detector }) => detector === "winner-rotation")!;
    expect(finding.subject).toEqual({ kind: "supplier", id: group, label: "3 empresas" });
    expect(finding.reason).toContain("disputaram juntas 5 vezes");
    expect(finding.evidence.facts).toContainEqual(expect.objectContaining({ name: "chance", value: 0.0247 }));
    expect(finding.evidence.records).toHaveLength(5);
    expect(raised(turns(A, B, C, A, B), "same-winner")).toEqual([]);
  });

  test("are not raised when one wins again too soon, or one never wins, or there are three tenders", () => {
    expect(raised(turns(A, B, B, C), "winner-rotation")).toEqual([]);
    expect(raised(turns(A, B, A, B), "winner-rotation")).toEqual([]);
    expect(raised(turns(A, B, C), "winner-rotation")).toEqual([]);
    expect(raised(turns(A, A, A), "same-winner")).toEqual([]);
  });

  test("are raised when the same one always wins", () => {
    const { findings } = detect(turns(B, B, B, B));
    const finding = findings.find(({ detector }) => detector === "same-winner")!;
    expect(finding.subject.id).toBe(group);
    expect(finding.supplierTaxId).toBe(B);
  });

  test("cannot be ordered without dates", () => {
    const undated = turns(A, B, C, A).map(({ date: _, ...release }) => ({ ...release, tender: {} }));
    expect(raised(undated, "winner-rotation")).toEqual([]);
    const report = detect(undated).reports.find(({ detector }) => detector === "winner-rotation");
    expect(report?.notComputable).toEqual([{ reason: "disputas sem data, que não se podem ordenar", count: 1 }]);
  });
});

describe("fixed multiples", () => {
  const multiples = (...ratios: number[]) =>
    ratios.map((ratio, index) => {
      const lowest = 1000 * (index + 1);
      return contest(`m${index}`, { [A]: lowest, [B]: lowest * ratio, [C]: lowest * (1.5 + index / 10) });
    });

  test("are raised from three tenders on, to three decimals", () => {
    expect(raised(multiples(1.05, 1.0502, 1.0498), "fixed-multiples")).toEqual([`${A}/${B}`]);
    expect(raised(multiples(1.05, 1.05, 1.06), "fixed-multiples")).toEqual([]);
  });

  test("are none when the bids are equal, or when most of the pair's tenders differ", () => {
    expect(raised(multiples(1, 1, 1), "fixed-multiples")).toEqual([]);
    expect(raised(multiples(1.05, 1.05, 1.05, 1.1, 1.2, 1.3), "fixed-multiples")).toEqual([]);
  });
});

describe("findings", () => {
  const everything = [
    ...indicators.flatMap(({ examples }) => examples.flatMap(({ releases }) => releases)),
    contest("perto", { [A]: 100, [B]: 104.9, [C]: 105 }),
  ];

  test("say what was tested, what fired and why in neutral words", () => {
    const { findings, reports } = detect(everything);
    expect(new Set(findings.map(({ detector }) => detector)).size).toBeGreaterThan(6);
    for (const finding of findings) {
      const { title, reason, evidence, innocentExplanations } = finding;
      const texts = [title, reason, ...evidence.facts.map(({ label }) => label), ...innocentExplanations];
      for (const text of texts) expect(text).not.toMatch(FORBIDDEN);
      expect(reason).toMatch(/^[^.]+.*\.$/);
      expect(finding.severity).toBe(severityOf(finding.score));
      expect(new Set(evidence.facts.map(({ name }) => name)).size).toBe(evidence.facts.length);
      expect(evidence.baseRate.fired).toBeGreaterThan(0);
      expect(evidence.baseRate.tested).toBeGreaterThanOrEqual(evidence.baseRate.fired);
      for (const { url } of evidence.records) expect(url).toMatch(/^https:/);
    }
    for (const report of reports) {
      const own = findings.filter(({ detector }) => detector === report.detector);
      expect(own).toHaveLength(report.fired);
    }
    expect(reports).toHaveLength(indicators.length + bidPatterns.length);
  });

  test("name the fence, the quartiles and both sides of a comparison", () => {
    const r024 = indicators.find(({ code }) => code === "R024")!.examples[0]!;
    const finding = detect(r024.releases).findings.find(({ detector }) => detector === "r024-price-close-to-winning")!;
    expect(finding.subject).toEqual({ kind: "process", id: "p1", label: "p1" });
    expect(finding.reason).toBe("A segunda menor proposta ficou 1 % acima da vencedora; o limite é 41,7 %.");
    expect(finding.evidence.facts).toContainEqual(expect.objectContaining({ name: "lower_fence", value: 0.4167 }));
    expect(finding.evidence.baseRate).toEqual({ tested: 8, fired: 1 });
  });

  test("mask natural persons and name nothing that the release does not name", () => {
    const person = "BR-CPF-52998224725";
    const releases = [1, 2, 3, 4].map((day) =>
      contest(`p${day}`, { [person]: 100, [B]: 104.9 + day, [C]: 105 + day }, { end: `2024-01-0${day}T00:00:00Z` }),
    );
    const { findings } = detect(releases.map(({ uri: _, ...release }) => release));
    const finding = findings.find(({ detector }) => detector === "same-winner")!;
    expect(finding.subject.id).toContain("***.982.247-**");
    expect(finding.supplierTaxId).toBe("***.982.247-**");
    expect(finding.evidence.records).toEqual([]);
    expect(JSON.stringify(findings)).not.toContain("52998224725");
  });

  test("are the same from slices merged in order", () => {
    const whole = createBidRun({ retrievedAt });
    for (const release of everything) whole.addRelease(release);
    fc.assert(
      fc.property(fc.nat(everything.length), (cut) => {
        const [first, second] = [createBidRun({ retrievedAt }), createBidRun({ retrievedAt })];
        everything.slice(0, cut).forEach((release) => first.addRelease(release));
        everything.slice(cut).forEach((release) => second.addLine(JSON.stringify(release), 1));
        first.merge(structuredClone(second.state));
        expect(first.finish()).toEqual(whole.finish());
      }),
      { numRuns: 10 },
    );
  });

  test("never fail, whatever JSON is read", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 5 }), (values) => {
        const run = createBidRun({ retrievedAt });
        for (const value of values) {
          run.addRelease(value);
          run.addRelease({
            ocid: "x",
            bids: { details: values },
            awards: values,
            links: value,
            parties: values,
            buyer: value,
          });
        }
        expect(() => run.finish()).not.toThrow();
      }),
    );
  });
});

test.each(bidPatterns)("$id explains itself", (pattern) => {
  const { title, question, method, exclusions, assumptions, innocentExplanations } = pattern;
  for (const text of [title, question, method, ...exclusions, ...assumptions, ...innocentExplanations]) {
    expect(text).not.toMatch(FORBIDDEN);
  }
  expect(assumptions.join(" ")).toContain("engenharia");
  expect(innocentExplanations.length).toBeGreaterThanOrEqual(3);
});

function detect(releases: readonly unknown[], settings?: string) {
  const run = createBidRun({ retrievedAt }, settings === undefined ? undefined : parseSettings(settings));
  for (const release of releases) run.addRelease(release);
  return run.finish();
}

function raised(releases: readonly unknown[], detector: string): string[] {
  return detect(releases)
    .findings.filter((finding) => finding.detector === detector)
    .map(({ subject }) => subject.id);
}

/** Won by the lowest bidder. */
function contest(
  ocid: string,
  amounts: Record<string, number>,
  {
    value = 1000,
    currency = "BRL",
    method = "Concorrência",
    end = "2024-01-31T00:00:00Z",
  }: { value?: number; currency?: string; method?: string; end?: string } = {},
) {
  const bids = Object.entries(amounts).map(([id, amount]) => bid(id, amount, currency));
  const winner = Object.entries(amounts).toSorted(([, a], [, b]) => a - b)[0]![0];
  return {
    ocid,
    uri: `https://exemplo.gov.br/${ocid}`,
    date: end,
    buyer: { id: "BR-26000", name: "Órgão de exemplo" },
    tender: { title: `Obra ${ocid}`, procurementMethodDetails: method, tenderPeriod: { endDate: end } },
    bids: { details: bids },
    awards: [{ status: "active", suppliers: [{ id: winner }], value: { amount: value, currency } }],
  };
}

function bid(id: string, amount: number, currency: string) {
  return {
    status: "valid",
    tenderers: [{ id, name: `Empresa ${id.replace("BR-CPF-", "")}` }],
    value: { amount, currency },
  };
}
