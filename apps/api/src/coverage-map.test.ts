import type { AskedApi } from "@cidadao/domain/coverage";
import { expect, test } from "vitest";
import { coverageMap } from "./coverage-map.ts";

const takenAt = "2026-03-05T12:00:00.000Z";
const now = new Date("2026-03-05T12:30:59Z");

function api(source: string, given: Partial<AskedApi>): AskedApi {
  return {
    source,
    name: source,
    url: `https://${source}.example`,
    endpoints: 2,
    states: "all",
    status: "operational",
    responseTimeMs: 120,
    problem: null,
    sample: null,
    ...given,
  };
}

test("before anything was asked, no state is covered, and the map says why", () => {
  const map = coverageMap(null, now);
  expect(map.summary).toEqual({
    total_states: 27,
    states_with_apis: 0,
    states_working: 0,
    overall_coverage_percentage: 0,
    total_apis: 0,
    total_endpoints: 0,
  });
  expect(Object.values(map.states).every(({ status, apis }) => status === "unhealthy" && apis.length === 0)).toBe(true);
  expect(map).not.toHaveProperty("last_update");
  expect(map.cache_info).toEqual({ cached: false, age_minutes: 0, note: expect.stringContaining("coverage-map") });
});

test("a state is as well as the sources that name it; those of the whole country cover no state", () => {
  const down = { status: "down", problem: "HTTP 503" } as const;
  const apis = [
    api("country", {}),
    api("sp", { states: ["SP"] }),
    api("rj", { states: ["RJ"], ...down }),
    api("two", { states: ["SP", "CE"], endpoints: 5 }),
    api("pe", { states: ["PE"], status: "partial", problem: "gave 1 rows" }),
    api("rs", { states: ["RS"], status: "timeout", problem: "too slow" }),
    api("ce", { states: ["CE"], ...down }),
  ];
  const { states, summary, national, last_update } = coverageMap({ takenAt, apis, off: [] }, now);
  const shown = Object.entries(states).flatMap(([code, { status, apis: own }]) =>
    own.length > 0 ? [[code, status, own.length]] : [],
  );
  expect(shown).toEqual([
    ["CE", "degraded", 2],
    ["PE", "degraded", 1],
    ["RJ", "unhealthy", 1],
    ["RS", "unhealthy", 1],
    ["SP", "healthy", 2],
  ]);
  expect(states["AC"]).toEqual({ name: "Acre", status: "unhealthy", apis: [] });
  expect(states["RJ"]!.apis).toEqual([
    { name: "rj", url: "https://rj.example", endpoints: 2, status: "down", response_time_ms: 120, error: "HTTP 503" },
  ]);
  expect(national.map(({ name }) => name)).toEqual(["country"]);
  expect(last_update).toBe(takenAt);
  expect(summary).toEqual({
    total_states: 27,
    states_with_apis: 5,
    states_working: 2,
    overall_coverage_percentage: 7.4,
    total_apis: 7,
    total_endpoints: 17,
  });
});

test("the note says what nobody asked, what is recorded, and what is old", () => {
  const apis = [api("portal", { sample: "amostra gravada de 2024" })];
  const fresh = coverageMap({ takenAt, apis, off: ["Outra fonte"] }, now).cache_info;
  expect(fresh).toMatchObject({ cached: true, last_update: takenAt, age_minutes: 30 });
  expect(fresh.note).toContain("Outra fonte");
  expect(fresh.note).toContain("portal (amostra gravada de 2024)");
  expect(fresh.note).not.toContain("antiga");
  const old = coverageMap({ takenAt, apis, off: [] }, new Date("2026-03-06T00:31:00Z")).cache_info;
  expect(old.age_minutes).toBe(751);
  expect(old.note).toContain("antiga");
});
