import { readdirSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Group, IndicatorExample, PlainGroups } from "./define-indicator.ts";
import { readRelease } from "./read-release.ts";
import { indicators } from "./registry.ts";
import { createIndicatorRun, type IndicatorResult } from "./run-indicators.ts";
import { defaultSettings, parseSettings, type IndicatorSettings } from "./settings.ts";
import { writeResult } from "./write-result.ts";

const folder = new URL(".", import.meta.url);
const fixtures = readdirSync(new URL("fixtures/", folder))
  .filter((name) => name.endsWith(".jsonl"))
  .map((name) => name.replace(/\.jsonl$/, ""));
const FORBIDDEN = /fraud|desvi|culpad|crime|crimino|corrup|quadrilha|laranja/i;

test("the nine fixtures of the reference are here", () => {
  expect(fixtures).toHaveLength(9);
});

test.each(fixtures)("answers as the reference: %s", (name) => {
  const run = createIndicatorRun(parseSettings(settingsOf(name)));
  readFixture(`${name}.jsonl`)
    .split("\n")
    .forEach((line, index) => run.addLine(line, index + 1));
  const result = run.finish();
  expect(JSON.parse(writeResult(result, { noMeta: true }))).toEqual(JSON.parse(readFixture(`${name}.expected`)));
  expect(run.warnings).toEqual([]);
});

test("every indicator file is listed, by code", () => {
  const defined = readdirSync(folder).filter((name) => /^r\d{3}\.ts$/.test(name));
  expect(indicators.map(({ code }) => `${code.toLowerCase()}.ts`)).toEqual(defined.toSorted());
});

describe.each(indicators)("$code $name", (indicator) => {
  test.each(indicator.examples)("example: $title", (example) => {
    const result = runExample(indicator.code, example);
    expect(plainGroups(result)).toEqual(example.expected);
    const written = JSON.parse(writeResult(result)) as { Meta: Record<string, unknown> };
    expect(example.meta ?? written.Meta[indicator.code]).toEqual(written.Meta[indicator.code]);
  });

  test("has an example that fires and one that does not", () => {
    expect(indicator.examples.some(({ expected }) => Object.keys(expected).length > 0)).toBe(true);
    expect(indicator.examples.some(({ expected }) => Object.keys(expected).length === 0)).toBe(true);
  });

  test("leaves out cancelled and excluded processes, and those without a text ocid", () => {
    const fires = indicator.examples.find(({ expected }) => Object.keys(expected).length > 0)!;
    const releases = fires.releases as Record<string, unknown>[];
    const excluded = [
      ...releases.map((release) => withTender(release, { status: "cancelled" })),
      ...releases.map((release) => withTender(release, { procurementMethodDetails: "EXC" })),
      ...releases.map((release) => ({ ...release, ocid: 7 })),
      ...releases.map(({ ocid: _, ...release }) => release),
    ];
    const settings = `${fires.settings ?? `[${indicator.code}]`}\n[exclusions]\nprocurement_method_details = EXC|`;
    const result = runExample(indicator.code, { ...fires, settings, releases: excluded });
    expect(plainGroups(result)).toEqual({});
    expect(result.processes).toBe(0);
    expect([...result.excluded.values()]).toEqual([releases.length, releases.length]);
    expect(result.warnings).toEqual([{ kind: "no-ocid", count: 2 * releases.length, lines: [] }]);
  });

  test("takes no key that it does not know", () => {
    expect(() => parseSettings(`[${indicator.code}]\nunheard_of = 1`)).toThrow(/unheard_of: unknown key/);
  });

  test("explains itself in neutral words", () => {
    const { title, question, method, subjects, exclusions, assumptions, innocentExplanations } = indicator;
    const texts = [title, question, method, subjects, ...exclusions, ...assumptions, ...innocentExplanations];
    for (const text of texts) {
      expect(text.length).toBeGreaterThan(5);
      expect(text).not.toMatch(FORBIDDEN);
    }
    expect(indicator.legalBasis).not.toHaveLength(0);
    expect(innocentExplanations.length).toBeGreaterThanOrEqual(3);
  });

  test("answers every process or organization it can judge once", () => {
    for (const example of indicator.examples) {
      const result = runExample(indicator.code, example);
      for (const [group, tally] of Object.entries(result.tallies.get(indicator.code)!)) {
        const fired = result.groups.get(group as Group)?.size ?? 0;
        expect(fired).toBeLessThanOrEqual(tally.tested);
        if (group !== "OCID") continue;
        const others = [...tally.notComputable.values(), ...tally.excluded.values()];
        expect(tally.tested + others.reduce((sum, count) => sum + count, 0)).toBe(result.processes);
      }
    }
  });
});

