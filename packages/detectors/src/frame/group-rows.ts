/** Rows by group, each group's rows together: those of group g are `rows[start[g]]` to `rows[start[g + 1] - 1]`, ascending. */
export type RowGroups = {
  count: number;
  start: Int32Array;
  rows: Int32Array;
  /** Group of each row; -1 for a row that is in none. */
  groupOf: Int32Array;
  rowsOf(group: number): Int32Array;
};

/** Groups the rows 0 to `size - 1` by a whole number below 2^53; a negative key leaves a row out. */
export function groupRows(size: number, keyOf: (row: number) => number): RowGroups {
  const table = createKeyTable();
  const groupOf = new Int32Array(size);
  for (let row = 0; row < size; row++) {
    const key = keyOf(row);
    groupOf[row] = key < 0 ? -1 : table.numberOf(key);
  }
  return inGroups(groupOf, table.size());
}

/** Each group apart by a number of its rows; a negative key leaves a row out. No table is asked: groups are mostly small. */
export function splitGroups(groups: RowGroups, keyOf: (row: number) => number): RowGroups {
  const groupOf = new Int32Array(groups.groupOf.length).fill(-1);
  const keys: number[] = [];
  let count = 0;
  for (let group = 0; group < groups.count; group++) {
    keys.length = 0;
    const byKey = groupSize(groups, group) > SCANNED_MAX ? new Map<number, number>() : null;
    for (let index = groups.start[group]!; index < groups.start[group + 1]!; index++) {
      const row = groups.rows[index]!;
      const key = keyOf(row);
      if (key < 0) continue;
      let place = byKey ? (byKey.get(key) ?? -1) : keys.indexOf(key);
      if (place === -1) {
        place = keys.push(key) - 1;
        byKey?.set(key, place);
      }
      groupOf[row] = count + place;
    }
    count += keys.length;
  }
  return inGroups(groupOf, count);
}

/** Different keys of a group of this many rows are found by looking at each. */
const SCANNED_MAX = 16;

/** As `groupRows`, for keys below `keys`: a table takes the place of the search. */
export function groupRowsByTable(size: number, keys: number, keyOf: (row: number) => number): RowGroups {
  const groups = new Int32Array(keys).fill(-1);
  const groupOf = new Int32Array(size);
  let count = 0;
  for (let row = 0; row < size; row++) {
    const key = keyOf(row);
    if (key < 0) {
      groupOf[row] = -1;
      continue;
    }
    if (groups[key] === -1) groups[key] = count++;
    groupOf[row] = groups[key]!;
  }
  return inGroups(groupOf, count);
}

const SLOTS_MIN = 256;

/** Numbers keys in the order of their appearance, by open addressing: a Map of doubles takes three times as long. */
function createKeyTable() {
  let slots = SLOTS_MIN;
  let keys = new Float64Array(slots).fill(-1);
  let numbers = new Int32Array(slots);
  let size = 0;
  const slotOf = (key: number): number => {
    let slot = hashOf(key) & (slots - 1);
    while (keys[slot] !== -1 && keys[slot] !== key) slot = (slot + 1) & (slots - 1);
    return slot;
  };
  const widen = (): void => {
    const [oldKeys, oldNumbers] = [keys, numbers];
    slots *= 4;
    keys = new Float64Array(slots).fill(-1);
    numbers = new Int32Array(slots);
    for (let index = 0; index < oldKeys.length; index++) {
      const key = oldKeys[index]!;
      if (key === -1) continue;
      const slot = slotOf(key);
      keys[slot] = key;
      numbers[slot] = oldNumbers[index]!;
    }
  };
  return {
    size: () => size,
    numberOf(key: number): number {
      const slot = slotOf(key);
      if (keys[slot] === key) return numbers[slot]!;
      const number = size++;
      keys[slot] = key;
      numbers[slot] = number;
      if (size * 2 > slots) widen();
      return number;
    },
  };
}

function hashOf(key: number): number {
  const high = Math.floor(key / 2 ** 32);
  let hash = Math.imul((key - high * 2 ** 32) | 0, 0x9e37_79b1) ^ Math.imul(high, 0x85eb_ca6b);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b_3c6d) ^ (hash >>> 13);
}

function inGroups(groupOf: Int32Array, count: number): RowGroups {
  const start = new Int32Array(count + 1);
  for (const group of groupOf) if (group >= 0) start[group + 1]!++;
  for (let group = 0; group < count; group++) start[group + 1]! += start[group]!;
  const next = start.slice();
  const rows = new Int32Array(start[count]!);
  for (let row = 0; row < groupOf.length; row++) {
    const group = groupOf[row]!;
    if (group >= 0) rows[next[group]!++] = row;
  }
  return { count, start, rows, groupOf, rowsOf: (group) => rows.subarray(start[group], start[group + 1]) };
}

/** One key for two ids below 2^26, `NONE` included. */
export function pairKey(a: number, b: number): number {
  return (a + 1) * 2 ** 26 + (b + 1);
}

/**
 * For each group, `reduce` over the values of its rows, NaN left out. `own` is a copy that may be reordered; `scratch`
 * is as long and may be written to.
 */
export function overValues(
  groups: RowGroups,
  values: Float64Array,
  reduce: (own: Float64Array, scratch: Float64Array) => number,
): Float64Array {
  const results = new Float64Array(groups.count);
  const largest = largestGroup(groups);
  const buffer = new Float64Array(largest);
  const scratch = new Float64Array(largest);
  for (let group = 0; group < groups.count; group++) {
    let length = 0;
    for (let index = groups.start[group]!; index < groups.start[group + 1]!; index++) {
      const value = values[groups.rows[index]!]!;
      if (value === value) buffer[length++] = value;
    }
    results[group] = reduce(buffer.subarray(0, length), scratch.subarray(0, length));
  }
  return results;
}

export function firstRow(groups: RowGroups, group: number): number {
  return groups.rows[groups.start[group]!]!;
}

export function groupSize(groups: RowGroups, group: number): number {
  return groups.start[group + 1]! - groups.start[group]!;
}

function largestGroup(groups: RowGroups): number {
  let largest = 0;
  for (let group = 0; group < groups.count; group++) largest = Math.max(largest, groupSize(groups, group));
  return largest;
}
