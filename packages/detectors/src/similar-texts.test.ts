import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom } from "./seeded-random.ts";
import { clusterAlike, jaccardOfSets, type WordSet, wordSetOf } from "./similar-texts.ts";

describe("wordSetOf", () => {
  test("folds case and accents, and drops the words of fewer than three characters", () => {
    expect(wordSetOf("AQUISIÇÃO de Móveis, p/ a sede")).toEqual(wordSetOf("sede moveis aquisicao"));
    expect(wordSetOf("a de 12 -- º")).toHaveLength(0);
    expect(wordSetOf("123 ação")).toHaveLength(2);
  });

  test("keeps each word once, ascending", () => {
    const words = wordSetOf("sala mesa sala cadeira MESA");
    expect(words).toHaveLength(3);
    expect([...words]).toEqual([...words].sort((a, b) => a - b));
  });
});

test("the Jaccard of sets counts common words over all words, and is 0 for two empty sets", () => {
  expect(jaccardOfSets(setOf([1, 2, 3]), setOf([2, 3, 4]))).toBe(0.5);
  expect(jaccardOfSets(setOf([1]), setOf([2]))).toBe(0);
  expect(jaccardOfSets(setOf([]), setOf([]))).toBe(0);
});

describe("clusterAlike", () => {
  const similarity = fc.constantFrom(0.2, 0.5, 2 / 3, 0.75, 0.8, 0.85, 0.9, 1);

  test("finds what comparing every pair finds", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 150 }), similarity, (seed, count, similarityMin) => {
        const sets = mutatedSets(seed, count);
        expect(clusterAlike(sets, { similarityMin })).toEqual(bruteForce(sets, similarityMin));
      }),
      { numRuns: 150 },
    );
  });

  test("does not depend on the order of the sets", () => {
    fc.assert(
      fc.property(fc.nat(), similarity, (seed, similarityMin) => {
        const sets = mutatedSets(seed, 100);
        const order = createRandom(seed + 1).shuffled([...sets.keys()]);
        const shuffled = clusterAlike(
          order.map((index) => sets[index]!),
          { similarityMin },
        );
        const back = shuffled.map((members) => members.map((index) => order[index]!).sort((a, b) => a - b));
        expect(back.sort((a, b) => a[0]! - b[0]!)).toEqual(clusterAlike(sets, { similarityMin }));
      }),
      { numRuns: 50 },
    );
  });

  test("misses none of 300 pairs planted in one block of sets that share half of their words", () => {
    const random = createRandom(7);
    const block = Array.from({ length: 11 }, (_, index) => index);
    const sets = Array.from({ length: 300 }, () => {
      const own = Array.from({ length: 11 }, () => 1_000 + random.below(1e9));
      return [setOf([...block, ...own]), setOf([...block, ...own, 100 + random.below(800)])];
    });
    const found = clusterAlike(sets.flat(), { similarityMin: 0.85 });
    expect(found).toEqual(sets.map((_, index) => [2 * index, 2 * index + 1]));
  });

  test("puts equal sets together, few or many", () => {
    expect(clusterAlike([setOf([1, 2]), setOf([3]), setOf([1, 2])], { similarityMin: 1 })).toEqual([[0, 2]]);
    const sets = Array.from({ length: 60 }, (_, index) => setOf([index % 20, 100 + (index % 20)]));
    const found = clusterAlike(sets, { similarityMin: 1 });
    expect(found).toEqual(Array.from({ length: 20 }, (_, index) => [index, index + 20, index + 40]));
  });

  test("never clusters empty sets", () => {
    const empty = Array.from({ length: 20 }, () => setOf([]));
    const others = Array.from({ length: 20 }, (_, index) => setOf([index]));
    for (const similarityMin of [0, 0.5, 1]) expect(clusterAlike(empty, { similarityMin })).toEqual([]);
    expect(clusterAlike([...empty, ...others], { similarityMin: 0.5 })).toEqual([]);
  });

  test("takes all that has words together when nothing is asked of the similarity", () => {
    const sets = [setOf([]), ...Array.from({ length: 20 }, (_, index) => setOf([index]))];
    const found = clusterAlike(sets, { similarityMin: 0 });
    expect(found).toEqual([Array.from({ length: 20 }, (_, index) => index + 1)]);
  });

  test.each([
    // 21 words of 23 in common are alike, 20 of 24 are not, unless a changed word is the same.
    { changed: 1, alike: [20_000, 20_000] },
    { changed: 2, alike: [2, 19_999] },
    { changed: 3, alike: [0, 10] },
    { changed: 6, alike: [0, 10] },
  ])(
    "finishes for 20,000 sets of one block that differ in $changed words",
    ({ changed, alike: [least, most] }) => {
      const random = createRandom(changed);
      const block = Array.from({ length: 22 - changed }, (_, index) => index);
      const sets = Array.from({ length: 20_000 }, (_, index) =>
        setOf([...block.slice(index % 2), ...Array.from({ length: changed }, () => 100 + random.below(100_000))]),
      );
      const found = clusterAlike(sets, { similarityMin: 0.85 });
      const largest = Math.max(0, ...found.map((members) => members.length));
      expect(largest).toBeGreaterThanOrEqual(least!);
      expect(largest).toBeLessThanOrEqual(most!);
    },
    10_000,
  );
});

function setOf(words: number[]): WordSet {
  return Uint32Array.from(new Set(words)).sort();
}

/** Sets of up to 25 words of a small vocabulary; two thirds are an earlier one with a few words changed. */
function mutatedSets(seed: number, count: number): WordSet[] {
  const random = createRandom(seed);
  const below = (bound: number) => random.below(bound);
  const vocabulary = 5 + below(200);
  const sets: number[][] = [];
  for (let index = 0; index < count; index++) {
    const words =
      index > 0 && random.next() < 2 / 3
        ? [...sets[below(index)]!]
        : Array.from({ length: below(26) }, () => below(vocabulary));
    for (let changes = below(4); changes > 0; changes--) {
      if (random.next() < 0.5) words.splice(below(words.length), 1);
      else words.push(below(vocabulary));
    }
    sets.push(words);
  }
  return sets.map(setOf);
}

function bruteForce(sets: readonly WordSet[], similarityMin: number): number[][] {
  const label = sets.map((_, index) => index);
  for (let b = 1; b < sets.length; b++) {
    for (let a = 0; a < b; a++) {
      if (sets[a]!.length === 0 || sets[b]!.length === 0 || jaccardOfSets(sets[a]!, sets[b]!) < similarityMin) continue;
      const [kept, gone] = [Math.min(label[a]!, label[b]!), Math.max(label[a]!, label[b]!)];
      for (const [index, own] of label.entries()) if (own === gone) label[index] = kept;
    }
  }
  return [...Map.groupBy(label.keys(), (index) => label[index]!).values()].filter((members) => members.length > 1);
}
