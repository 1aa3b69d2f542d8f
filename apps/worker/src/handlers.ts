import { deliverAlert, type DeliverContext } from "@cidadao/operations/deliver-alert";
import { investigateNewContracts } from "@cidadao/operations/new-contracts";
import type { OpenContext } from "@cidadao/operations/open-investigation";
import { runInvestigation, type RunContext } from "@cidadao/operations/run-investigation";
import { runScheduled, type ScheduledContext } from "@cidadao/operations/run-scheduled";
import { sweepStuck, type SweepContext } from "@cidadao/operations/sweep-stuck";
import { deleteExpiredResponses } from "@cidadao/database/source-responses";
import type { JobHandlers } from "@cidadao/queue/consume";

export type WorkerContext = RunContext &
  DeliverContext &
  OpenContext &
  SweepContext &
  ScheduledContext & { watchedAgencies: string[]; graceSeconds: number };

/** Job → operation, a table. A job of the catalogue that is missing here does not compile. */
export function createHandlers(context: WorkerContext): JobHandlers {
  return {
    "run-investigation": (payload, signal) => runInvestigation(context, payload, signal),
    "deliver-alert": (payload, signal) => deliverAlert(context, payload, signal),
    "new-contracts": (run, signal) =>
      runScheduled(context, run, signal, (running) => {
        const input = { agencyCodes: context.watchedAgencies, today: run.slot.slice(0, 10), slot: run.slot };
        return investigateNewContracts(context, input, running);
      }),
    "stuck-sweep": (run, signal) =>
      runScheduled(context, run, signal, async (running) => {
        const swept = await sweepStuck(context, { graceSeconds: context.graceSeconds }, running);
        return { ...swept, expiredResponses: await deleteExpiredResponses(context.store, running) };
      }),
  };
}
