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
    summary: "Reads the contracts published since the last complete reading and investigates them",
  },
  {
    id: "stuck-sweep",
    cron: "* * * * *",
    job: "stuck-sweep",
    catchUp: { kind: "latest" },
    summary: "Puts back on the queue what should be there and is not",
  },
];
