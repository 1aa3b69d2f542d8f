import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { sources } from "./registry.ts";

/** `npm run fuzz` asks for a hundred thousand of each. */
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 2_000);
const ROWS_MAX = 5;
const LONG_MS = 600_000;

const resources = sources.flatMap((source) =>
  Object.entries(source.resources).map(([id, resource]) => ({ name: `${source.id} ${id}`, resource })),
);

/** What has been seen where a value should be, and what nobody has seen yet. */
const odd = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      null,
      "",
      "Sem informação",
      0,
      -1,
      Number.POSITIVE_INFINITY,
      "1.234,56",
      "2025-06-24",
      "0022-01-01",
    ),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      "00394460005887-2-002468/2025",
      "00394460005887-1-000020/2025",
      1,
      "15195707000178",
      "26435",
      "Termo Aditivo",
      "2611606",
      "Pagamento",
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "92324706000127-1-000203/2023-000002",
      "529.982.247-25",
      "\u0000\ud800",
      "PF",
      true,
      "Pagamento",
    ),
  },
  { weight: 3, arbitrary: fc.string({ maxLength: 30, unit: "binary" }) },
  { weight: 2, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
);

/** Rows with the fields that are read, each with anything in it, one level deep; some rows are no objects at all. */
function rowsFor(wire: z.ZodType): fc.Arbitrary<unknown[]> {
  return fc.array(fc.oneof({ weight: 9, arbitrary: recordFor(wire) }, { weight: 1, arbitrary: fc.jsonValue() }), {
    maxLength: ROWS_MAX,
  });
}

function recordFor(wire: z.ZodType): fc.Arbitrary<unknown> {
  const fields = Object.entries(shapeOf(wire));
  if (fields.length === 0) return odd;
  const model = Object.fromEntries(
    fields.map(([name, field]) => {
      const inner = shapeOf(unwrapped(field));
      const nested = Object.keys(inner).length === 0 ? odd : recordFor(unwrapped(field));
      return [name, fc.oneof({ weight: 9, arbitrary: nested }, { weight: 1, arbitrary: odd })];
    }),
  );
  return fc.oneof(fc.record(model), fc.record(model, { requiredKeys: [] }));
}

function shapeOf(wire: z.ZodType): Record<string, z.ZodType> {
  return "shape" in wire ? (wire.shape as Record<string, z.ZodType>) : {};
}

function unwrapped(wire: z.ZodType): z.ZodType {
  return "unwrap" in wire && typeof wire.unwrap === "function" ? unwrapped(wire.unwrap() as z.ZodType) : wire;
}

describe("whatever a source sends", () => {
  test.each(resources)(
    "as $name is read, refused with a reason or left out with one, each row once",
    ({ resource }) => {
      const seen = { records: 0, rejects: 0 };
      const answer = { headers: {}, retrievedAt: "2025-06-24T00:00:00Z", fromCache: false, next: null };
      fc.assert(
        fc.property(rowsFor(resource.wire), (rows) => {
          const { records, rejects, excluded } = resource.read({ ...answer, rows });
          expect(records.length + rejects.length + excluded.length).toBe(rows.length);
          expect(rejects.every(({ reason }) => reason.length > 0)).toBe(true);
          expect(records.every(({ provenance }) => provenance.sourceId.length > 0)).toBe(true);
          const kept = JSON.stringify([records, rejects]);
          expect(kept.includes("529.982.247-25") || kept.includes("52998224725")).toBe(false);
          seen.records += records.length;
          seen.rejects += rejects.length;
        }),
        { numRuns: RUNS, seed: 20_261_124 },
      );
      // The generator has to reach both sides, or it proves nothing.
      expect(seen.records).toBeGreaterThan(0);
      expect(seen.rejects).toBeGreaterThan(0);
    },
    LONG_MS,
  );
});
