import type { Timestamp } from "./dates.ts";

/** `partial`: it answered with less than it has. `error`: it answered, and refused or made no sense. */
export const apiStatuses = ["operational", "partial", "down", "timeout", "error"] as const;
export type ApiStatus = (typeof apiStatuses)[number];

/** How one source answered. */
export type AskedApi = {
  source: string;
  name: string;
  url: string;
  /** Resources of it that are read. */
  endpoints: number;
  states: "all" | string[];
  status: ApiStatus;
  responseTimeMs: number;
  problem: string | null;
  /** What the recording is, where recorded answers were asked. */
  sample: string | null;
};

/** `off`: names of sources that nobody asked. */
export type CoverageSnapshot = { takenAt: Timestamp; apis: AskedApi[]; off: string[] };
