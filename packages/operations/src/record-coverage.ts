import { storeCoverageSnapshot } from "@cidadao/database/coverage-snapshots";
import type { Store } from "@cidadao/database/store";
import type { AskedApi } from "@cidadao/domain/coverage";
import { type ProbedSource, probeSource } from "./source-health.ts";

/** A source that is somewhere on the map: of the whole country, or of the states that it names. */
export type MappedSource = ProbedSource & {
  address: string;
  coverage: { states: "all" | string[] };
  resources: Record<string, unknown>;
};

const KEEP_DAYS = 90;

/**
 * Asks every source that covers a state one cheap question, all at once, and stores the answers as one snapshot. How they
 * answered is the result, not the success: that a source is down is on the map, and told of by the probes of every hour.
 */
export async function recordCoverage(
  context: { store: Store; probedSources: MappedSource[]; sourcesOff: string[] },
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const mapped = context.probedSources.filter(({ coverage }) => coverage.states.length > 0);
  const apis = await Promise.all(
    mapped.map(async (source): Promise<AskedApi> => {
      const { status, durationMs, problem, sample } = await probeSource(source, signal);
      return {
        source: source.id,
        name: source.name,
        url: source.address,
        endpoints: Object.keys(source.resources).length,
        states: source.coverage.states,
        status,
        responseTimeMs: durationMs,
        problem,
        sample,
      };
    }),
  );
  await storeCoverageSnapshot(context.store, { apis, off: context.sourcesOff, keepDays: KEEP_DAYS }, signal);
  return { sources: apis.map(({ source, status }) => ({ source, status })), off: context.sourcesOff };
}
