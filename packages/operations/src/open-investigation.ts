import { createHash } from "node:crypto";
import {
  findByIdempotencyHash,
  insertInvestigation,
  type Investigation,
  markUnqueued,
  type NewInvestigation,
} from "@cidadao/database/investigations";
import type { Store } from "@cidadao/database/store";
import { detectors as registry } from "@cidadao/detectors/registry";
import type { InvestigationOrigin, InvestigationPriority, InvestigationScope } from "@cidadao/domain/investigation";
import { maskCpfsInText } from "@cidadao/domain/tax-id";
import { jobPriorities } from "@cidadao/queue/jobs";
import type { Enqueue } from "@cidadao/queue/produce";
import { AppError, messageOf } from "@cidadao/runtime/errors";
import type { Logger } from "@cidadao/runtime/logger";
import type { Admission } from "./admit.ts";
import { localDay } from "./local-day.ts";
import { resolveQuestion } from "./resolve-question.ts";

export type OpenContext = {
  store: Store;
  enqueue: Enqueue;
  /** Throws when there is too much to take more; left out: everything is taken. */
  admit?: Admission;
  logger: Logger;
};

export type OpenRequest = {
  query: string | null;
  /** `null`: what the query asks for. */
  scope: InvestigationScope | null;
  /** Detector ids, or `null` for all. */
  detectors: string[] | null;
  origin: InvestigationOrigin;
  priority: InvestigationPriority;
  idempotencyKey: string | null;
};

/** With the insert before it, an answer stays under a second whatever the queue does. */
const ENQUEUE_TIMEOUT_MS = 700;

/**
 * Stores an investigation and puts it on the queue; when the queue is away the row waits for the sweep. Accepted means
 * committed. The same Idempotency-Key with the same request gives the same investigation; with another, an error.
 */
export async function openInvestigation(
  context: OpenContext,
  request: OpenRequest,
  signal: AbortSignal,
): Promise<{ investigation: Investigation; created: boolean }> {
  const unknown = request.detectors?.filter((id) => !registry.some((detector) => detector.id === id)) ?? [];
  if (unknown.length > 0) {
    const known = registry.map((detector) => detector.id).join(", ");
    throw new AppError("invalid_request", `Detector desconhecido: ${unknown.join(", ")}. Existem: ${known}.`);
  }
  const { idempotencyKey, ...given } = request;
  const asked = { ...given, query: given.query === null ? null : maskCpfsInText(given.query) };
  const requestHash = sha256(JSON.stringify(asked));
  const idempotencyHash = idempotencyKey === null ? null : sha256(idempotencyKey);
  if (asked.scope === null && idempotencyHash !== null) {
    // Whatever its question would ask for today: what a key has opened stays as it was.
    const known = await findByIdempotencyHash(context.store, idempotencyHash, signal);
    if (known) return { investigation: sameRequest(known, requestHash), created: false };
  }
  const scope = asked.scope ?? (await scopeOf(context, asked.query, signal));
  const row = { ...asked, scope, requestHash, idempotencyHash };
  const { investigation, created } = await insertAdmitted(context, row, signal);
  if (!created) return { investigation: sameRequest(investigation, requestHash), created };
  await enqueueInvestigation(context, investigation);
  return { investigation, created };
}

function sameRequest(investigation: Investigation, requestHash: string): Investigation {
  if (investigation.requestHash === requestHash) return investigation;
  throw new AppError(
    "idempotency_key_reused",
    "Esta Idempotency-Key já abriu uma investigação com outro corpo. Use uma chave nova para um pedido novo.",
  );
}

async function scopeOf(context: OpenContext, query: string | null, signal: AbortSignal): Promise<InvestigationScope> {
  if (query === null)
    throw new AppError("invalid_request", "Diga o que investigar: uma pergunta (query) ou um alcance (scope).");
  return resolveQuestion(context, { question: query, today: localDay(new Date()) }, signal);
}

/** What a key has opened before is answered in any case: only new work is refused. */
async function insertAdmitted(context: OpenContext, row: NewInvestigation, signal: AbortSignal) {
  try {
    await context.admit?.(row.priority, signal);
  } catch (error) {
    const { idempotencyHash } = row;
    const known = idempotencyHash === null ? null : await findByIdempotencyHash(context.store, idempotencyHash, signal);
    if (known) return { investigation: known, created: false };
    throw error;
  }
  return insertInvestigation(context.store, row, signal);
}

/** A refused enqueue is no failure of the caller: the row is marked for the sweep, or found by it after its grace. */
export async function enqueueInvestigation(
  context: OpenContext,
  investigation: { id: string; fence: number; priority: InvestigationPriority },
): Promise<boolean> {
  const { id, fence, priority } = investigation;
  try {
    const options = { timeoutMs: ENQUEUE_TIMEOUT_MS, priority: jobPriorities[priority] };
    await context.enqueue("run-investigation", { investigationId: id, fence }, options);
    return true;
  } catch (error) {
    context.logger.warn({ investigation: id, error: messageOf(error) }, "not enqueued; the sweep will do it");
    markUnqueued(context.store, id, AbortSignal.timeout(MARK_TIMEOUT_MS)).catch((problem: unknown) =>
      context.logger.warn({ investigation: id, error: messageOf(problem) }, "not marked; the sweep finds it later"),
    );
    return false;
  }
}

const MARK_TIMEOUT_MS = 5_000;

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
