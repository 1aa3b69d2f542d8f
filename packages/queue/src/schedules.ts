import type { ScheduledJobName } from "./jobs.ts";

/**
 * What becomes of slots that passed while no scheduler ran. `latest`: one run for the newest stands for all. `cursor`:
 * the same, and the job reads on from where its last run ended, so that nothing in the gap is left out. `each`: a run
 * for every slot, the newest `slotsMax` of them; each run is about the time up to its own slot.
 */
export type CatchUp = { kind: "latest" } | { kind: "cursor" } | { kind: "each"; slotsMax: number };

export type Schedule = {
  id: string;
  /**
   * Five fields, in America/Sao_Paulo. No fixed local hour at 23 or 00: on the days on which the zone changes one of
   * them exists twice or not at all.
   */
  cron: string;
  job: ScheduledJobName;
  catchUp: CatchUp;
  /** Where a new system begins: with the slot that has just passed, or with the one that comes next. */
  firstSlot: "past" | "next";
  summary: string;
};

export const SCHEDULE_ZONE = "America/Sao_Paulo";

/** The whole timetable. */
export const schedules: readonly Schedule[] = [
  {
    id: "new-contracts",
    cron: "10 1,7,13,19 * * *",
    job: "new-contracts",
    catchUp: { kind: "cursor" },
    firstSlot: "past",
    summary: "Reads the contracts published since the last complete reading and investigates those that ask for it",
  },
  {
    id: "katana-monitor",
    cron: "5 4,10,16,22 * * *",
    job: "katana-monitor",
    catchUp: { kind: "cursor" },
    firstSlot: "past",
    summary:
      "Stores the direct awards of Katana Scan and investigates the new ones that ask for it; off unless configured",
  },
  {
    id: "priority-agencies",
    cron: "40 1,5,9,13,17,21 * * *",
    job: "priority-agencies",
    catchUp: { kind: "cursor" },
    firstSlot: "past",
    summary: "Investigates the recent contracts of the priority agencies",
  },
  {
    id: "pncp-updates",
    cron: "25 2,8,14,20 * * *",
    job: "pncp-updates",
    catchUp: { kind: "cursor" },
    firstSlot: "next",
    summary: "Brings in the contracts that the PNCP published or changed since the last complete run",
  },
  {
    id: "sanctions-refresh",
    cron: "30 3 * * *",
    job: "sanctions-refresh",
    catchUp: { kind: "latest" },
    firstSlot: "next",
    summary: "Reads both sanction lists and checks them against the stored suppliers",
  },
  {
    id: "registrations-refresh",
    cron: "45 1 * * *",
    job: "registrations-refresh",
    catchUp: { kind: "latest" },
    firstSlot: "next",
    summary: "Looks up the suppliers with the most money that nobody has looked up for thirty days",
  },
  {
    id: "investigation-metrics",
    cron: "15 2 * * *",
    job: "investigation-metrics",
    catchUp: { kind: "each", slotsMax: 31 },
    firstSlot: "next",
    summary: "Figures of the day before: counts, durations, success, alerts",
  },
  {
    id: "critical-summary",
    cron: "0 8 * * *",
    job: "critical-summary",
    catchUp: { kind: "each", slotsMax: 14 },
    firstSlot: "next",
    summary: "Tells of the critical findings of the last 24 hours, and of alerts that did not surely arrive",
  },
  {
    id: "entity-risk",
    cron: "0 4 * * *",
    job: "entity-risk",
    catchUp: { kind: "latest" },
    firstSlot: "next",
    summary: "Risk of every supplier and agency that was flagged, with its parts",
  },
  {
    id: "supplier-networks",
    cron: "30 4 * * *",
    job: "supplier-networks",
    catchUp: { kind: "latest" },
    firstSlot: "next",
    summary: "Communities of suppliers that win at the same agencies",
  },
  {
    id: "historical-reanalysis",
    cron: "0 5 * * 0",
    job: "historical-reanalysis",
    catchUp: { kind: "latest" },
    firstSlot: "next",
    summary: "Runs the detectors again over the last six months, in slices of agency and month",
  },
  {
    id: "detector-precision",
    cron: "30 6 * * 1",
    job: "detector-precision",
    catchUp: { kind: "latest" },
    firstSlot: "next",
    summary: "How often people said that each detector was right",
  },
  {
    id: "cleanup",
    cron: "0 6 * * 0",
    job: "cleanup",
    catchUp: { kind: "latest" },
    firstSlot: "next",
    summary: "Deletes what its retention is over for",
  },
  {
    id: "source-health",
    cron: "25 * * * *",
    job: "source-health",
    catchUp: { kind: "latest" },
    firstSlot: "past",
    summary: "Asks every source one question and fails when one is not well",
  },
  {
    id: "coverage-map",
    cron: "50 3,9,15,21 * * *",
    job: "coverage-map",
    catchUp: { kind: "latest" },
    firstSlot: "past",
    summary: "Asks every source one question for the map of the states",
  },
  {
    id: "health-check",
    cron: "*/5 * * * *",
    job: "health-check",
    catchUp: { kind: "latest" },
    firstSlot: "past",
    summary: "Clocks, queues, waiting work and late schedules; fails when something is wrong",
  },
  {
    id: "stuck-sweep",
    cron: "* * * * *",
    job: "stuck-sweep",
    catchUp: { kind: "latest" },
    firstSlot: "past",
    summary: "Puts back on the queue what should be there and is not",
  },
];
