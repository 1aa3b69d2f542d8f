import type { Risk } from "@cidadao/domain/dataset";
import type { Concern } from "./define-detector.ts";
import type { Contracts } from "./frame/contracts.ts";
import type { Frame } from "./frame/frame.ts";
import type { DetectorRun } from "./run-detectors.ts";
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
  const scores = new Map<number, Map<string, number>>();
  for (const { detector, raised } of concerned) {
    for (const { rows, score } of raised) {
      for (let index = 0; index < rows.length; index++) {
        const entity = entityOf(rows[index]!);
        const own = scores.get(entity) ?? new Map<string, number>();
        own.set(detector.id, Math.max(own.get(detector.id) ?? 0, score));
        scores.set(entity, own);
      }
    }
  }
  const ranked = [...scores]
    .map(([entity, own]) => ({
      entity,
      fired: [...own.keys()].toSorted(),
      risk: round4(
        10 * (1 - [...own.values()].toSorted((a, b) => a - b).reduce((rest, score) => rest * (1 - score), 1)),
      ),
    }))
    .map((one) => ({ ...one, id: idOf(kind, contracts, one.entity) }))
    .sort((a, b) => b.risk - a.risk || (a.id < b.id ? -1 : 1))
    .slice(0, RISKS_MAX);
  const wanted = new Uint8Array(Math.max(contracts.size, contracts.suppliersSize, contracts.codesSize));
  for (const { entity } of ranked) wanted[entity] = 1;
  const available = countAvailable(wanted, entityOf, concerned);
  const names = namesOf(kind, contracts, entityOf, wanted);
  return ranked.map(({ entity, id, fired, risk }) => ({
    kind,
    id,
    name: names.get(entity) ?? id,
    risk,
    fired,
    available: available.get(entity) ?? 0,
  }));
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
function namesOf(kind: Concern, contracts: Contracts, entityOf: (row: number) => number, wanted: Uint8Array) {
  const names = new Map<number, string>();
  for (let row = 0; row < contracts.size; row++) {
    const entity = entityOf(row);
    if (wanted[entity] === 0) continue;
    const name =
      kind === "contract"
        ? `Contrato ${contracts.numberText(row)} — ${contracts.nameText(contracts.unitName[row]!)}`
        : contracts.nameText(kind === "supplier" ? contracts.supplierName[row]! : contracts.agencyName[row]!);
    const known = names.get(entity);
    if (known === undefined || name < known) names.set(entity, name);
  }
  return names;
}

/** For each wanted entity, how many detectors could say something about at least one of its contracts. */
function countAvailable(wanted: Uint8Array, entityOf: (row: number) => number, runs: readonly DetectorRun[]) {
  const counts = new Map<number, number>();
  for (const { available } of runs) {
    const seen = wanted.slice();
    for (let row = 0; row < available.length; row++) {
      const entity = entityOf(row);
      if (available[row] === 0 || seen[entity] === 0) continue;
      seen[entity] = 0;
      counts.set(entity, (counts.get(entity) ?? 0) + 1);
    }
  }
  return counts;
}
