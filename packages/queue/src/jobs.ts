import type { InvestigationPriority } from "@cidadao/domain/investigation";
import { z } from "zod";

/** One queue for each kind of work, so that none waits behind another. */
export const queueNames = ["investigations", "alerts", "ingest", "maintenance"] as const;
export type QueueName = (typeof queueNames)[number];

const scheduledRun = z.strictObject({ scheduleId: z.string(), slot: z.iso.datetime({ offset: true }), fence: z.int() });

/**
 * Every job there is. A payload holds ids; what they mean is in the database. The job id names the piece of work and
 * its fence, so that enqueueing it twice is one job while it waits.
 */
export const jobCatalogue = {
  "run-investigation": {
    queue: "investigations",
    payload: z.strictObject({ investigationId: z.uuid(), fence: z.int() }),
    timeoutMs: 600_000,
  },
  "deliver-alert": {
    queue: "alerts",
    payload: z.strictObject({ deliveryId: z.uuid(), fence: z.int() }),
    timeoutMs: 60_000,
  },
  cleanup: { queue: "maintenance", payload: scheduledRun, timeoutMs: 1_800_000 },
  "coverage-map": { queue: "maintenance", payload: scheduledRun, timeoutMs: 120_000 },
  "critical-summary": { queue: "maintenance", payload: scheduledRun, timeoutMs: 120_000 },
  "detector-precision": { queue: "maintenance", payload: scheduledRun, timeoutMs: 120_000 },
  "entity-risk": { queue: "maintenance", payload: scheduledRun, timeoutMs: 600_000 },
  "health-check": { queue: "maintenance", payload: scheduledRun, timeoutMs: 60_000 },
  "historical-reanalysis": { queue: "ingest", payload: scheduledRun, timeoutMs: 86_400_000 },
  "investigation-metrics": { queue: "maintenance", payload: scheduledRun, timeoutMs: 120_000 },
  "katana-monitor": { queue: "ingest", payload: scheduledRun, timeoutMs: 1_800_000 },
  "new-contracts": { queue: "ingest", payload: scheduledRun, timeoutMs: 14_400_000 },
  "pncp-updates": { queue: "ingest", payload: scheduledRun, timeoutMs: 14_400_000 },
  "priority-agencies": { queue: "ingest", payload: scheduledRun, timeoutMs: 60_000 },
  "registrations-refresh": { queue: "ingest", payload: scheduledRun, timeoutMs: 14_400_000 },
  "sanctions-refresh": { queue: "ingest", payload: scheduledRun, timeoutMs: 14_400_000 },
  "source-health": { queue: "maintenance", payload: scheduledRun, timeoutMs: 120_000 },
  "stuck-sweep": { queue: "maintenance", payload: scheduledRun, timeoutMs: 60_000 },
  "supplier-networks": { queue: "maintenance", payload: scheduledRun, timeoutMs: 600_000 },
} as const satisfies Record<string, { queue: QueueName; payload: z.ZodType; timeoutMs: number }>;

export type JobName = keyof typeof jobCatalogue;
export type JobPayload<Name extends JobName> = z.infer<(typeof jobCatalogue)[Name]["payload"]>;
export type ScheduledRun = z.infer<typeof scheduledRun>;
/** Jobs that a schedule may name. */
export type ScheduledJobName = {
  [Name in JobName]: JobPayload<Name> extends ScheduledRun ? Name : never;
}[JobName];

/** BullMQ: a lower number goes first; 0 would mean "no priority" and overtake all of them. */
export const jobPriorities: Record<InvestigationPriority, number> = { critical: 1, high: 2, default: 3, low: 4 };

/** BullMQ refuses ids with ":" and takes integers for its own. */
export function jobId(payload: JobPayload<JobName>): string {
  if ("investigationId" in payload) return `inv_${payload.investigationId}_f${payload.fence}`;
  if ("deliveryId" in payload) return `del_${payload.deliveryId}_f${payload.fence}`;
  return `run_${payload.scheduleId}_${Date.parse(payload.slot)}_f${payload.fence}`;
}

export function isScheduledJob(job: string): job is ScheduledJobName {
  return (
    Object.hasOwn(jobCatalogue, job) && "scheduleId" in jobCatalogue[job as keyof typeof jobCatalogue].payload.shape
  );
}
