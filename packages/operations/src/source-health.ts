import { storeProbe } from "@cidadao/database/scheduled-work";
import type { Store } from "@cidadao/database/store";
import type { ApiStatus } from "@cidadao/domain/coverage";
import { isTimeout } from "@cidadao/runtime/deadline";
import { AppError, messageOf } from "@cidadao/runtime/errors";

/** A source as this process is configured to ask it. */
export type ProbedSource = {
  id: string;
  name: string;
  probeRecordsMin: number;
  probe: (signal: AbortSignal) => Promise<{ records: number; sample: string | null }>;
};

export type ProbeResult = {
  source: string;
  status: ApiStatus;
  isUp: boolean;
  records: number | null;
  sample: string | null;
  /** Waiting for this system's own turn at the source included. */
  durationMs: number;
  problem: string | null;
};

const PROBE_TIMEOUT_MS = 45_000;

/** Asks every source one cheap question and stores what came. Fails, naming them, when any of them is not well. */
export async function probeSources(
  context: { store: Store; probedSources: ProbedSource[] },
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const results = await Promise.all(
    context.probedSources.map(async (source) => {
      const { status: _, ...probe } = await probeSource(source, signal);
      await storeProbe(context.store, probe, signal);
      return probe;
    }),
  );
  const down = results.filter(({ isUp }) => !isUp);
  if (down.length > 0)
    throw new Error(`fontes com problema: ${down.map(({ source, problem }) => `${source}: ${problem}`).join("; ")}`);
  return {
    sources: results.map(({ source, records, durationMs, sample }) => ({ source, records, durationMs, sample })),
  };
}

/** One cheap question to one source. Whatever it answers is the result; only the signal makes it reject. */
export async function probeSource(source: ProbedSource, signal: AbortSignal): Promise<ProbeResult> {
  const startedAt = performance.now();
  const answer = await source.probe(AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)])).then(
    ({ records, sample }) => {
      const isWhole = records >= source.probeRecordsMin;
      return {
        records,
        sample,
        status: isWhole ? ("operational" as const) : ("partial" as const),
        problem: isWhole ? null : `gave ${records} rows, at least ${source.probeRecordsMin} expected`,
      };
    },
    (error: unknown) => ({ records: null, sample: null, status: failureOf(error), problem: messageOf(error) }),
  );
  signal.throwIfAborted();
  const durationMs = Math.round(performance.now() - startedAt);
  return { source: source.id, isUp: answer.problem === null, durationMs, ...answer };
}

function failureOf(error: unknown): ApiStatus {
  if (isTimeout(error) || (error instanceof AppError && error.code === "deadline_exceeded")) return "timeout";
  return error instanceof AppError && error.code === "source_unavailable" ? "down" : "error";
}
