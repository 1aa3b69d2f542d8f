import type { Fold } from "./define-indicator.ts";
import { idsOf, submittedBids } from "./submitted-bids.ts";

/** Who submitted bids for which process: the map that leads from an organization's result to its processes. */
export const submittingTenderers: Fold<Map<string, Set<string>>, unknown> = {
  name: "submitting-tenderers",
  start: () => new Map(),
  add: (state, release) => {
    const ids = submittedBids(release).flatMap(({ tenderers }) => idsOf(tenderers));
    if (ids.length > 0) state.set(release.ocid, new Set([...(state.get(release.ocid) ?? []), ...ids]));
  },
  merge: (a, b) => {
    const merged: Map<string, Set<string>> = new Map(a);
    for (const [ocid, ids] of b) merged.set(ocid, new Set([...(merged.get(ocid) ?? []), ...ids]));
    return merged;
  },
};
