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
  const { count, entityOf } = entityReaders[kind](contracts);
  const concerned = runs.filter(({ detector }) => detector.concerns.includes(kind));
  const isListed = candidatesOf(concerned, { count, entityOf });
  const found = new Map<number, { fired: string[]; scores: number[] }>();
  for (const { detector, raised } of concerned) {
    const scores = new Map<number, number>();
    overEntities(raised, entityOf, (entity, score) => {
      if (isListed[entity] === 1 && score > (scores.get(entity) ?? -1)) scores.set(entity, score);
    });
    for (const [entity, score] of scores) {
      const own = found.get(entity) ?? { fired: [], scores: [] };
      own.fired.push(detector.id);
      own.scores.push(score);
      found.set(entity, own);
    }
  }
  const listed = [...found]
    .map(([entity, { fired, scores }]) => ({
      entity,
      fired,
      risk: compositeOf(scores),
      id: idOf(kind, contracts, entity),
    }))
    .sort((a, b) => b.risk - a.risk || (a.id < b.id ? -1 : 1))
    .slice(0, RISKS_MAX);
  const rows = rowsOfEntities(contracts, { count, entityOf }, listed);
  return listed.map(({ entity, id, fired, risk }) => ({
    kind,
    id,
    name: nameOf(kind, contracts, rows.get(entity)!),
    risk,
    fired: fired.toSorted(),
    available: concerned.filter(({ available }) => rows.get(entity)!.some((row) => available[row] === 1)).length,
  }));
}

/** Entities of one kind are numbered below `count`. */
type Entities = { count: number; entityOf: (row: number) => number };

/**
 * 1 for the entities that can be among the listed: whose risk is not below that of the last of them. The ids and the
 * detectors of a million others are not needed for that.
 */
function candidatesOf(runs: readonly DetectorRun[], { count, entityOf }: Entities): Uint8Array {
  const rest = new Float64Array(count).fill(1);
  const gravest = new Float64Array(count);
  const seen: number[] = [];
  for (const { raised } of runs) {
    seen.length = 0;
    overEntities(raised, entityOf, (entity, score) => {
      if (gravest[entity] === 0) seen.push(entity);
      if (score > gravest[entity]!) gravest[entity] = score;
    });
    for (const entity of seen) {
      // A score of zero is met again and again; it changes nothing.
      rest[entity] = rest[entity]! * (1 - gravest[entity]!);
      gravest[entity] = 0;
    }
  }
  const last = rest.filter((one) => one < 1).sort()[RISKS_MAX - 1] ?? 1;
  const isListed = new Uint8Array(count);
  for (let entity = 0; entity < count; entity++) if (rest[entity]! <= last + ROUNDING) isListed[entity] = 1;
  return isListed;
}

/** More than the rounding of a risk to four decimals, and than the order of a product, can change. */
const ROUNDING = 1e-4;

function overEntities(
  raised: readonly Raised[],
  entityOf: (row: number) => number,
  visit: (entity: number, score: number) => void,
): void {
  for (const { rows, score } of raised) {
    let seen = -1;
    for (let index = 0; index < rows.length; index++) {
      const entity = entityOf(rows[index]!);
      // Rows of a group mostly belong to one entity.
      if (entity !== seen) visit(entity, score);
      seen = entity;
    }
  }
}

function compositeOf(scores: number[]): number {
  const rest = scores.toSorted((a, b) => a - b).reduce((product, score) => product * (1 - score), 1);
  return round4(10 * (1 - rest));
}

function rowsOfEntities(
  { size }: Contracts,
  { count, entityOf }: Entities,
  listed: readonly { entity: number }[],
): Map<number, number[]> {
  const rows = new Map<number, number[]>(listed.map(({ entity }) => [entity, []]));
  const isListed = new Uint8Array(count);
  for (const { entity } of listed) isListed[entity] = 1;
  if (listed.length > 0) {
    for (let row = 0; row < size; row++) if (isListed[entityOf(row)] === 1) rows.get(entityOf(row))!.push(row);
  }
  return rows;
}

const entityReaders: Record<Concern, (contracts: Contracts) => Entities> = {
  contract: ({ size }) => ({ count: size, entityOf: (row) => row }),
  supplier: ({ supplier, suppliersSize }) => ({ count: suppliersSize, entityOf: (row) => supplier[row]! }),
  agency: ({ agency, codesSize }) => ({ count: codesSize, entityOf: (row) => agency[row]! }),
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
  if (kind === "contract") {
    const row = rows[0]!;
    return `Contrato ${contracts.numberText(row)} — ${contracts.nameText(contracts.unitName[row]!)}`;
  }
  const column = kind === "supplier" ? contracts.supplierName : contracts.agencyName;
  const names = Array.from(new Set(rows.map((row) => column[row]!)), contracts.nameText);
  return names.reduce((first, name) => (name < first ? name : first));
}
