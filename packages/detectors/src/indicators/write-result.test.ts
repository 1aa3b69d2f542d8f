import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createIndicatorRun } from "./run-indicators.ts";
import { parseSettings } from "./settings.ts";
import { countLines, writeNumber, writeResult } from "./write-result.ts";

test.each([
  [0, "0.0"],
  [-0, "-0.0"],
  [1, "1.0"],
  [-1.5, "-1.5"],
  [0.1, "0.1"],
  [1 / 3, "0.3333333333333333"],
  [100, "100.0"],
  [123456.789, "123456.789"],
  [0.00001, "0.00001"],
  [0.0000123, "0.0000123"],
  [0.000001, "1e-6"],
  [0.0000001, "1e-7"],
  [1.25e-7, "1.25e-7"],
  [1e15, "1000000000000000.0"],
  [1234567890123456, "1234567890123456.0"],
  [1e16, "1e16"],
  [1.5e16, "1.5e16"],
  [1e21, "1e21"],
  [1.7976931348623157e308, "1.7976931348623157e308"],
  [5e-324, "5e-324"],
  [Number.NaN, "null"],
  [Number.POSITIVE_INFINITY, "null"],
])("writes %d as %s", (value, text) => {
  expect(writeNumber(value)).toBe(text);
});

test("what is written reads back as the same number", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(JSON.parse(writeNumber(value))).toBe(value);
      expect(writeNumber(value)).toMatch(/^-?(?:\d+\.\d+|\d(?:\.\d+)?e-?\d+)$/);
    }),
  );
});

test("writes nothing but the groups and the metadata asked for", () => {
  const result = createIndicatorRun(parseSettings("[R024]\n[R048]\n[R003]")).finish();
  expect(writeResult(result)).toBe(
    '{"Meta":{"R024":{"q1":null,"q3":null,"lower_fence":null},"R048":{"q1":null,"q3":null,"upper_fence":null}}}',
  );
  expect(writeResult(result, { noMeta: true })).toBe("{}");
  expect(writeResult(createIndicatorRun(parseSettings("")).finish(), { map: true })).toBe(
    '{"Meta":{},"Maps":{"ocid_buyer_r038":{},"ocid_procuringentity_r038":{},"ocid_tenderer":{},"ocid_tenderer_r024":{},' +
      '"ocid_tenderer_r028":{},"ocid_tenderer_r030":{},"ocid_tenderer_r035":{},"ocid_tenderer_r058":{}}}',
  );
});

test("rounds metadata to four decimals and counts the results of each group", () => {
  const run = createIndicatorRun(parseSettings("[R058]\nthreshold = 0.00005"));
  const bid = (id: string, amount: number) => ({
    status: "valid",
    tenderers: [{ id }],
    value: { amount, currency: "BRL" },
  });
  for (const ocid of ["a", "b"]) {
    run.addRelease({
      ocid,
      bids: { details: [bid("W", 3), bid("L", 4)] },
      awards: [{ status: "active", suppliers: [{ id: "W" }] }],
    });
  }
  expect(writeResult(run.finish())).toBe(
    '{"OCID":{"a":{"R058":0.3333333333333333},"b":{"R058":0.3333333333333333}},"Tenderer":{"W":{"R058":0.0}},' +
      '"Meta":{"R058":{"upper_fence":0.0001}}}',
  );
  expect(countLines(run.finish())).toEqual(["OCID: 2", "Tenderer: 1"]);
});