describe("a run", () => {
  const examples = indicators.flatMap((indicator) => indicator.examples.flatMap(({ releases }) => releases));
  const line = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...examples.map((release) => JSON.stringify(release))) },
    { weight: 4, arbitrary: releases().map((release) => JSON.stringify(release)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("", "  ", "{", "[]", "1", '{"ocid":1}', '{"ocid":"x","bids":{"details":{}}}'),
    },
  );

  test("gives the same answer from any slices of the input as from a single pass", () => {
    const settings = [
      defaultSettings(),
      parseSettings(
        "currency = USD\nno_price_comparison_procurement_methods = NPC\n[R024]\nthreshold=0.5\n[R028]\n" +
          "[R036]\n[R038]\nminimum_submitted_bids=1\n[R048]\nminimum_contracting_processes=1\n[R058]",
      ),
      parseSettings("[R025]\npercentile=50\nthreshold=0.9\n[R058]\nthreshold=0.1\n[R036]"),
    ];
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 40 }),
        fc.array(fc.nat({ max: 40 }), { maxLength: 4 }),
        fc.constantFrom(...settings),
        (lines, cuts, chosen) => {
          const whole = runLines(lines, 0, chosen);
          const ends = [...cuts.toSorted((a, b) => a - b), lines.length];
          const slices = ends.map((end, index) => {
            const start = Math.min(ends[index - 1] ?? 0, lines.length);
            return runLines(lines.slice(start, end), start, chosen);
          });
          const merged = createIndicatorRun(chosen, { map: true });
          for (const slice of slices) merged.merge(structuredClone(slice.state));
          expect(writeResult(merged.finish(), { map: true })).toBe(writeResult(whole.finish(), { map: true }));
          expect(merged.finish()).toEqual(whole.finish());
        },
      ),
      { numRuns: 300 },
    );
  });

  test("never throws, whatever JSON it reads", () => {
    const keys = fc.constantFrom(
      ...(
        "ocid tender bids details awards status value amount currency tenderers id suppliers items classification " +
        "tenderPeriod endDate buyer procuringEntity __proto__"
      ).split(" "),
    );
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom("valid", "active", "disqualified", "BRL", "x", null, 1, 0, -1, 1e308, true),
        fc.array(tie("json"), { maxLength: 4 }),
        fc.dictionary(keys, tie("json"), { maxKeys: 6 }),
        fc.jsonValue(),
      ),
    }));
    fc.assert(
      fc.property(fc.array(json, { maxLength: 6 }), fc.array(fc.string(), { maxLength: 3 }), (values, lines) => {
        const run = createIndicatorRun(defaultSettings(), { map: true });
        for (const value of values) {
          readRelease(value);
          run.addRelease(value);
          run.addRelease({ ocid: "x", bids: { details: value }, awards: value, tender: value });
          run.addRelease({ ocid: "y", bids: { details: values }, awards: values, tender: value });
        }
        lines.forEach((text, index) => run.addLine(text, index + 1));
        expect(() => JSON.parse(writeResult(run.finish(), { map: true }))).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });

  test("warns of what it cannot read, with the first ten lines, and passes over blank lines in silence", () => {
    const run = createIndicatorRun(defaultSettings());
    ["", " \t", "{", "[]", "7", '{"ocid": 1}', ...Array.from({ length: 12 }, () => "nope")].forEach((text, index) =>
      run.addLine(text, index + 1),
    );
    expect(run.warnings).toEqual([
      { kind: "invalid-json", count: 13, lines: [3, 7, 8, 9, 10, 11, 12, 13, 14, 15] },
      { kind: "not-an-object", count: 2, lines: [4, 5] },
      { kind: "no-ocid", count: 1, lines: [6] },
    ]);
    expect(writeResult(run.finish(), { noMeta: true })).toBe("{}");
  });

  test("counts the bids left out for their currency, once where two indicators share them", () => {
    const run = createIndicatorRun(parseSettings("[R024]\n[R058]\n"));
    const bid = (id: string, currency: string) => ({
      status: "valid",
      tenderers: [{ id }],
      value: { amount: 1, currency },
    });
    run.addRelease({
      ocid: "a",
      bids: { details: [bid("A", "BRL"), bid("B", "USD"), bid("C", "EUR")] },
      awards: [{ status: "active", suppliers: [{ id: "A" }] }],
    });
    expect(run.finish().mainCurrency).toBe("BRL");
    expect(run.finish().warnings).toEqual([{ kind: "currency-mismatch", count: 2, lines: [] }]);
  });

  test("takes the number of tenderers only when it is written as an integer", () => {
    const run = createIndicatorRun(parseSettings("[R018]"));
    const written = ["1", "1.0", "1e0", "2", " 1 "];
    written.forEach((text, index) =>
      run.addLine(`{"ocid":"${index}","tender":{"procurementMethod":"open","numberOfTenderers":${text}}}`, index + 1),
    );
    expect(plainGroups(run.finish())).toEqual({ OCID: { "0": { R018: 1 }, "4": { R018: 1 } } });
  });

  test("keeps ids that look like numbers or like properties of objects apart and in the order of the input", () => {
    const run = createIndicatorRun(parseSettings("[R018]"));
    for (const ocid of ["10", "__proto__", "9", "constructor"]) {
      run.addRelease({ ocid, tender: { procurementMethod: "open", numberOfTenderers: 1 } });
    }
    expect(writeResult(run.finish(), { noMeta: true })).toBe(
      '{"OCID":{"10":{"R018":1.0},"__proto__":{"R018":1.0},"9":{"R018":1.0},"constructor":{"R018":1.0}}}',
    );
  });

  test("does not divide by a winning amount of zero", () => {
    const run = createIndicatorRun(parseSettings("[R024]\nthreshold = 9\n[R058]\nthreshold = 0.1"));
    for (const [ocid, other] of [
      ["a", 0],
      ["b", 5],
    ] as const) {
      run.addRelease({
        ocid,
        bids: {
          details: [
            { status: "valid", tenderers: [{ id: "W" }], value: { amount: 0, currency: "BRL" } },
            { status: "valid", tenderers: [{ id: "L" }], value: { amount: other, currency: "BRL" } },
          ],
        },
        awards: [{ status: "active", suppliers: [{ id: "W" }] }],
      });
    }
    const result = run.finish();
    expect(result.groups.size).toBe(0);
    expect(result.tallies.get("R024")?.OCID).toMatchObject({ tested: 0 });
  });

  test("names organizations of each process only when asked, and then all eight maps", () => {
    const releases = indicators.flatMap(({ examples }) => examples.flatMap((example) => example.releases));
    const withMaps = createIndicatorRun(defaultSettings(), { map: true });
    const without = createIndicatorRun(defaultSettings());
    for (const release of releases) {
      withMaps.addRelease(release);
      without.addRelease(release);
    }
    const written = JSON.parse(writeResult(withMaps.finish(), { map: true })) as { Maps: Record<string, object> };
    expect(Object.keys(written.Maps)).toEqual([
      "ocid_buyer_r038",
      "ocid_procuringentity_r038",
      "ocid_tenderer",
      "ocid_tenderer_r024",
      "ocid_tenderer_r028",
      "ocid_tenderer_r030",
      "ocid_tenderer_r035",
      "ocid_tenderer_r058",
    ]);
    expect(written.Maps["ocid_buyer_r038"]).toMatchObject({ rigoroso: "rigoroso" });
    expect(written.Maps["ocid_tenderer_r028"]).toMatchObject({ igual: ["B", "A"] });
    expect(writeResult(without.finish())).not.toContain("Maps");
    expect(without.finish().maps.get("ocid_tenderer")).toBeUndefined();
    expect(without.finish().maps.get("ocid_buyer_r038")?.size).toBe(0);
  });

  test("finishing twice gives the same answer, and more can be added in between", () => {
    const run = createIndicatorRun(defaultSettings());
    for (const release of examples.slice(0, 20)) run.addRelease(release);
    const first = writeResult(run.finish());
    expect(writeResult(run.finish())).toBe(first);
    for (const release of examples.slice(20)) run.addRelease(release);
    expect(writeResult(run.finish())).not.toBe(first);
  });
});

