import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createCoverageRun, writeCoverage } from "./coverage.ts";

function coverageOf(...lines: string[]) {
  const run = createCoverageRun();
  lines.forEach((line, index) => run.addLine(line, index + 1));
  return run.state;
}

test.each([
  [
    '{"tenderers":[{"id":"A","name":""},{"id":"B","name":"b"}],"note":null}',
    '{"": 1, "/": 1, "/tenderers": 1, "/tenderers[]": 2, "/tenderers[]/": 2, "/tenderers[]/id": 2, "/tenderers[]/name": 1}',
  ],
  ['{"a":{"b":[],"c":{}},"d":[[""],null]}', "{}"],
  ['{"a":0,"b":false}', '{"": 1, "/": 1, "/a": 1, "/b": 1}'],
  ['[1,[2,""],""]', '{"": 1, "[]": 2, "[][]": 1}'],
  ['"x"', '{"": 1}'],
  ['""', "{}"],
  ['{"":0}', '{"": 1, "/": 2}'],
  ['{"a[]":0,"a":[0]}', '{"": 1, "/": 1, "/a[]": 2, "/a": 1}'],
  ['{"a":0,"a":null}', "{}"],
])("counts what is not empty in %s", (line, text) => {
  expect(writeCoverage(coverageOf(line))).toBe(text);
});

test("skips what it cannot read, and what is nested too deeply, with the line number", () => {
  const deep = `${"[".repeat(128)}1${"]".repeat(128)}`;
  const veryDeep = `${"[".repeat(50_000)}1${"]".repeat(50_000)}`;
  const { counts, warnings } = coverageOf("", "{", '{"a":1}', deep, veryDeep);
  expect(warnings).toEqual([
    { kind: "invalid-json", count: 1, lines: [2] },
    { kind: "too-deep", count: 2, lines: [4, 5] },
  ]);
  expect(counts.get("/a")).toBe(1);
});

test("slices give the single pass", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 12 }), fc.nat(12), (values, cut) => {
      const lines = values.map((value) => JSON.stringify(value));
      const [whole, first, second] = [lines, lines.slice(0, cut), lines.slice(cut)].map((part) => {
        const run = createCoverageRun();
        for (const line of part) run.addLine(line, 1);
        return run;
      });
      first!.merge(second!.state);
      expect(writeCoverage(first!.state)).toBe(writeCoverage(whole!.state));
    }),
  );
});
