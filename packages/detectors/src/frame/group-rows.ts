/** Rows by group, each group's rows together: those of group g are `rows[start[g]]` to `rows[start[g + 1] - 1]`, ascending. */
export type RowGroups = {
  count: number;
  start: Int32Array;
  rows: Int32Array;
  /** Group of each row; -1 for a row that is in none. */
  groupOf: Int32Array;
  rowsOf(group: number): Int32Array;
};

/** Groups the rows 0 to `size - 1` by a number; a negative key leaves a row out. */
export function groupRows(size: number, keyOf: (row: number) => number): RowGroups {
  const groups = new Map<number, number>();
  const groupOf = new Int32Array(size);
  for (let row = 0; row < size; row++) {
    const key = keyOf(row);
    if (key < 0) {
      groupOf[row] = -1;
      continue;
    }
    let group = groups.get(key);
    if (group === undefined) {
      group = groups.size;
      groups.set(key, group);
    }
    groupOf[row] = group;
  }
  return inGroups(groupOf, groups.size);
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

/** For each group, `reduce` over the ascending values of its rows. NaN values are left out. */
export function overSortedValues(
  groups: RowGroups,
  values: Float64Array,
  reduce: (sorted: Float64Array) => number,
): Float64Array {
  const results = new Float64Array(groups.count);
  const buffer = new Float64Array(largestGroup(groups));
  for (let group = 0; group < groups.count; group++) {
    let length = 0;
    for (let index = groups.start[group]!; index < groups.start[group + 1]!; index++) {
      const value = values[groups.rows[index]!]!;
      if (value === value) buffer[length++] = value;
    }
    results[group] = reduce(buffer.subarray(0, length).sort());
  }
  return results;
}

export function groupSize(groups: RowGroups, group: number): number {
  return groups.start[group + 1]! - groups.start[group]!;
}

function largestGroup(groups: RowGroups): number {
  let largest = 0;
  for (let group = 0; group < groups.count; group++) largest = Math.max(largest, groupSize(groups, group));
  return largest;
}