/** A fixture's name says its settings: a code, then one key and value, or a map and its keys and values. */
function settingsOf(name: string): string {
  const [code, ...parts] = name.replaceAll("+", "|").split("-");
  const own =
    parts.length < 2
      ? `[${code}]`
      : parts.length === 2
        ? `[${code}]\n${parts[0]} = ${parts[1]}`
        : `[${code}.${parts[0]}]\n${pairs(parts.slice(1))}`;
  return `no_price_comparison_procurement_methods = NPC\n${own}\n[exclusions]\nprocurement_method_details = EXC\n`;
}

function pairs(parts: string[]): string {
  return parts.flatMap((key, index) => (index % 2 === 0 ? [`${key} = ${parts[index + 1]}`] : [])).join("\n");
}

function readFixture(name: string): string {
  return readFileSync(new URL(`fixtures/${name}`, folder), "utf8");
}

function runExample(code: string, { releases, settings }: IndicatorExample): IndicatorResult {
  const run = createIndicatorRun(parseSettings(settings ?? `[${code}]`));
  for (const release of releases) run.addRelease(release);
  return run.finish();
}

function runLines(lines: string[], offset: number, settings: IndicatorSettings) {
  const run = createIndicatorRun(settings, { map: true });
  lines.forEach((text, index) => run.addLine(text, offset + index + 1));
  return run;
}

