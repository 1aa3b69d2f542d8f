import { hostname } from "node:os";
import type { AlertAddressee } from "@cidadao/database/alerts";
import type { Store } from "@cidadao/database/store";
import { listWatched } from "@cidadao/database/watches";
import { anomalyRow } from "@cidadao/database/anomaly-row";
import {
  claimInvestigation,
  type Claim,
  completeInvestigation,
  failInvestigation,
  type Investigation,
  type InvestigationResult,
  recordProgress,
  releaseInvestigation,
  renewInvestigation,
} from "@cidadao/database/investigations";
import { type ExplainContext, explainFindings } from "@cidadao/agents/explainer";
import { detectors as registry } from "@cidadao/detectors/registry";
import { type Finding, findingFingerprint } from "@cidadao/domain/anomaly";
import type { Dataset, Detection } from "@cidadao/domain/dataset";
import { type InvestigationPhase, outcomeOf, type SourceCoverage } from "@cidadao/domain/investigation";
import { watchKinds } from "@cidadao/domain/watch";
import { isAtLeast, type Severity } from "@cidadao/domain/severity";
import type { Enqueue } from "@cidadao/queue/produce";
import { AppError, asAppError, messageOf } from "@cidadao/runtime/errors";
import { isTimeout, pause, repeat } from "@cidadao/runtime/deadline";
import type { Logger } from "@cidadao/runtime/logger";
import type { Telemetry } from "@cidadao/runtime/telemetry";
import { type ContractKey, hasDetails, type ReadContext, readDetails, readScope } from "./read-scope.ts";
import { renderReport } from "./render-report.ts";
import { enqueueDelivery } from "./sweep-stuck.ts";

export type RunContext = ReadContext & {
  enqueue: Enqueue;
  /** Runs the detectors away from this event loop. */
  detect: (dataset: Dataset, detectors: string[] | null, signal: AbortSignal) => Promise<Detection>;
  explain: ExplainContext;
  /** Where alerts go; empty: only what somebody watches is recorded as alerted. */
  alertTargets: AlertAddressee[];
  alertSeverityMin: Severity;
  leaseSeconds: number;
  logger: Logger;
  telemetry: Telemetry;
};

const CRASHES_MAX = 4;
const ATTEMPTS_MAX = 3;
const RETRY_SECONDS = [10, 60];
const STORE_AWAY_DELAY_SECONDS = 5;
const STORE_RETRY_MS = 1_000;
const HEARTBEAT_MS_MAX = 5_000;
/** Within this time after the database is there again, every worker that lives has renewed its lease or given up its work. */
export const STORE_BACK_MS = HEARTBEAT_MS_MAX + STORE_RETRY_MS;
const SETTLE_TIMEOUT_MS = 5_000;
/** For this long after it was opened, an investigation waits without blame for a source that asks for pauses. */
const PUT_OFF_MS_MAX = 3_600_000;
/** The gravest findings, which a model may put into words; the others carry the detector's own sentence. */
const EXPLAINED_MAX = 5;
const ANOMALIES_MAX = 2_000;

/**
 * One investigation, from claim to stored result: read, think, write. Between the claim and the one transaction at the
 * end only progress and heartbeats are written. Never throws: whatever happens is settled in the row, or is found by
 * the sweep when its lease ends.
 */
