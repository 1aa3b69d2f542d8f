import type { Finished, MapName } from "./define-indicator.ts";
import { mergeTallies, startTally, type Tally } from "./tally.ts";

/** State of the indicators that judge each process by itself. */
export type ProcessFlags = {
  flagged: Map<string, { value: number; tenderers: Set<string> }>;
  tally: Tally;
};

export function startProcessFlags(): ProcessFlags {
  return { flagged: new Map(), tally: startTally() };
}

/** A process that comes twice keeps its last value and all its tenderers. */
export function flagProcess(state: ProcessFlags, ocid: string, value: number, tenderers: Iterable<string> = []): void {
  const before = state.flagged.get(ocid)?.tenderers ?? [];
  state.flagged.set(ocid, { value, tenderers: new Set([...before, ...tenderers]) });
}

export function mergeProcessFlags(a: ProcessFlags, b: ProcessFlags): ProcessFlags {
  const merged = { flagged: new Map(a.flagged), tally: mergeTallies(a.tally, b.tally) };
  for (const [ocid, { value, tenderers }] of b.flagged) flagProcess(merged, ocid, value, tenderers);
  return merged;
}

/** `tenderers`: which value the flagged tenderers get, and the map that names them. */
export function finishProcessFlags(
  { flagged, tally }: ProcessFlags,
  tenderers: { value: number; map: MapName } | null = null,
): Finished {
  const processes = [...flagged].map(([id, { value }]) => ({ group: "OCID" as const, id, value }));
  const finished: Finished = { results: processes, meta: [], tallies: { OCID: tally } };
  if (tenderers === null) return finished;
  const ids = new Set([...flagged.values()].flatMap((one) => [...one.tenderers]));
  const named = [...ids].map((id) => ({ group: "Tenderer" as const, id, value: tenderers.value }));
  const map = new Map([...flagged].map(([ocid, one]) => [ocid, one.tenderers]));
  return { ...finished, results: [...processes, ...named], maps: { [tenderers.map]: map } };
}
