import { expect, test } from "vitest";
import { parseRfc3339, wholeDaysBetween } from "./rfc3339.ts";

test.each([
  ["1970-01-01T00:00:00Z", 0],
  ["1970-01-01T00:00:00-03:00", 10_800],
  ["2024-02-29t12:00:00.5z", 1_709_208_000],
  ["1970-01-01 00:00:00+05:30", -19_800],
  ["2016-12-31T23:59:60Z", 1_483_228_800],
])("reads %s", (text, seconds) => {
  expect(parseRfc3339(text)?.seconds).toBe(seconds);
});

test.each([
  "",
  "2024-01-01",
  "2024-01-01T00:00:00",
  "2024-01-01T00:00Z",
  "2023-02-29T00:00:00Z",
  "2024-13-01T00:00:00Z",
  "2024-01-01T24:00:00Z",
  "2024-01-01T00:60:00Z",
  "2024-01-01T00:00:00+0300",
  "2024-01-01T00:00:00.Z",
  " 2024-01-01T00:00:00Z",
])("does not read %j", (text) => {
  expect(parseRfc3339(text)).toBeNull();
});

test.each([
  ["2024-01-01T00:00:00Z", "2024-01-16T00:00:00Z", 15],
  ["2024-01-01T00:00:00.000000001Z", "2024-01-16T00:00:00Z", 14],
  ["2024-01-02T00:00:00Z", "2024-01-01T00:00:00.5Z", 0],
  ["2024-01-02T12:00:00Z", "2024-01-01T00:00:00Z", -1],
])("counts whole days from %s to %s", (start, end, days) => {
  expect(wholeDaysBetween(parseRfc3339(start)!, parseRfc3339(end)!)).toBe(days);
});
