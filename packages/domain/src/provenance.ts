import type { Timestamp } from "./dates.ts";

/** Where a record came from; it travels with the record into every piece of evidence. */
export type Provenance = {
  /** Id of the source in its registry, for example `portal-transparencia`. */
  source: string;
  /** The record's own id at the source; unique there. */
  sourceId: string;
  /** Page of the publisher where a person can check the record. */
  url: string;
  retrievedAt: Timestamp;
  /** What the recording is and of when, if the record comes from a recorded sample; `null` for live data. */
  sample: string | null;
};

/** One text for a record everywhere: map keys, anomaly subjects, foreign keys. */
export function recordKey(provenance: Pick<Provenance, "source" | "sourceId">): string {
  return `${provenance.source}/${provenance.sourceId}`;
}
