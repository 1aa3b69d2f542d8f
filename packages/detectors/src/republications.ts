import type { Contracts } from "./frame/contracts.ts";

const memory = new WeakMap<Contracts, Uint8Array>();

/**
 * 1 for every row that publishes again a contract of another row: same unit, number, supplier, day and value. Of such
 * rows the one whose key sorts first counts as the contract. Computed once a frame.
 */
export function republicationsOf(contracts: Contracts): Uint8Array {
  const known = memory.get(contracts);
  if (known) return known;
  const republished = new Uint8Array(contracts.size);
  const firstByHash = new Map<number, number>();
  for (let row = 0; row < contracts.size; row++) {
    let hash = hashOf(contracts, row);
    for (let other = firstByHash.get(hash); ; other = firstByHash.get(++hash)) {
      if (other === undefined) {
        firstByHash.set(hash, row);
        break;
      }
      if (!isSame(contracts, row, other)) continue;
      const isFirst = contracts.keyText(row) < contracts.keyText(other);
      republished[isFirst ? other : row] = 1;
      if (isFirst) firstByHash.set(hash, row);
      break;
    }
  }
  memory.set(contracts, republished);
  return republished;
}

function isSame(contracts: Contracts, a: number, b: number): boolean {
  const { unit, supplierId, signedOn, initialValue, numbers } = contracts;
  return (
    unit[a] === unit[b] &&
    supplierId[a] === supplierId[b] &&
    signedOn[a] === signedOn[b] &&
    Object.is(initialValue[a], initialValue[b]) &&
    numbers[a] === numbers[b]
  );
}

function hashOf(contracts: Contracts, row: number): number {
  const value = contracts.initialValue[row]!;
  const cents = value === value ? value : -1;
  let hash = Math.imul(contracts.unit[row]! + 1, 0x9e3779b1) ^ Math.imul(contracts.supplierId[row]! + 1, 0x85ebca6b);
  hash ^= Math.imul(contracts.signedOn[row]! + 1, 0xc2b2ae35) ^ Math.imul(cents | 0, 0x27d4eb2f);
  return (hash >>> 0) * 2 ** 20 + (Math.abs(cents) % 2 ** 20);
}
