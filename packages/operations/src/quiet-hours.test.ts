import { expect, test } from "vitest";
import { parseQuietHours, quietUntil } from "./quiet-hours.ts";

const nights = parseQuietHours("22-7");

test.each([
  ["in the evening", "2026-03-06T01:00:00Z", "2026-03-06T10:00:00.000Z"],
  ["after midnight", "2026-03-06T09:59:59Z", "2026-03-06T10:00:00.000Z"],
  ["over a midnight that does not exist", "2018-11-04T02:00:00Z", "2018-11-04T09:00:00.000Z"],
])("%s they last until seven in São Paulo", (_, now, until) => {
  expect(quietUntil(nights, new Date(now))?.toISOString()).toBe(until);
});

test("there are none by day, at their end, or where none are set", () => {
  expect(quietUntil(nights, new Date("2026-03-06T10:00:00Z"))).toBeNull();
  expect(quietUntil(nights, new Date("2026-03-06T15:00:00Z"))).toBeNull();
  expect(quietUntil(parseQuietHours("0-0"), new Date("2026-03-06T03:00:00Z"))).toBeNull();
  expect(quietUntil(null, new Date("2026-03-06T03:00:00Z"))).toBeNull();
});
