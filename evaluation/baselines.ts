import { quantile } from "@cidadao/detectors/statistics";
import { wordsOf } from "@cidadao/detectors/text";
import type { Contract } from "@cidadao/domain/contract";
import type { Dataset } from "@cidadao/domain/dataset";
import { daysBetween } from "@cidadao/domain/dates";
import { recordKey } from "@cidadao/domain/provenance";
import { type DataObject, IsolationForest } from "isolation-forest";
import { similarPairs } from "./similar-pairs.ts";
import { createRandom } from "@cidadao/detectors/seeded-random";

/** What people rank contracts by today. */
export type Baseline = {
  /** In Portuguese, for the page. */
  name: string;
  /** Keys of the contracts that it flags, or of all where it scores only, the most suspicious first. */
  rank: (dataset: Dataset) => string[];
  scoresOnly?: true;
};

export const baselines: readonly Baseline[] = [
  { name: "z > 3", rank: ({ contracts }) => ranked(plainZ(contracts, 3)) },
  { name: "IQR", rank: ({ contracts }) => ranked(beyondFence(contracts)) },
  { name: "regra de abertura anterior", rank: ({ contracts }) => ranked(openingScore(contracts)) },
  { name: "detectores anteriores", rank: ({ contracts }) => ranked(formerSeverity(contracts)) },
  { name: "isolation forest", rank: ({ contracts }) => ranked(isolation(contracts)), scoresOnly: true },
];

/** The more suspicious, the higher; equal scores by value, then by key. */
type Scores = Map<Contract, number>;

function ranked(scores: Scores): string[] {
  return [...scores]
    .map(([contract, score]) => ({ key: recordKey(contract.provenance), value: valueOf(contract) ?? 0, score }))
    .toSorted((a, b) => b.score - a.score || b.value - a.value || (a.key < b.key ? -1 : 1))
    .map(({ key }) => key);
}

function valueOf({ initialValueCents }: Contract): number | null {
  return initialValueCents;
}

/** Distance from the mean of all raw values, in standard deviations. */
function plainZ(contracts: readonly Contract[], limit: number): Scores {
  const { mean, deviation } = momentsOf(contracts.flatMap((one) => valueOf(one) ?? []));
  return scoresOf(contracts, (one) => {
    const z = ((valueOf(one) ?? mean) - mean) / deviation;
    return z > limit ? z : null;
  });
}

/** Tukey's fence over all raw values. */
function beyondFence(contracts: readonly Contract[]): Scores {
  const values = contracts.flatMap((one) => valueOf(one) ?? []);
  const [q1, q3] = [quantile(values, 0.25) ?? 0, quantile(values, 0.75) ?? 0];
  const fence = q3 + 1.5 * (q3 - q1);
  return scoresOf(contracts, (one) => {
    const distance = (valueOf(one) ?? 0) - fence;
    return distance > 0 ? distance : null;
  });
}

/**
 * The predecessor's rule for opening an investigation: above R$ 100,000 two points, a direct award three, one bidder two
 * (no source of these tells the bidders); from three points on.
 */
function openingScore(contracts: readonly Contract[]): Scores {
  return scoresOf(contracts, (one) => {
    const score = ((valueOf(one) ?? 0) > 10_000_000 ? 2 : 0) + (one.directAwardKind === null ? 0 : 3);
    return score >= 3 ? score : null;
  });
}

/**
 * The predecessor's detectors, as they were meant: a contract has the highest severity that any gives it. Price |z| > 2.5
 * over the whole set, |z| / 5; a supplier's share of an agency's value > 0.7, 1.5 × the share; a month's count of
 * contracts z > 2, z / 4; objects with a Jaccard index > 0.85 from 20 characters on, the index; initial and current
 * value apart by more than half the larger, that share. All at most 1. Its spectral rule could find nothing.
 */
function formerSeverity(contracts: readonly Contract[]): Scores {
  const severities: Scores = new Map();
  const raise = (contract: Contract, severity: number) =>
    void severities.set(contract, Math.max(severities.get(contract) ?? 0, Math.min(severity, 1)));
  raisePrices(contracts, raise);
  raiseShares(contracts, raise);
  raiseMonths(contracts, raise);
  const compared = contracts.filter(({ object }) => (object ?? "").length >= 20);
  const words = compared.map(({ object }) => wordsOf(object!));
  for (const { left, right, similarity } of similarPairs(words, 0.85)) {
    raise(compared[left]!, similarity);
    raise(compared[right]!, similarity);
  }
  for (const one of contracts) {
    const [initial, current] = [valueOf(one), one.currentValueCents];
    if (initial === null || current === null) continue;
    const share = Math.abs(initial - current) / Math.max(initial, current, 1);
    if (share > 0.5) raise(one, share);
  }
  return severities;
}

type Raise = (contract: Contract, severity: number) => void;

function raisePrices(contracts: readonly Contract[], raise: Raise): void {
  const values = contracts.flatMap((one) => valueOf(one) ?? []);
  const { mean, deviation } = momentsOf(values);
  if (values.length < 10) return;
  for (const one of contracts) {
    const z = Math.abs((valueOf(one) ?? mean) - mean) / deviation;
    if (z > 2.5) raise(one, z / 5);
  }
}

