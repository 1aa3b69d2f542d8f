import type { Risk } from "@cidadao/domain/dataset";
import type { Concern } from "./define-detector.ts";
import type { Contracts } from "./frame/contracts.ts";
import type { Frame } from "./frame/frame.ts";
import type { DetectorRun, Raised } from "./run-detectors.ts";
import { round4 } from "./score.ts";

/** The riskiest of each kind that are listed. */
const RISKS_MAX = 100;

/**
 * Composite risk = 10 × (1 − Π (1 − s_d)), over the detectors d that raised the entity, s_d being its gravest score: how
 * many independent flags there are counts, how often one of them repeats does not. Never without fired of available.
 */
export function rankRisks({ contracts }: Frame, runs: readonly DetectorRun[]): Risk[] {
  return (["contract", "supplier", "agency"] as const).flatMap((kind) => rankKind(kind, contracts, runs));
}

function rankKind(kind: Concern, contracts: Contracts, runs: readonly DetectorRun[]): Risk[] {
  const entityOf = entityReaders[kind](contracts);
  const concerned = runs.filter(({ detector }) => detector.concerns.includes(kind));
  const found = new Map<number, { fired: string[]; scores: number[] }>();
  for (const { detector, raised } of concerned) {
    for (const [entity, score] of gravestScores(raised, entityOf)) {
      const own = found.get(entity) ?? { fired: [], scores: [] };
      own.fired.push(detector.id);
      own.scores.push(score);
      found.set(entity, own);
    }
  }
  const ranked = [...found]
    .map(([entity, { fired, scores }]) => ({ entity, fired, risk: compositeOf(scores) }))
    .sort((a, b) => b.risk - a.risk);
  // The ids of a million entities are not needed to rank them; those of a tie at the end of the list are.
  const last = ranked[RISKS_MAX - 1]?.risk ?? 0;
  const listed = ranked
    .filter(({ risk }) => risk >= last)
    .map((one) => ({ ...one, id: idOf(kind, contracts, one.entity) }))
    .sort((a, b) => b.risk - a.risk || (a.id < b.id ? -1 : 1))
    .slice(0, RISKS_MAX);
  const rows = rowsOfEntities(contracts, entityOf, new Set(listed.map(({ entity }) => entity)));
  return listed.map(({ entity, id, fired, risk }) => ({
    kind,
    id,
    name: nameOf(kind, contracts, rows.get(entity)!),
    risk,
    fired: fired.toSorted(),
    available: concerned.filter(({ available }) => rows.get(entity)!.some((row) => available[row] === 1)).length,
  }));
}

function gravestScores(raised: readonly Raised[], entityOf: (row: number) => number): Map<number, number> {
  const scores = new Map<number, number>();
  for (const { rows, score } of raised) {
    let seen = -1;
    for (let index = 0; index < rows.length; index++) {
      const entity = entityOf(rows[index]!);
      // Rows of a group mostly belong to one entity.
      if (entity === seen) continue;
      seen = entity;
      const known = scores.get(entity);
      if (known === undefined || score > known) scores.set(entity, score);
    }
  }
  return scores;
}

function compositeOf(scores: number[]): number {
  const rest = scores.toSorted((a, b) => a - b).reduce((product, score) => product * (1 - score), 1);
  return round4(10 * (1 - rest));
}

function rowsOfEntities({ size }: Contracts, entityOf: (row: number) => number, wanted: ReadonlySet<number>) {
  const rows = new Map<number, number[]>([...wanted].map((entity) => [entity, []]));
  if (wanted.size > 0) for (let row = 0; row < size; row++) rows.get(entityOf(row))?.push(row);
  return rows;
}

const entityReaders: Record<Concern, (contracts: Contracts) => (row: number) => number> = {
  contract: () => (row) => row,
  supplier:
    ({ supplier }) =>
    (row) =>
      supplier[row]!,
  agency:
    ({ agency }) =>
    (row) =>
      agency[row]!,
};

function idOf(kind: Concern, contracts: Contracts, entity: number): string {
  switch (kind) {
    case "contract":
      return contracts.keyText(entity);
    case "supplier":
      return contracts.supplierText(entity);
    case "agency":
      return contracts.codeText(entity);
  }
}

/** Of the names that an entity goes by, the one that sorts first. */
function nameOf(kind: Concern, contracts: Contracts, rows: readonly number[]): string {
  const names = rows.map((row) => {
    if (kind === "contract") {
      return `Contrato ${contracts.numberText(row)} — ${contracts.nameText(contracts.unitName[row]!)}`;
    }
    return contracts.nameText(kind === "supplier" ? contracts.supplierName[row]! : contracts.agencyName[row]!);
  });
  return names.reduce((first, name) => (name < first ? name : first));
}