export async function runInvestigation(
  context: RunContext,
  input: { investigationId: string },
  signal: AbortSignal,
): Promise<void> {
  const id = input.investigationId;
  const log = context.logger.child({ investigation: id });
  const worker = `${hostname()}:${process.pid}`;
  const asked = { id, worker, leaseSeconds: context.leaseSeconds, crashesMax: CRASHES_MAX };
  const claimed = await claimInvestigation(context.store, asked, signal);
  if (claimed.outcome !== "claimed") {
    log.info({ outcome: claimed.outcome }, "not ours to run");
    return;
  }
  const { investigation } = claimed;
  const claim: Claim = { id, fence: investigation.fence, leaseSeconds: context.leaseSeconds };
  const startedMs = performance.now();
  const lost = new AbortController();
  const running = AbortSignal.any([signal, lost.signal]);
  const finished = new AbortController();
  const heartbeat = keepLease(context, claim, lost, finished.signal, log);
  context.telemetry.activeInvestigations.inc();
  try {
    const report = progressReporter(context, claim, running);
    const result = await investigate(context, investigation, report, running);
    const completion = await completeInvestigation(context.store, claim, result, running);
    if (!completion.completed) throw new AppError("lease_lost", "the result was refused: the fence has moved on");
    countResult(context, result, startedMs);
    log.info(
      { outcome: result.outcome, anomalies: result.anomalies.length, seconds: (performance.now() - startedMs) / 1000 },
      "investigation completed",
    );
    // The sweep would find them; this is sooner. The rows are new, so their fence is 0.
    await Promise.all(completion.deliveries.map((delivery) => enqueueDelivery(context, { id: delivery, fence: 0 })));
  } catch (error) {
    await settleFailure(context, { claim, investigation, error, signal, lost: lost.signal }, log);
  } finally {
    finished.abort();
    await heartbeat;
    context.telemetry.activeInvestigations.dec();
  }
}

type Report = (
  phase: InvestigationPhase,
  progress: number,
  message: string,
  data?: Record<string, unknown>,
) => Promise<void>;

async function investigate(
  context: RunContext,
  investigation: Investigation,
  report: Report,
  signal: AbortSignal,
): Promise<InvestigationResult> {
  const { scope, detectors, id: investigationId } = investigation;

  await report("reading", 0.05, "Lendo os contratos nas fontes públicas.");
  const onProgress = (share: number, message: string) => report("reading", 0.05 + 0.45 * share, message);
  const reading = await readScope(context, { scope, investigationId, onProgress }, signal);
  const contracts = reading.dataset.contracts.length;

  await report("detecting", 0.55, `Analisando ${contracts} contratos.`, { contracts });
  const screening = await context.detect(reading.dataset, detectors, signal);
  // Details are asked only of what the sources have just brought.
  const flagged =
    scope.storedSource === undefined ? flaggedContracts(context, reading.dataset, screening.findings) : [];
  if (flagged.length > 0) {
    await report("reading", 0.65, `Buscando itens e aditivos de ${flagged.length} contratos sinalizados.`);
  }
  const input = { contracts: flagged, investigationId, dataset: reading.dataset };
  const detailed = await readDetails(context, input, signal);
  // Items and amendments can clear a contract as well as weigh against it.
  const detection = flagged.length > 0 ? await context.detect(detailed.dataset, detectors, signal) : screening;

  const findings = detection.findings.slice(0, ANOMALIES_MAX);
  await report("explaining", 0.8, `Explicando os ${Math.min(findings.length, EXPLAINED_MAX)} indícios mais graves.`, {
    findings: findings.length,
  });
  const sample = reading.sample;
  const explanations = await explainFindings(
    context.explain,
    { findings: findings.slice(0, EXPLAINED_MAX), sample },
    signal,
  );

  await report("storing", 0.95, "Gravando o resultado.");
  const coverage = mergeCoverage([...reading.coverage, ...detailed.coverage]);
  const outcome = outcomeOf(coverage, detection.findings.length);
  // What nobody is told of does not count as told: the first target to come is alerted to it.
  const grave = findings.filter((finding) => isAtLeast(finding.severity, context.alertSeverityMin));
  const alerted = context.alertTargets.length > 0 ? grave : await watchedOf(context.store, grave, signal);
  return {
    outcome,
    records: contracts,
    coverage,
    sample,
    message: closingMessage(outcome, findings.length, contracts),
    anomalies: findings.map((finding, index) => anomalyRow(finding, index + 1, explanations[index] ?? null)),
    report: renderReport({ investigation, outcome, contracts, detection, explanations, coverage, sample }),
    alert: {
      fingerprints: alerted.map(findingFingerprint),
      targets: context.alertTargets,
    },
  };
}