function plainGroups(result: IndicatorResult): PlainGroups {
  return JSON.parse(writeResult(result, { noMeta: true })) as PlainGroups;
}

function withTender(release: Record<string, unknown>, parts: Record<string, unknown>) {
  return { ...release, tender: { ...(release["tender"] as object | undefined), ...parts } };
}

function releases() {
  const organization = fc.record({ id: fc.constantFrom("A", "B", "C", "10", 7) }, { requiredKeys: [] });
  const bid = fc.record(
    {
      status: fc.constantFrom("valid", "valid", "disqualified", "pending", "withdrawn", "odd"),
      date: fc.constantFrom("2024-01-01T00:00:00Z", "2024-03-01T00:00:00Z"),
      value: fc.record({ amount: fc.constantFrom(0, 1, 2, 2.5, 3, -1), currency: fc.constantFrom("BRL", "USD") }),
      tenderers: fc.array(organization, { maxLength: 2 }),
    },
    { requiredKeys: ["status"] },
  );
  const award = fc.record(
    {
      status: fc.constantFrom("active", "active", "active", "cancelled", "pending"),
      suppliers: fc.array(organization, { minLength: 1, maxLength: 2 }),
      items: fc.array(fc.record({ classification: fc.record({ id: fc.constantFrom("10", "20", "3") }) }), {
        maxLength: 3,
      }),
    },
    { requiredKeys: ["suppliers"] },
  );
  return fc.record(
    {
      ocid: fc.constantFrom("o1", "o2", "o3", "o4", "o5"),
      buyer: organization,
      tender: fc.record(
        {
          status: fc.constantFrom("complete", "cancelled"),
          procurementMethod: fc.constantFrom("open", "direct"),
          procurementMethodDetails: fc.constantFrom("NPC", "Pregão"),
          numberOfTenderers: fc.constantFrom(1, 2),
          tenderPeriod: fc.constantFrom(
            { startDate: "2024-01-01T00:00:00Z", endDate: "2024-01-05T00:00:00Z" },
            { startDate: "2024-01-01T00:00:00Z", endDate: "2024-02-05T00:00:00Z" },
          ),
          procuringEntity: organization,
        },
        { requiredKeys: [] },
      ),
      bids: fc.record({ details: fc.array(bid, { maxLength: 6 }) }),
      awards: fc.array(award, { maxLength: 2 }),
    },
    { requiredKeys: ["ocid"] },
  );
}