function raiseShares(contracts: readonly Contract[], raise: Raise): void {
  for (const ofAgency of Map.groupBy(contracts, ({ agencyCode }) => agencyCode).values()) {
    const total = totalOf(ofAgency);
    for (const own of Map.groupBy(ofAgency, ({ supplierId }) => supplierId).values()) {
      const share = total === 0 ? 0 : totalOf(own) / total;
      if (share > 0.7) for (const one of own) raise(one, 1.5 * share);
    }
  }
}

function raiseMonths(contracts: readonly Contract[], raise: Raise): void {
  const dated = contracts.filter(({ signedOn }) => signedOn !== null);
  const months = [...Map.groupBy(dated, ({ signedOn }) => signedOn!.slice(0, 7)).values()];
  const { mean, deviation } = momentsOf(months.map(({ length }) => length));
  if (months.length < 3 || deviation === 0) return;
  for (const month of months) {
    const z = (month.length - mean) / deviation;
    if (z > 2) for (const one of month) raise(one, z / 4);
  }
}

const TREES = 100;
const SUBSAMPLE = 256;
const SEED = 7;

/**
 * An isolation forest over what a contract tells. Version 0.0.9 of the library draws a subsample for each tree, but grows
 * the tree from all rows. So each tree here is a forest of one, grown from a subsample drawn before, and the path lengths
 * are averaged as Liu, Ting & Zhou do.
 */
function isolation(contracts: readonly Contract[]): Scores {
  const rows = featuresOf(contracts);
  if (rows.length === 0) return new Map();
  const lengths = new Float64Array(rows.length);
  const random = createRandom(SEED);
  withRandom(
    () => random.next(),
    () => {
      for (let tree = 0; tree < TREES; tree++) {
        const sample = random.shuffled(rows).slice(0, SUBSAMPLE);
        const forest = new IsolationForest(1, SUBSAMPLE);
        forest.fit(sample);
        // A score is 2 to the power of minus the path length, in units that are the same for every tree.
        for (const [index, score] of forest.predict(rows).entries()) lengths[index]! -= Math.log2(score);
      }
    },
  );
  return new Map(contracts.map((one, index) => [one, -lengths[index]! / TREES]));
}

/** The library draws from Math.random: it is replaced while it runs, so that every run gives the same ranking. */
function withRandom(next: () => number, run: () => void): void {
  const original = Math.random;
  Math.random = next;
  try {
    run();
  } finally {
    Math.random = original;
  }
}

function featuresOf(contracts: readonly Contract[]): DataObject[] {
  const codes = new Map<string, number>();
  const codeOf = (text: string | null) => {
    const code = codes.get(text ?? "") ?? codes.size;
    codes.set(text ?? "", code);
    return code;
  };
  const supplierTotals = totalsBy(contracts, ({ supplierId }) => supplierId);
  const agencyTotals = totalsBy(contracts, ({ agencyCode }) => agencyCode);
  const inUnit = Map.groupBy(contracts, ({ unitCode }) => unitCode);
  const suppliersInUnit = new Map(
    [...inUnit].map(([unit, own]) => [unit, new Set(own.map(({ supplierId }) => supplierId)).size]),
  );
  const withSupplier = Map.groupBy(contracts, ({ unitCode, supplierId }) => `${unitCode}/${supplierId}`);
  return contracts.map((one) => ({
    value: Math.log1p(valueOf(one) ?? 0),
    growth: one.initialValueCents && one.currentValueCents ? one.currentValueCents / one.initialValueCents : 1,
    termDays: daysFrom(one.startsOn, one.endsOn),
    publicationLag: daysFrom(one.signedOn, one.publishedOn),
    method: codeOf(one.procurementMethodDetails),
    weekday: one.signedOn === null ? -1 : new Date(`${one.signedOn}T00:00:00Z`).getUTCDay(),
    month: one.signedOn === null ? -1 : Number(one.signedOn.slice(5, 7)),
    supplierTotal: Math.log1p(supplierTotals.get(one.supplierId)!),
    agencyTotal: Math.log1p(agencyTotals.get(one.agencyCode)!),
    suppliersInUnit: suppliersInUnit.get(one.unitCode)!,
    contractsInUnit: inUnit.get(one.unitCode)!.length,
    contractsWithSupplier: withSupplier.get(`${one.unitCode}/${one.supplierId}`)!.length,
  }));
}

function daysFrom(from: string | null, to: string | null): number {
  return from === null || to === null ? -1 : daysBetween(from, to);
}

function totalsBy(contracts: readonly Contract[], keyOf: (contract: Contract) => string): Map<string, number> {
  return new Map([...Map.groupBy(contracts, keyOf)].map(([key, own]) => [key, totalOf(own)]));
}

function totalOf(contracts: readonly Contract[]): number {
  return contracts.reduce((sum, one) => sum + (valueOf(one) ?? 0), 0);
}

/** `null` leaves a contract out. */
function scoresOf(contracts: readonly Contract[], scoreOf: (contract: Contract) => number | null): Scores {
  return new Map(
    contracts.flatMap((one) => {
      const score = scoreOf(one);
      return score === null ? [] : [[one, score] as const];
    }),
  );
}

function momentsOf(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) };
}
