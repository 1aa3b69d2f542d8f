import { readBacklog } from "@cidadao/database/investigations";
import type { Store } from "@cidadao/database/store";
import type { InvestigationPriority } from "@cidadao/domain/investigation";
import { AppError } from "@cidadao/runtime/errors";

export type AdmissionLimits = {
  /** From so many waiting on, only what is urgent is taken; from twice as many nothing is. */
  waitingMax: number;
  /** While the oldest has waited for so long, only what is urgent is taken. */
  waitSecondsMax: number;
};

export type Admission = (priority: InvestigationPriority, signal: AbortSignal) => Promise<void>;

/** One question a second answers for all requests of that second. */
const FRESH_MS = 1_000;
const RETRY_SECONDS_MAX = 600;
/** Where nothing has ended in the last minute nobody knows when to come back. */
const RETRY_SECONDS_UNKNOWN = 60;

/** Refuses work that would only wait: 429 for what is not urgent, 503 for everything when it is far too much. */
export function createAdmission(context: { store: Store; limits: AdmissionLimits }): Admission {
  const { waitingMax, waitSecondsMax } = context.limits;
  let known: { at: number; backlog: ReturnType<typeof readBacklog> } | null = null;
  return async (priority, signal) => {
    const now = performance.now();
    if (known === null || now - known.at > FRESH_MS) {
      known = { at: now, backlog: readBacklog(context.store, signal) };
      known.backlog.catch(() => (known = null)); // whoever asked hears of it; the next one asks anew
    }
    const { waiting, oldestSeconds, endedLastMinute } = await known.backlog;
    const tooMany = waiting - waitingMax;
    if (tooMany < 0 && oldestSeconds < waitSecondsMax) return;
    const perSecond = endedLastMinute / 60;
    const drain = perSecond > 0 ? Math.ceil(Math.max(tooMany, 1) / perSecond) : RETRY_SECONDS_UNKNOWN;
    const retryAfterSeconds = Math.min(Math.max(drain, 1), RETRY_SECONDS_MAX);
    const what = `${waiting} investigações esperam, a mais antiga há ${oldestSeconds} s.`;
    if (waiting >= 2 * waitingMax) throw new AppError("overloaded", `Sobrecarga: ${what}`, { retryAfterSeconds });
    if (priority === "critical" || priority === "high") return;
    throw new AppError("backlog_full", `${what} Volte em ${retryAfterSeconds} s.`, { retryAfterSeconds });
  };
}
