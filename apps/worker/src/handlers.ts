import { computeDetectorPrecision } from "@cidadao/database/feedback";
import { findInvestigation, markUnqueued } from "@cidadao/database/investigations";
import { computeDailyMetrics, computeEntityRisks } from "@cidadao/database/scheduled-work";
import { deleteExpiredResponses } from "@cidadao/database/source-responses";
import { addDays } from "@cidadao/domain/dates";
import { cleanUp } from "@cidadao/operations/cleanup";
import { summariseCritical } from "@cidadao/operations/critical-summary";
import { deliverAlert, type DeliverContext } from "@cidadao/operations/deliver-alert";
import { checkHealth, type HealthContext } from "@cidadao/operations/health-check";
import { reanalyseHistory } from "@cidadao/operations/historical-reanalysis";
import { watchDirectAwards } from "@cidadao/operations/katana-monitor";
import { localDay } from "@cidadao/operations/local-day";
import { type NewContractsContext, screenNewContracts } from "@cidadao/operations/new-contracts";
import type { OpenContext } from "@cidadao/operations/open-investigation";
import { readPncpUpdates } from "@cidadao/operations/pncp-updates";
import { investigatePriorityAgencies } from "@cidadao/operations/priority-agencies";
import { runInvestigation, type RunContext } from "@cidadao/operations/run-investigation";
import { type ReportProgress, runScheduled, type ScheduledContext } from "@cidadao/operations/run-scheduled";
import { refreshRegistrations } from "@cidadao/operations/refresh-registrations";
import { refreshSanctions } from "@cidadao/operations/sanctions-refresh";
import { type MappedSource, recordCoverage } from "@cidadao/operations/record-coverage";
import { probeSources } from "@cidadao/operations/source-health";
import { findCommunities } from "@cidadao/operations/supplier-networks";
import { sweepStuck, type SweepContext } from "@cidadao/operations/sweep-stuck";
import type { JobHandlers } from "@cidadao/queue/consume";
import type { JobPayload, ScheduledJobName, ScheduledRun } from "@cidadao/queue/jobs";
import type { CnpjContext } from "@cidadao/sources/cnpj/client";
import { limitedSignal } from "@cidadao/runtime/deadline";
import type { OpenedSource } from "@cidadao/sources/define-source";
import { createTurns, type Intake, type Turns } from "./turns.ts";

/** One that has to run alone waits so long for the others; then it goes back, and the sweep brings it again. */
const TURN_MS_MAX = 180_000;
/** An hour and a half at twenty calls a minute. */
const SUPPLIERS_A_RUN = 1_500;

export type WorkerContext = RunContext &
  DeliverContext &
  OpenContext &
  SweepContext &
  ScheduledContext &
  HealthContext &
  NewContractsContext & {
    watchedAgencies: string[];
    probedSources: MappedSource[];
    /** Names of the sources that this worker does not ask. */
    sourcesOff: string[];
    graceSeconds: number;
    /** `null` where the registers of companies are not in use. */
    cnpj: CnpjContext | null;
    /** The same of Katana Scan, and of the PNCP. */
    katana: OpenedSource | null;
    pncp: OpenedSource | null;
    tcu: OpenedSource | null;
  };

type ScheduledWork = (
  run: ScheduledRun,
  signal: AbortSignal,
  report: ReportProgress,
) => Promise<Record<string, unknown>>;

/**
 * Job → operation, a table. A job of the catalogue that is missing here does not compile. `intake` is that of
 * investigations.
 */
export function createHandlers(context: WorkerContext, intake: Intake): JobHandlers {
  const { store, watchedAgencies: agencyCodes } = context;
  const turns = createTurns(intake);
  const scheduled: Record<ScheduledJobName, ScheduledWork> = {
    cleanup: (_run, signal) => cleanUp(context, signal),
    "coverage-map": (_run, signal) => recordCoverage(context, signal),
    "critical-summary": ({ slot }, signal) => summariseCritical(context, { slot }, signal),
    "detector-precision": async (_run, signal) => ({ detectors: await computeDetectorPrecision(store, signal) }),
    "entity-risk": (_run, signal) => computeEntityRisks(store, signal),
    "health-check": (_run, signal) => checkHealth(context, signal),
    "historical-reanalysis": ({ slot }, signal, report) =>
      reanalyseHistory(context, { agencyCodes, slot }, signal, report),
    "investigation-metrics": ({ slot }, signal) =>
      computeDailyMetrics(store, addDays(localDay(new Date(slot)), -1), signal),
    "katana-monitor": ({ slot }, signal, report) => watchDirectAwards(context, { slot }, signal, report),
    "new-contracts": ({ slot }, signal, report) => screenNewContracts(context, { slot }, signal, report),
    "pncp-updates": ({ slot }, signal, report) =>
      readPncpUpdates({ store, pncp: context.pncp }, { slot }, signal, report),
    "priority-agencies": ({ slot }, signal) =>
      investigatePriorityAgencies(context, { agencyCodes, today: localDay(new Date(slot)), slot }, signal),
    "registrations-refresh": async (_run, signal) =>
      context.cnpj === null
        ? { off: "SOURCES leaves the registers of companies out" }
        : refreshRegistrations({ store, cnpj: context.cnpj }, { suppliersMax: SUPPLIERS_A_RUN }, signal),
    "sanctions-refresh": ({ slot }, signal) => refreshSanctions(context, { slot }, signal),
    "source-health": (_run, signal) => probeSources(context, signal),
    "stuck-sweep": async (_run, signal) => {
      const swept = await sweepStuck(context, { graceSeconds: context.graceSeconds }, signal);
      return { ...swept, expiredResponses: await deleteExpiredResponses(store, signal) };
    },
    "supplier-networks": (_run, signal) => findCommunities(context, signal),
  };
  const handlers = Object.entries(scheduled).map(([job, work]) => [
    job,
    (run: ScheduledRun, signal: AbortSignal) =>
      runScheduled(context, run, signal, (running, report) => work(run, running, report)),
  ]);
  return {
    ...(Object.fromEntries(handlers) as Pick<JobHandlers, ScheduledJobName>),
    "run-investigation": (payload, signal) => runInTurn(context, turns, payload, signal),
    "deliver-alert": (payload, signal) => deliverAlert(context, payload, signal),
  };
}

/**
 * An investigation whose worker has died runs alone: nothing else is taken in beside it, so that if it kills this worker
 * too, it takes no other with it, and those that were beside it the first time are cleared.
 */
async function runInTurn(
  context: WorkerContext,
  turns: Turns,
  payload: JobPayload<"run-investigation">,
  signal: AbortSignal,
): Promise<void> {
  const { investigationId: id } = payload;
  const found = await findInvestigation(context.store, id, signal);
  const isSuspect = found !== null && found.crashes > 0;
  using limited = limitedSignal(TURN_MS_MAX, [signal]);
  using turn = isSuspect ? await turns.alone(limited.signal) : turns.together();
  if (turn !== null) return await runInvestigation(context, payload, signal);
  if (!signal.aborted) await markUnqueued(context.store, id, signal);
}