/** Findings about something that somebody watches. */
async function watchedOf(store: Store, findings: Finding[], signal: AbortSignal): Promise<Finding[]> {
  const ids = {
    supplier: findings.flatMap(({ supplierTaxId }) => supplierTaxId ?? []),
    agency: findings.flatMap(({ agencyCode }) => agencyCode ?? []),
    detector: findings.map(({ detector }) => detector),
  };
  const [supplier, agency, detector] = await Promise.all(
    watchKinds.map((kind) => listWatched(store, kind, [...new Set(ids[kind])], signal)),
  );
  return findings.filter(
    (finding) =>
      supplier!.has(finding.supplierTaxId ?? "") ||
      agency!.has(finding.agencyCode ?? "") ||
      detector!.has(finding.detector),
  );
}

/** Detectors that weigh what items and amendments say; the others need no second look. */
const readsDetails = new Set(
  registry.flatMap(({ id, needs }) => (needs.includes("items") || needs.includes("amendments") ? [id] : [])),
);

/** The contracts that a finding names and whose details may change it, gravest finding first. */
function flaggedContracts(context: ReadContext, dataset: Dataset, findings: Finding[]): ContractKey[] {
  const known = new Map<string, ContractKey>(
    dataset.contracts.map(({ provenance }) => [`${provenance.source}/${provenance.sourceId}`, provenance]),
  );
  const contracts = findings
    .filter(({ detector }) => readsDetails.has(detector))
    .flatMap((finding) =>
      finding.evidence.records.flatMap((record) => (record.kind === "contract" ? (known.get(record.id) ?? []) : [])),
    );
  return [...new Set(contracts)].filter((contract) => hasDetails(context, contract));
}

/** One entry a source: what was asked of it in the whole run. */
function mergeCoverage(parts: SourceCoverage[]): SourceCoverage[] {
  const merged = new Map<string, SourceCoverage>();
  for (const part of parts) {
    const whole = merged.get(part.source);
    if (!whole) {
      merged.set(part.source, { ...part, missing: [...part.missing] });
      continue;
    }
    whole.asked += part.asked;
    whole.answered += part.answered;
    whole.records += part.records;
    whole.rejected += part.rejected;
    whole.missing.push(...part.missing);
  }
  return [...merged.values()];
}

function closingMessage(outcome: InvestigationResult["outcome"], findings: number, contracts: number): string {
  switch (outcome) {
    case "anomalies_found":
      return `${findings} indícios em ${contracts} contratos.`;
    case "no_anomalies":
      return `Nenhum indício em ${contracts} contratos.`;
    case "partial":
      return `Resultado parcial: ${findings} indícios em ${contracts} contratos; parte das fontes não respondeu.`;
    case "source_unavailable":
      return "As fontes não responderam: não é possível dizer se há indícios.";
  }
}

function progressReporter(context: RunContext, claim: Claim, signal: AbortSignal): Report {
  return async (phase, progress, message, data) => {
    signal.throwIfAborted();
    const step = { phase, progress, message, ...(data ? { data } : {}) };
    if (!(await recordProgress(context.store, claim, step, signal))) {
      throw new AppError("lease_lost", "cancelled, or taken over by another worker");
    }
  };
}

/** Renews the lease until `finished`; aborts the run when it is no longer ours. A database that is away is waited for. */
function keepLease(
  context: RunContext,
  claim: Claim,
  lost: AbortController,
  finished: AbortSignal,
  log: Logger,
): Promise<void> {
  const intervalMs = Math.min(Math.floor((claim.leaseSeconds * 1_000) / 3), HEARTBEAT_MS_MAX);
  const onError = (error: unknown) => log.warn({ error: messageOf(error) }, "heartbeat failed");
  return repeat({ intervalMs, signal: finished, onError }, async () => {
    if (
      await renewInvestigation(context.store, claim, AbortSignal.any([finished, AbortSignal.timeout(intervalMs * 2)]))
    )
      return;
    if (!finished.aborted) lost.abort(new AppError("lease_lost", "cancelled, or taken over by another worker"));
  });
}

