import type { Risk } from "@cidadao/domain/dataset";
import type { Concern } from "./define-detector.ts";
import type { DetectorRun, Raised } from "./detector-run.ts";
import { codeText, type Contracts, keyText, nameText, numberText, supplierText } from "./frame/contracts.ts";
import type { Frame } from "./frame/frame.ts";
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
  const entities = entitiesOf(kind, contracts);
  const concerned = runs.filter(({ detector }) => detector.concerns.includes(kind));
  const listed: Listed[] = [];
  for (const [entity, { fired, scores }] of foundOf(concerned, entities)) {
    listed.push({ entity, fired, risk: compositeOf(scores), id: idOf(kind, contracts, entity) });
  }
  listed.sort(byRisk).splice(RISKS_MAX);
  const rows = rowsOfEntities(entities, listed);
  return listed.map(({ entity, id, fired, risk }) => ({
    kind,
    id,
    name: nameOf(kind, contracts, rows.get(entity)!),
    risk,
    fired: fired.toSorted(),
    available: concerned.filter(({ available }) => rows.get(entity)!.some((row) => available[row] === 1)).length,
  }));
}

type Listed = { entity: number; id: string; fired: string[]; risk: number };

function byRisk(a: Listed, b: Listed): number {
  return b.risk - a.risk || (a.id < b.id ? -1 : 1);
}

/** Of the entities that can be among the listed: the detectors that raised them, and the gravest score of each. */
function foundOf(runs: readonly DetectorRun[], entities: Entities): Map<number, { fired: string[]; scores: number[] }> {
  const found = new Map<number, { fired: string[]; scores: number[] }>();
  const isListed = candidatesOf(runs, entities);
  const gravest = new Float64Array(entities.count).fill(UNSEEN);
  for (const { detector, raised } of runs) {
    for (const entity of raiseGravest(gravest, raised, entities)) {
      if (isListed[entity] === 1) {
        const own = found.get(entity) ?? { fired: [], scores: [] };
        own.fired.push(detector.id);
        own.scores.push(gravest[entity]!);
        found.set(entity, own);
      }
      gravest[entity] = UNSEEN;
    }
  }
  return found;
}

/** Entities of one kind are numbered below `count`; `ofRow` has that of each contract. */
type Entities = { count: number; ofRow: Int32Array };

function entitiesOf(kind: Concern, contracts: Contracts): Entities {
  switch (kind) {
    case "contract":
      return { count: contracts.size, ofRow: numbersBelow(contracts.size) };
    case "supplier":
      return { count: contracts.suppliersSize, ofRow: contracts.supplier };
    case "agency":
      return { count: contracts.codesSize, ofRow: contracts.agency };
  }
}

function numbersBelow(count: number): Int32Array {
  const numbers = new Int32Array(count);
  for (let number = 0; number < count; number++) numbers[number] = number;
  return numbers;
}

/**
 * 1 for the entities that can be among the listed: whose risk is not below that of the last of them. The ids and the
 * detectors of a million others are not needed for that.
 */
function candidatesOf(runs: readonly DetectorRun[], entities: Entities): Uint8Array {
  const rest = new Float64Array(entities.count).fill(1);
  const gravest = new Float64Array(entities.count).fill(UNSEEN);
  for (const { raised } of runs) {
    for (const entity of raiseGravest(gravest, raised, entities)) {
      rest[entity] = rest[entity]! * (1 - gravest[entity]!);
      gravest[entity] = UNSEEN;
    }
  }
  const last = rest.filter((one) => one < 1).sort()[RISKS_MAX - 1] ?? 1;
  const isListed = new Uint8Array(entities.count);
  for (let entity = 0; entity < entities.count; entity++) if (rest[entity]! <= last + ROUNDING) isListed[entity] = 1;
  return isListed;
}

/** More than the rounding of a risk to four decimals, and than the order of a product, can change. */
const ROUNDING = 1e-4;

const UNSEEN = -1;

/** Puts the gravest score of each entity in `gravest`, all `UNSEEN` before, and returns those with one, each once. */
function raiseGravest(gravest: Float64Array, raised: readonly Raised[], { ofRow }: Entities): number[] {
  const seen: number[] = [];
  for (const { rows, score } of raised) {
    for (let index = 0; index < rows.length; index++) {
      const entity = ofRow[rows[index]!]!;
      if (gravest[entity] === UNSEEN) seen.push(entity);
      if (score > gravest[entity]!) gravest[entity] = score;
    }
  }
  return seen;
}

function compositeOf(scores: number[]): number {
  let rest = 1;
  for (const score of scores.sort(ascending)) rest *= 1 - score;
  return round4(10 * (1 - rest));
}

function ascending(a: number, b: number): number {
  return a - b;
}

function rowsOfEntities({ count, ofRow }: Entities, listed: readonly { entity: number }[]): Map<number, number[]> {
  const rows = new Map<number, number[]>(listed.map(({ entity }) => [entity, []]));
  const isListed = new Uint8Array(count);
  for (const { entity } of listed) isListed[entity] = 1;
  if (listed.length > 0) {
    for (let row = 0; row < ofRow.length; row++) if (isListed[ofRow[row]!] === 1) rows.get(ofRow[row]!)!.push(row);
  }
  return rows;
}

function idOf(kind: Concern, contracts: Contracts, entity: number): string {
  switch (kind) {
    case "contract":
      return keyText(contracts, entity);
    case "supplier":
      return supplierText(contracts, entity);
    case "agency":
      return codeText(contracts, entity);
  }
}

/** Of the names that an entity goes by, the one that sorts first. */
function nameOf(kind: Concern, contracts: Contracts, rows: readonly number[]): string {
  if (kind === "contract") {
    const row = rows[0]!;
    return `Contrato ${numberText(contracts, row)} — ${nameText(contracts, contracts.unitName[row]!)}`;
  }
  const column = kind === "supplier" ? contracts.supplierName : contracts.agencyName;
  const names = Array.from(new Set(rows.map((row) => column[row]!)), (id) => nameText(contracts, id));
  return names.reduce((first, name) => (name < first ? name : first));
}
