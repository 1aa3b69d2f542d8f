import type { AskedApi, CoverageSnapshot } from "@cidadao/domain/coverage";
import { federativeUnits } from "@cidadao/domain/federative-units";

export const stateStatuses = ["healthy", "degraded", "unhealthy"] as const;
type StateStatus = (typeof stateStatuses)[number];

/** The snapshot is taken every six hours: older than two of these it is no longer news. */
const STALE_MINUTES = 12 * 60;

/**
 * The map of the states as of a snapshot, in the form that the site reads. A state has the sources that name it; those
 * that cover the whole country are listed once, beside the states, and make no state look covered.
 */
export function coverageMap(snapshot: CoverageSnapshot | null, now: Date) {
  const apis = snapshot?.apis ?? [];
  const states = Object.fromEntries(
    Object.entries(federativeUnits).map(([code, name]) => {
      const own = apis.filter(({ states: covered }) => covered !== "all" && covered.includes(code));
      return [code, { name, status: statusOf(own), apis: own.map(shown) }];
    }),
  );
  const covered = Object.values(states);
  const working = covered.filter(({ apis: own }) => own.some(({ status }) => status === "operational")).length;
  const ageMinutes = snapshot === null ? 0 : Math.floor((now.getTime() - Date.parse(snapshot.takenAt)) / 60_000);
  const notes = notesOn(snapshot, ageMinutes);
  const lastUpdate = snapshot === null ? {} : { last_update: snapshot.takenAt };
  return {
    ...lastUpdate,
    summary: {
      total_states: covered.length,
      states_with_apis: covered.filter(({ apis: own }) => own.length > 0).length,
      states_working: working,
      overall_coverage_percentage: Math.round((1_000 * working) / covered.length) / 10,
      total_apis: apis.length,
      total_endpoints: apis.reduce((sum, { endpoints }) => sum + endpoints, 0),
    },
    states,
    national: apis.filter(({ states: where }) => where === "all").map(shown),
    cache_info: {
      cached: snapshot !== null,
      ...lastUpdate,
      age_minutes: Math.max(0, ageMinutes),
      ...(notes.length === 0 ? {} : { note: notes.join(" ") }),
    },
  };
}

function statusOf(apis: AskedApi[]): StateStatus {
  if (apis.length > 0 && apis.every(({ status }) => status === "operational")) return "healthy";
  return apis.some(({ status }) => status === "operational" || status === "partial") ? "degraded" : "unhealthy";
}

function shown({ name, url, endpoints, status, responseTimeMs, problem }: AskedApi) {
  return {
    name,
    url,
    endpoints,
    status,
    response_time_ms: responseTimeMs,
    ...(problem === null ? {} : { error: problem }),
  };
}

function notesOn(snapshot: CoverageSnapshot | null, ageMinutes: number): string[] {
  if (snapshot === null) {
    return [
      "Nenhuma fonte foi consultada ainda: a primeira medição vem com a primeira execução da agenda coverage-map. Até lá nenhum estado aparece como coberto.",
    ];
  }
  const samples = snapshot.apis.flatMap(({ name, sample }) => (sample === null ? [] : [`${name} (${sample})`]));
  return [
    "Um estado sem fonte própria aparece como unhealthy e sem APIs; as fontes do país inteiro estão em national.",
    ...(ageMinutes > STALE_MINUTES ? ["A medição é antiga: as execuções seguintes não terminaram."] : []),
    ...(snapshot.off.length > 0 ? [`Desligadas nesta instalação e não consultadas: ${snapshot.off.join(", ")}.`] : []),
    ...(samples.length > 0 ? [`Respostas gravadas, não de hoje: ${samples.join("; ")}.`] : []),
  ];
}
