import type { FieldComplaintKind } from "../reading.ts";

/** Those about fields, and those about rows and files. */
export type ComplaintKind =
  | FieldComplaintKind
  | "ambiguous-contract-key"
  | "broken-csv-row"
  | "broken-json"
  | "duplicate-id-different-content"
  | "duplicate-row"
  | "empty-file"
  | "encoding-fallback"
  | "line-too-long"
  | "missing-column"
  | "mixed-encoding"
  | "orphan-amendment"
  | "orphan-commitment"
  | "orphan-item"
  | "orphan-tenderer"
  | "revenue-contract"
  | "truncated-gzip"
  | "unread-file"
  | "unreadable-file"
  | "unusable-record";

/** Something in a file that made no sense: `count` times, the first at `line`. */
export type FileComplaint = {
  kind: ComplaintKind;
  file: string;
  /** `null` when it is about the file. */
  line: number | null;
  field: string | null;
  reason: string;
  count: number;
};

export type Complain = (
  kind: ComplaintKind,
  about: { line: number | null; reason: string; field?: string; count?: number },
) => void;

/** All complaints of one kind. `example` is the first reason given. */
export type ComplaintCount = {
  kind: ComplaintKind;
  count: number;
  example: string;
  places: { file: string; line: number }[];
};

const PLACES_MAX = 10;

/** Counts complaints and keeps the first places of each kind: its size does not grow with the files. */
export function complaintTally() {
  const counts = new Map<ComplaintKind, ComplaintCount>();
  return {
    add({ kind, file, line, reason, count }: FileComplaint): void {
      const known = counts.get(kind);
      const entry = known ?? { kind, count: 0, example: reason, places: [] };
      if (!known) counts.set(kind, entry);
      entry.count += count;
      if (line !== null && entry.places.length < PLACES_MAX) entry.places.push({ file, line });
    },
    /** The most frequent first. */
    list: (): ComplaintCount[] => [...counts.values()].sort((a, b) => b.count - a.count || (a.kind < b.kind ? -1 : 1)),
  };
}
