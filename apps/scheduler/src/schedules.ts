import type { ScheduledJobName } from "@cidadao/queue/jobs";

/** `latest`: after downtime one run stands for all slots that were missed; it reads on from where the last one ended. */
type CatchUp = "latest";

export type Schedule = {
  id: string;
  /** Five fields, in America/Sao_Paulo. No local time at 00:xx: on the day a zone skips midnight it does not exist. */
  cron: string;
  job: ScheduledJobName;
  catchUp: CatchUp;
};

export const SCHEDULE_ZONE = "America/Sao_Paulo";

/** The whole timetable. */
export const schedules: readonly Schedule[] = [
  { id: "new-contracts", cron: "10 1,7,13,19 * * *", job: "new-contracts", catchUp: "latest" },
  { id: "stuck-sweep", cron: "* * * * *", job: "stuck-sweep", catchUp: "latest" },
];
