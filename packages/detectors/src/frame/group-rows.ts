/** Rows by group, each group's rows together: those of group g are `rows[start[g]]` to `rows[start[g + 1] - 1]`, ascending. */
export type RowGroups = {
  /** Rows there are, in a group or in none. */
  size: number;
  count: number;
  start: Int32Array;
  rows: Int32Array;
  /** What `groupOfRows` has worked out. */
  groupOf: Int32Array | null;
};

/** Group of each row; -1 for a row that is in none. */
export function groupOfRows(groups: RowGroups): Int32Array {
  groups.groupOf ??= readGroups(groups);
  return groups.groupOf;
}

function readGroups({ size, count, start, rows }: RowGroups): Int32Array {
  const groupOf = new Int32Array(size).fill(-1);
  for (let group = 0; group < count; group++) {
    for (let index = start[group]!; index < start[group + 1]!; index++) groupOf[rows[index]!] = group;
  }
  return groupOf;
}

export function rowsOf({ start, rows }: RowGroups, group: number): Int32Array {
  return rows.subarray(start[group], start[group + 1]);
}

/** A whole number below 2^53 for each row; a negative one leaves the row out. A column, and no function of a row: that is read in a loop of its own, where it costs no call. */
export type Keys = Int32Array | Float64Array;

export function groupRows(keys: Keys): RowGroups {
  const table = createKeyTable(SLOTS_MIN);
  const groupOf = new Int32Array(keys.length);
  for (let row = 0; row < keys.length; row++) {
    const key = keys[row]!;
    groupOf[row] = key < 0 ? -1 : numberOf(table, key);
  }
  return inGroups(groupOf, table.size);
}

/** As `groupRows`, for keys below `limit`: a table takes the place of the search. */
export function groupRowsByTable(keys: Int32Array, limit: number): RowGroups {
  const groups = new Int32Array(limit).fill(-1);
  const groupOf = new Int32Array(keys.length);
  let count = 0;
  for (let row = 0; row < keys.length; row++) {
    const key = keys[row]!;
    if (key < 0) {
      groupOf[row] = -1;
      continue;
    }
    if (groups[key] === -1) groups[key] = count++;
    groupOf[row] = groups[key]!;
  }
  return inGroups(groupOf, count);
}

/** Each group without the rows that are not `kept`; a group of which nothing is left is none. */
export function keepRows(groups: RowGroups, kept: Uint8Array): RowGroups {
  const rows = new Int32Array(groups.rows.length);
  const start = new Int32Array(groups.count + 1);
  let [count, used] = [0, 0];
  for (let group = 0; group < groups.count; group++) {
    const from = used;
    for (let index = groups.start[group]!; index < groups.start[group + 1]!; index++) {
      const row = groups.rows[index]!;
      if (kept[row] === 1) rows[used++] = row;
    }
    if (used > from) start[++count] = used;
  }
  return used === rows.length ? groups : groupsFrom(groups.size, start.slice(0, count + 1), rows.slice(0, used));
}

/** Each group apart by a number of its rows; a negative key leaves a row out. No table of all keys: groups are mostly small. */
export function splitGroups(groups: RowGroups, keyOf: Keys): RowGroups {
  const largest = largestGroup(groups);
  const rows = new Int32Array(groups.rows.length);
  const start = new Int32Array(groups.rows.length + 1);
  const places = new Int32Array(largest);
  const keys = new Float64Array(largest);
  const next = new Int32Array(largest);
  let [count, used] = [0, 0];
  for (let group = 0; group < groups.count; group++) {
    const [from, to] = [groups.start[group]!, groups.start[group + 1]!];
    if (to - from === 1) {
      const row = groups.rows[from]!;
      if (keyOf[row]! < 0) continue;
      rows[used++] = row;
      start[++count] = used;
      continue;
    }
    let byKey: Map<number, number> | null = null;
    let found = 0;
    for (let index = from; index < to; index++) {
      const key = keyOf[groups.rows[index]!]!;
      places[index - from] = -1;
      if (key < 0) continue;
      let place = 0;
      // Few keys are found by looking at each, many by a table.
      if (byKey === null) while (place < found && keys[place] !== key) place++;
      else place = byKey.get(key) ?? found;
      if (place === found) {
        keys[found] = key;
        next[found++] = 0;
        if (byKey !== null) byKey.set(key, place);
        else if (found === SCANNED_MAX) byKey = new Map(Array.from(keys.subarray(0, found), (one, at) => [one, at]));
      }
      places[index - from] = place;
      next[place]!++;
    }
    for (let place = 0; place < found; place++) {
      const size = next[place]!;
      next[place] = used;
      used += size;
      start[++count] = used;
    }
    for (let index = from; index < to; index++) {
      const place = places[index - from]!;
      if (place >= 0) rows[next[place]!++] = groups.rows[index]!;
    }
  }
  return groupsFrom(groups.size, start.slice(0, count + 1), rows.slice(0, used));
}

const SCANNED_MAX = 24;

const SLOTS_MIN = 256;

/** Numbers keys in the order of their appearance, by open addressing: a Map of doubles takes three times as long. */
type KeyTable = { keys: Float64Array; numbers: Int32Array; size: number };

function createKeyTable(slots: number): KeyTable {
  return { keys: new Float64Array(slots).fill(-1), numbers: new Int32Array(slots), size: 0 };
}

function numberOf(table: KeyTable, key: number): number {
  const slot = slotOf(table.keys, key);
  if (table.keys[slot] === key) return table.numbers[slot]!;
  const number = table.size++;
  table.keys[slot] = key;
  table.numbers[slot] = number;
  if (table.size * 2 > table.keys.length) widen(table);
  return number;
}

function slotOf(keys: Float64Array, key: number): number {
  let slot = hashOf(key) & (keys.length - 1);
  while (keys[slot] !== -1 && keys[slot] !== key) slot = (slot + 1) & (keys.length - 1);
  return slot;
}

function widen(table: KeyTable): void {
  const wider = createKeyTable(table.keys.length * 4);
  for (let index = 0; index < table.keys.length; index++) {
    const key = table.keys[index]!;
    if (key === -1) continue;
    const slot = slotOf(wider.keys, key);
    wider.keys[slot] = key;
    wider.numbers[slot] = table.numbers[index]!;
  }
  table.keys = wider.keys;
  table.numbers = wider.numbers;
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
  return { size: groupOf.length, count, start, rows, groupOf };
}

/** Groups of which nobody may ever ask in which one a row is. */
function groupsFrom(size: number, start: Int32Array, rows: Int32Array): RowGroups {
  return { size, count: start.length - 1, start, rows, groupOf: null };
}

/** One key for two ids below 2^26, `NONE` included. */
export function pairKey(a: number, b: number): number {
  return (a + 1) * 2 ** 26 + (b + 1);
}

export function pairKeys(a: Int32Array, b: Int32Array): Float64Array {
  const keys = new Float64Array(a.length);
  for (let row = 0; row < a.length; row++) keys[row] = pairKey(a[row]!, b[row]!);
  return keys;
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
