const BLANK = /^[ \t\n\f\r]*$/;

/** One line of a file of JSON lines. */
export function parseLine(
  text: string,
): { kind: "blank" } | { kind: "invalid-json" } | { kind: "json"; value: unknown } {
  if (BLANK.test(text)) return { kind: "blank" };
  try {
    return { kind: "json", value: parseJson(text) };
  } catch {
    return { kind: "invalid-json" };
  }
}

const DECIMAL_COUNT = /"numberOfTenderers"\s*:\s*-?\d+[.eE]/;

/**
 * The reference takes the number of tenderers only when it is written as an integer ("1", not "1.0"), which plain
 * parsing cannot tell apart; such lines are rare enough to be parsed the slow way.
 */
function parseJson(text: string): unknown {
  return DECIMAL_COUNT.test(text) ? JSON.parse(text, withoutDecimalCounts as Reviver) : JSON.parse(text);
}

type Reviver = (key: string, value: unknown) => unknown;

function withoutDecimalCounts(key: string, value: unknown, { source }: { source?: string }): unknown {
  return key === "numberOfTenderers" && source !== undefined && /[.eE]/.test(source) ? null : value;
}