type Failure = {
  claim: Claim;
  investigation: Investigation;
  error: unknown;
  signal: AbortSignal;
  lost: AbortSignal;
};

async function settleFailure(context: RunContext, failure: Failure, log: Logger): Promise<void> {
  const { claim, investigation, signal, lost } = failure;
  const error = asAppError(failure.error);
  const release = async (delaySeconds: number, reason: string) => {
    const given = { delaySeconds, reason };
    const released = await onceStoreIsThere(AbortSignal.any([signal, lost]), (settle) =>
      releaseInvestigation(context.store, claim, given, settle),
    );
    log.info({ released, ...given }, "investigation given back");
  };
  try {
    if (error.code === "lease_lost" || lost.aborted) {
      log.info({ reason: error.message }, "stopped: the investigation is no longer ours");
    } else if (signal.aborted && !isTimeout(signal.reason)) {
      await release(0, "O serviço está reiniciando; a investigação continua em seguida.");
    } else if (error.code === "store_unavailable") {
      await release(
        STORE_AWAY_DELAY_SECONDS,
        "O banco de dados ficou indisponível; a investigação continua em seguida.",
      );
    } else if (error.code === "rate_limited" && Date.now() - Date.parse(investigation.createdAt) < PUT_OFF_MS_MAX) {
      await release(error.retryAfterSeconds ?? 60, "A fonte pediu uma pausa; a investigação continua depois dela.");
    } else {
      const code = signal.aborted ? "deadline_exceeded" : error.code;
      const retry = signal.aborted || error.retry || error.code === "internal";
      const delaySeconds = retry ? (RETRY_SECONDS[investigation.attempts] ?? RETRY_SECONDS.at(-1)!) : null;
      const end = { code, message: error.message, delaySeconds, attemptsMax: ATTEMPTS_MAX };
      const status = await failInvestigation(context.store, claim, end, AbortSignal.timeout(SETTLE_TIMEOUT_MS));
      log.error({ code, error: error.message, stack: stackOf(failure.error), status }, "the attempt failed");
      if (status === "failed") context.telemetry.investigations.inc({ status: "failed", outcome: "none" });
    }
  } catch (problem) {
    log.error({ error: error.message, problem: messageOf(problem) }, "not settled; its lease will end");
  }
}

/** Tries until the database takes it, for as long as the job may run: whoever still holds work has not crashed. */
async function onceStoreIsThere<Result>(
  signal: AbortSignal,
  settle: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  for (;;) {
    const isLastTry = signal.aborted;
    try {
      return await settle(AbortSignal.timeout(SETTLE_TIMEOUT_MS));
    } catch (error) {
      if (isLastTry || asAppError(error).code !== "store_unavailable") throw error;
      await pause(STORE_RETRY_MS, signal);
    }
  }
}

function stackOf(error: unknown): string | undefined {
  return error instanceof AppError && error.code !== "internal" ? undefined : (error as Error).stack;
}

function countResult(context: RunContext, result: InvestigationResult, startedMs: number): void {
  const { telemetry } = context;
  telemetry.investigations.inc({ status: "completed", outcome: result.outcome });
  telemetry.investigationSeconds.observe({ status: "completed" }, (performance.now() - startedMs) / 1000);
  for (const anomaly of result.anomalies) {
    telemetry.anomalies.inc({ anomaly_type: anomaly.detector, severity: anomaly.severity });
    if (anomaly.explanation_source) telemetry.explanations.inc({ source: anomaly.explanation_source });
  }
}
