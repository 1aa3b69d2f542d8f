import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTextColumn, pushText, setText, textAt, trimmedTexts } from "./text-column.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(
    "",
    "\0",
    "\uFEFFmarca",
    "ação",
    "\u{1F3D7}\u{10FFFF}",
    "a".repeat(300_000),
    "é\u{1F3D7}".repeat(70_000),
  ),
);
const texts = fc.array(fc.option(text, { freq: 5 }), { maxLength: 600 });

describe("a column of texts", () => {
  test("gives back what was pushed, at once, at the end and beyond a thread", () => {
    fc.assert(
      fc.property(texts, (rows) => {
        const column = createTextColumn();
        for (const [row, one] of rows.entries()) {
          pushText(column, one);
          expect(textAt(column, row)).toBe(one);
        }
        const crossed = structuredClone(trimmedTexts(column));
        expect(rows.map((_, row) => textAt(column, row))).toEqual(rows);
        expect(rows.map((_, row) => textAt(trimmedTexts(column), row))).toEqual(rows);
        expect(rows.map((_, row) => textAt(crossed, row))).toEqual(rows);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  test("keeps the neighbours of a text that is replaced by a longer, a shorter or none", () => {
    fc.assert(
      fc.property(
        texts.filter(({ length }) => length > 2),
        fc.option(text),
        fc.nat(),
        (rows, replacement, number) => {
          const column = createTextColumn();
          for (const one of rows) pushText(column, one);
          const place = number % rows.length;
          setText(column, place, replacement);
          pushText(column, "última");
          expect([...rows.keys(), rows.length].map((row) => textAt(column, row))).toEqual([
            ...rows.with(place, replacement),
            "última",
          ]);
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);

  test("fills more than one chunk without losing the texts at its edges", () => {
    const long = (row: number) => `${row} ${"ação ".repeat(60_000)}${row}`;
    const column = createTextColumn();
    for (let row = 0; row < 80; row++) pushText(column, long(row));
    expect(trimmedTexts(column).chunks.length).toBeGreaterThan(1);
    const lost = Array.from({ length: 80 }, (_, row) => row).filter((row) => textAt(column, row) !== long(row));
    expect(lost).toEqual([]);
  });

  test("what was taken out does not change with what comes later", () => {
    const column = createTextColumn();
    pushText(column, "antes");
    const taken = trimmedTexts(column);
    setText(column, 0, "depois");
    for (let row = 0; row < 10_000; row++) pushText(column, `linha ${row}`);
    expect(textAt(taken, 0)).toBe("antes");
    expect(taken.lengths).toHaveLength(1);
  });
});
