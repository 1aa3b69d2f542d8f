import { type Contracts, keyText, numberText } from "./frame/contracts.ts";
import { NONE } from "./frame/dictionary.ts";
import { groupRowsByTable, type RowGroups } from "./frame/group-rows.ts";
import { once } from "./frame/once.ts";

/** All rows of one supplier, published again or not. */
export const rowsBySupplierOf = once((contracts: Contracts): RowGroups =>
  groupRowsByTable(contracts.supplier, contracts.suppliersSize),
);

/**
 * 0 for every row that publishes again a contract of another row: same unit, number, supplier, day and value. Of such
 * rows the one whose key sorts first counts as the contract. Computed once a frame, supplier by supplier.
 */
export const firstPublicationsOf = once((contracts: Contracts): Uint8Array => {
  const isFirst = new Uint8Array(contracts.size).fill(1);
  const suppliers = rowsBySupplierOf(contracts);
  let slots = new Int32Array(SLOTS_MIN);
  for (let group = 0; group < suppliers.count; group++) {
    const [from, to] = [suppliers.start[group]!, suppliers.start[group + 1]!];
    if (to - from < 2) continue;
    while (slots.length < 2 * (to - from)) slots = new Int32Array(2 * slots.length);
    const mask = 2 ** Math.ceil(Math.log2(2 * (to - from))) - 1;
    slots.fill(NONE, 0, mask + 1);
    for (let index = from; index < to; index++) markRow(suppliers.rows[index]!, mask);
  }
  return isFirst;

  function markRow(row: number, mask: number): void {
    const hash = hashOf(contracts, row);
    let slot = hash & mask;
    if (slots[slot] !== NONE && !isSame(contracts, row, slots[slot]!)) {
      // Thousands may differ in nothing but the number; where the rest tells rows apart, no number is read.
      slot = hashOfText(numberText(contracts, row), hash) & mask;
      while (slots[slot] !== NONE && !isSame(contracts, row, slots[slot]!)) slot = (slot + 1) & mask;
    }
    const other = slots[slot]!;
    if (other === NONE) {
      slots[slot] = row;
      return;
    }
    const isBefore = keyText(contracts, row) < keyText(contracts, other);
    isFirst[isBefore ? other : row] = 0;
    if (isBefore) slots[slot] = row;
  }
});

const SLOTS_MIN = 64;

function isSame(contracts: Contracts, a: number, b: number): boolean {
  const { unit, supplierId, signedOn, initialValue } = contracts;
  return (
    unit[a] === unit[b] &&
    supplierId[a] === supplierId[b] &&
    signedOn[a] === signedOn[b] &&
    Object.is(initialValue[a], initialValue[b]) &&
    numberText(contracts, a) === numberText(contracts, b)
  );
}

function hashOf({ unit, supplierId, signedOn, initialValue }: Contracts, row: number): number {
  const value = initialValue[row]!;
  const cents = value === value ? value : -1;
  let hash = Math.imul(unit[row]! + 1, 0x9e37_79b1) ^ Math.imul(supplierId[row]! + 1, 0x85eb_ca6b);
  hash ^= Math.imul(signedOn[row]! + 1, 0xc2b2_ae35) ^ Math.imul(cents | 0, 0x27d4_eb2f);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b_3c6d) ^ (hash >>> 13);
}

function hashOfText(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
  hash ^= hash >>> 16;
  return Math.imul(hash, 0x85eb_ca6b) ^ (hash >>> 13);
}
