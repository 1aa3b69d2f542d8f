/** How many subjects an indicator could judge, and why not the others; every subject is counted once. */
export type Tally = {
  tested: number;
  notComputable: Map<string, number>;
  excluded: Map<string, number>;
};

export function startTally(): Tally {
  return { tested: 0, notComputable: new Map(), excluded: new Map() };
}

export function mergeTallies(a: Tally, b: Tally): Tally {
  return {
    tested: a.tested + b.tested,
    notComputable: mergeCounts(a.notComputable, b.notComputable),
    excluded: mergeCounts(a.excluded, b.excluded),
  };
}

export function addCount<Key>(counts: Map<Key, number>, key: Key, count = 1): void {
  if (count > 0) counts.set(key, (counts.get(key) ?? 0) + count);
}

export function mergeCounts<Key>(a: ReadonlyMap<Key, number>, b: ReadonlyMap<Key, number>): Map<Key, number> {
  const merged = new Map(a);
  for (const [key, count] of b) addCount(merged, key, count);
  return merged;
}
