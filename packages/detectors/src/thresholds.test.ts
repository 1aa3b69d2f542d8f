import { addDays } from "@cidadao/domain/dates";
import { describe, expect, test } from "vitest";
import {
  directAwardRegimes,
  directAwardRegimesOn,
  directAwardThresholdOn,
  directAwardThresholds,
} from "./thresholds.ts";

describe("dispensa limits", () => {
  test.each([
    ["lei-14133", "2021-04-01", 100_000, 50_000],
    ["lei-14133", "2022-06-15", 108_040.82, 54_020.41],
    ["lei-14133", "2023-12-31", 114_416.65, 57_208.33],
    ["lei-14133", "2024-01-01", 119_812.02, 59_906.02],
    ["lei-14133", "2025-12-31", 125_451.15, 62_725.59],
    ["lei-14133", "2026-07-01", 130_984.2, 65_492.11],
    ["lei-8666", "1998-05-28", 15_000, 8_000],
    ["lei-8666", "2018-07-18", 15_000, 8_000],
    ["lei-8666", "2018-07-19", 33_000, 17_600],
    ["lei-8666", "2023-12-30", 33_000, 17_600],
    ["lei-14065", "2020-12-31", 100_000, 50_000],
  ] as const)("%s on %s: works %d, other %d", (regime, date, works, other) => {
    expect(directAwardThresholdOn(date, regime)).toMatchObject({
      worksCents: Math.round(works * 100),
      otherCents: Math.round(other * 100),
      isProvisional: false,
    });
  });

  test("a year that is not in the table yet gets the last figures, marked provisional", () => {
    expect(directAwardThresholdOn("2029-05-01", "lei-14133")).toMatchObject({
      otherCents: 6_549_211,
      isProvisional: true,
      validTo: "2029-12-31",
    });
  });

  test("a revoked law, or one not yet in force, has no limit", () => {
    expect(directAwardThresholdOn("2023-12-31", "lei-8666")).toBeNull();
    expect(directAwardThresholdOn("2021-03-31", "lei-14133")).toBeNull();
    expect(directAwardThresholdOn("1998-05-27", "lei-8666")).toBeNull();
    expect(directAwardThresholdOn("2021-01-01", "lei-14065")).toBeNull();
  });

  test("both regimes could be chosen from April 2021 to 30 December 2023, only the new one since", () => {
    expect(directAwardRegimesOn("2021-03-31")).toEqual(["lei-8666"]);
    expect(directAwardRegimesOn("2021-04-01")).toEqual(["lei-14133", "lei-8666"]);
    expect(directAwardRegimesOn("2023-12-30")).toEqual(["lei-14133", "lei-8666"]);
    expect(directAwardRegimesOn("2023-12-31")).toEqual(["lei-14133"]);
    expect(directAwardRegimesOn("2020-06-01")).toEqual(["lei-8666", "lei-14065"]);
  });

  test.each(directAwardRegimes)("the periods of %s follow each other without gap or overlap", (regime) => {
    const rows = directAwardThresholds.filter((row) => row.regime === regime);
    expect(rows.slice(1).map(({ validFrom }) => validFrom)).toEqual(
      rows.slice(0, -1).map(({ validTo }) => addDays(validTo, 1)),
    );
    expect(rows.every((row) => row.validFrom <= row.validTo && row.otherCents < row.worksCents)).toBe(true);
    expect(rows.every(({ instrument }) => instrument !== "")).toBe(true);
  });
});
