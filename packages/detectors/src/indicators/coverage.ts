import { addWarning, mergeWarnings, type LineWarning } from "./line-warnings.ts";
import { parseLine } from "./parse-line.ts";

/** Paths in the order in which they were met, also those that were always empty: their count is 0. */
export type CoverageState = { counts: Map<string, number>; warnings: LineWarning[] };

export type CoverageRun = {
  addLine: (text: string, lineNumber: number) => void;
  addValue: (value: unknown) => void;
  merge: (later: CoverageState) => void;
  readonly state: CoverageState;
};

/**
 * How often each JSON path is not empty. Empty are "", [], {}, null and what holds only such. The path "" is a line; one
 * that ends in "/" is an object, in "[]" an element of an array; the others are members.
 */
export function createCoverageRun(): CoverageRun {
  const state: CoverageState = { counts: new Map(), warnings: [] };
  return {
    state,
    addValue: (value) => void count(value, "", state.counts),
    addLine: (text, lineNumber) => {
      const line = parseLine(text);
      if (line.kind === "invalid-json") addWarning(state.warnings, "invalid-json", lineNumber);
      if (line.kind !== "json") return;
      if (isTooDeep(line.value)) addWarning(state.warnings, "too-deep", lineNumber);
      else count(line.value, "", state.counts);
    },
    merge: (later) => {
      for (const [path, times] of later.counts) add(state.counts, path, times);
      mergeWarnings(state.warnings, later.warnings);
    },
  };
}

/** The counts on one line, from the outermost path inwards in the order of the input. */
export function writeCoverage({ counts }: CoverageState): string {
  const filled = [...counts].filter(([, times]) => times > 0);
  return `{${filled.map(([path, times]) => `${JSON.stringify(path)}: ${times}`).join(", ")}}`;
}

/** Says whether the value is not empty. */
function count(value: unknown, path: string, counts: Map<string, number>): boolean {
  add(counts, path, 0);
  const isFilled = hasContent(value, path, counts);
  if (isFilled) add(counts, path, 1);
  return isFilled;
}

function hasContent(value: unknown, path: string, counts: Map<string, number>): boolean {
  if (typeof value !== "object" || value === null) return value !== null && value !== "";
  let isFilled = false;
  if (Array.isArray(value)) {
    for (const element of value) isFilled = count(element, `${path}[]`, counts) || isFilled;
    return isFilled;
  }
  add(counts, `${path}/`, 0);
  for (const [key, member] of Object.entries(value)) isFilled = count(member, `${path}/${key}`, counts) || isFilled;
  if (isFilled) add(counts, `${path}/`, 1);
  return isFilled;
}

function add(counts: Map<string, number>, path: string, times: number): void {
  counts.set(path, (counts.get(path) ?? 0) + times);
}

const DEPTH_MAX = 127;

/** The reference's parser goes no deeper either; without a limit a line could exhaust the stack. */
function isTooDeep(value: unknown, levels = DEPTH_MAX): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isTooDeep(member, levels - 1));
}
