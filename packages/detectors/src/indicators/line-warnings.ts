export type WarningKind = "invalid-json" | "not-an-object" | "no-ocid" | "too-deep" | "currency-mismatch";

/** `lines` are the first of the `count` lines; empty for a kind that is counted in bids. */
export type LineWarning = { kind: WarningKind; count: number; lines: number[] };

const LINES_MAX = 10;

export function addWarning(warnings: LineWarning[], kind: WarningKind, line: number | null, count = 1): void {
  let warning = warnings.find((one) => one.kind === kind);
  if (warning === undefined) warnings.push((warning = { kind, count: 0, lines: [] }));
  warning.count += count;
  if (line !== null && warning.lines.length < LINES_MAX) warning.lines.push(line);
}

/** `later` holds the warnings of lines that come after those of `warnings`. */
export function mergeWarnings(warnings: LineWarning[], later: readonly LineWarning[]): void {
  for (const { kind, count, lines } of later) {
    addWarning(warnings, kind, null, count);
    const merged = warnings.find((one) => one.kind === kind)!;
    merged.lines = [...merged.lines, ...lines].slice(0, LINES_MAX);
  }
}
