import type { Contract } from "@cidadao/domain/contract";
import { jaccard } from "@cidadao/detectors/statistics";
import { wordsOf } from "@cidadao/detectors/text";

/*
 * What a plain script does: for each contract, look at all the others. Three of the questions only, so that the
 * comparison favours it; every answer is a count, so that nothing is optimised away.
 */

export function naiveDetectors(contracts: readonly Contract[]): number {
  return contracts.reduce(
    (sum, contract) =>
      sum +
      Number(isPriceOutlier(contract, contracts)) +
      Number(isConcentrated(contract, contracts)) +
      Number(isSplit(contract, contracts)),
    0,
  );
}

function isPriceOutlier(contract: Contract, contracts: readonly Contract[]): boolean {
  const peers = contracts.filter(
    (other) =>
      other.procurementMethodDetails === contract.procurementMethodDetails && (other.initialValueCents ?? 0) > 0,
  );
  if (peers.length < 30) return false;
  const logarithms = peers.map((other) => Math.log(other.initialValueCents!)).sort((a, b) => a - b);
  const middle = logarithms[logarithms.length >> 1]!;
  const deviation = logarithms.map((value) => Math.abs(value - middle)).sort((a, b) => a - b)[logarithms.length >> 1]!;
  return deviation > 0 && (0.6745 * (Math.log(contract.initialValueCents ?? 1) - middle)) / deviation > 3.5;
}

function isConcentrated(contract: Contract, contracts: readonly Contract[]): boolean {
  const market = contracts.filter(
    (other) =>
      other.agencyCode === contract.agencyCode && other.signedOn?.slice(0, 4) === contract.signedOn?.slice(0, 4),
  );
  const valueOf = (some: readonly Contract[]) => some.reduce((sum, other) => sum + (other.initialValueCents ?? 0), 0);
  return (
    market.length >= 10 &&
    valueOf(market.filter((other) => other.supplierId === contract.supplierId)) >= 0.4 * valueOf(market)
  );
}

function isSplit(contract: Contract, contracts: readonly Contract[]): boolean {
  if (contract.directAwardKind !== "waived") return false;
  const group = contracts.filter(
    (other) =>
      other.directAwardKind === "waived" &&
      other.unitCode === contract.unitCode &&
      other.supplierId === contract.supplierId &&
      other.signedOn?.slice(0, 4) === contract.signedOn?.slice(0, 4),
  );
  const total = group.reduce((sum, other) => sum + (other.initialValueCents ?? 0), 0);
  return group.length > 1 && group.every((other) => (other.initialValueCents ?? 0) < 5_990_602) && total > 5_990_602;
}

/** Every contract against every other: how many pairs of alike texts there are. */
export function quadraticDuplicates(contracts: readonly Contract[]): number {
  const words = contracts.map(({ object }) => wordsOf(object ?? ""));
  let alike = 0;
  for (let b = 1; b < contracts.length; b++) {
    for (let a = 0; a < b; a++) if (jaccard(words[a]!, words[b]!) >= 0.85) alike++;
  }
  return alike;
}
