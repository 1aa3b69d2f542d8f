import { expect, test } from "vitest";
import { addBusinessDays, businessDaysBetween, nationalHolidays } from "./business-days.ts";

const day = (date: string) => Date.parse(date) / 86_400_000;

test("holidays are those of the law in force in the year", () => {
  expect(nationalHolidays(2024)).toEqual([
    "2024-01-01",
    "2024-03-29",
    "2024-04-21",
    "2024-05-01",
    "2024-09-07",
    "2024-10-12",
    "2024-11-02",
    "2024-11-15",
    "2024-11-20",
    "2024-12-25",
  ]);
  expect(nationalHolidays(2023)).not.toContain("2023-11-20");
  expect(nationalHolidays(2023)).toContain("2023-04-07");
  expect(nationalHolidays(2019)).toContain("2019-04-19");
});

test("weekends and holidays do not count, and the day of signature is not the first", () => {
  expect(businessDaysBetween(day("2023-12-29"), day("2024-01-02"))).toBe(1);
  expect(businessDaysBetween(day("2024-03-28"), day("2024-04-01"))).toBe(1);
  expect(businessDaysBetween(day("2024-02-05"), day("2024-02-05"))).toBe(0);
  expect(businessDaysBetween(day("2024-02-09"), day("2024-02-05"))).toBe(-4);
});

test("adding business days and counting them agree", () => {
  for (const from of ["2023-12-22", "2024-03-27", "2024-11-14"]) {
    for (const count of [1, 5, 10, 20, 30]) {
      expect(businessDaysBetween(day(from), addBusinessDays(day(from), count))).toBe(count);
    }
  }
});
