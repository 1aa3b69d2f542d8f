import { storeProbe } from "@cidadao/database/scheduled-work";
import type { Store } from "@cidadao/database/store";
import { messageOf } from "@cidadao/runtime/errors";

/** A source as this process is configured to ask it. */
export type ProbedSource = {
  id: string;
  name: string;
  probeRecordsMin: number;
  probe: (signal: AbortSignal) => Promise<{ records: number; sample: string | null }>;
};

const PROBE_TIMEOUT_MS = 45_000;

/** Asks every source one cheap question and stores what came. Fails, naming them, when any of them is not well. */
export async function probeSources(
  context: { store: Store; probedSources: ProbedSource[] },
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const results = await Promise.all(
    context.probedSources.map(async (source) => {
      const startedAt = performance.now();
      const answer = await source.probe(AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)])).then(
        ({ records, sample }) => ({
          records,
          sample,
          problem:
            records < source.probeRecordsMin
              ? `gave ${records} rows, at least ${source.probeRecordsMin} expected`
              : null,
        }),
        (error: unknown) => ({ records: null, sample: null, problem: messageOf(error) }),
      );
      signal.throwIfAborted();
      const durationMs = Math.round(performance.now() - startedAt);
      const probe = { source: source.id, isUp: answer.problem === null, durationMs, ...answer };
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
