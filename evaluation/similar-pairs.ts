import { jaccard } from "@cidadao/detectors/statistics";

export type SimilarPair = { left: number; right: number; similarity: number };

/**
 * Every pair of sets with a Jaccard index above the limit. Two such sets share one of their rarest words (Chaudhuri,
 * Ganti & Kaushik's prefix filter), so only those that do are compared; equal sets are compared once.
 */
export function* similarPairs(sets: readonly ReadonlySet<string>[], limit: number): Generator<SimilarPair> {
  const counts = new Map<string, number>();
  for (const set of sets) for (const word of set) counts.set(word, (counts.get(word) ?? 0) + 1);
  const byRarity = (a: string, b: string) => counts.get(a)! - counts.get(b)! || (a < b ? -1 : 1);
  const groups = [
    ...Map.groupBy(
      sets.flatMap((set, index) => (set.size === 0 ? [] : [{ index, words: [...set].sort(byRarity) }])),
      ({ words }) => words.join(" "),
    ).values(),
  ];
  const seen = new Map<string, number[]>();
  for (const [group, members] of groups.entries()) {
    const [{ index: left, words }, ...equal] = members as [(typeof members)[number], ...typeof members];
    for (const { index: right } of equal) yield { left, right, similarity: 1 };
    const candidates = new Set<number>();
    for (const word of words.slice(0, words.length - Math.ceil(limit * words.length) + 1)) {
      const known = seen.get(word);
      for (const other of known ?? []) candidates.add(other);
      if (known) known.push(group);
      else seen.set(word, [group]);
    }
    for (const candidate of candidates) {
      const others = groups[candidate]!;
      const similarity = jaccard(sets[left]!, sets[others[0]!.index]!);
      if (similarity <= limit) continue;
      for (const { index } of members) for (const { index: right } of others) yield { left: index, right, similarity };
    }
  }
}
