/** The different words of a text as ascending 32-bit hashes. */
export type WordSet = Uint32Array;

const WORD_CHARACTERS_MIN = 3;

/** Latin letters without their accents, digits as they are, everything else 0: one look-up a character. */
const FOLDED = foldTable();

/** Words of at least three letters or digits, without case and accents, hashed by FNV-1a. */
export function wordSetOf(text: string): WordSet {
  const words: number[] = [];
  let hash = FNV_OFFSET;
  let length = 0;
  for (let index = 0; index <= text.length; index++) {
    const code = index < text.length ? text.charCodeAt(index) : 0;
    const folded = code < FOLDED.length ? FOLDED[code]! : 0;
    if (folded !== 0) {
      hash = Math.imul(hash ^ folded, FNV_PRIME);
      length++;
    } else if (length > 0) {
      if (length >= WORD_CHARACTERS_MIN) words.push(hash >>> 0);
      hash = FNV_OFFSET;
      length = 0;
    }
  }
  const sorted = Uint32Array.from(words).sort();
  let kept = 0;
  for (let index = 0; index < sorted.length; index++) {
    if (index === 0 || sorted[index] !== sorted[index - 1]) sorted[kept++] = sorted[index]!;
  }
  return sorted.slice(0, kept);
}

/** Share of common words of two sets; 0 when both are empty. */
export function jaccardOfSets(a: WordSet, b: WordSet): number {
  let [left, right, common] = [0, 0, 0];
  while (left < a.length && right < b.length) {
    if (a[left] === b[right]) {
      common++;
      left++;
      right++;
    } else if (a[left]! < b[right]!) left++;
    else right++;
  }
  const union = a.length + b.length - common;
  return union === 0 ? 0 : common / union;
}

/**
 * Indexes of the sets that hang together by pairs of at least `similarityMin`, in groups of two or more, ascending. Equal
 * sets are taken together first. Every alike pair counts, so the groups do not depend on the order of the sets.
 */
export function clusterAlike(sets: readonly WordSet[], { similarityMin }: { similarityMin: number }): number[][] {
  const membersOf = new Map<string, number[]>();
  for (const [index, set] of sets.entries()) {
    if (set.length === 0) continue;
    const text = set.join(",");
    const same = membersOf.get(text);
    if (same) same.push(index);
    else membersOf.set(text, [index]);
  }
  const members = [...membersOf.values()];
  const distinct = members.map(([first]) => sets[first!]!);
  const components = createComponents(distinct.length);
  if (similarityMin <= 0) for (let index = 1; index < distinct.length; index++) components.join(0, index);
  else if (distinct.length <= ALL_PAIRS_MAX) joinAllPairs(distinct, similarityMin, components);
  else joinByPrefix(distinct, similarityMin, components);
  return [...Map.groupBy(distinct.keys(), components.rootOf).values()]
    .map((alike) => alike.flatMap((index) => members[index]!).sort((a, b) => a - b))
    .filter((alike) => alike.length > 1);
}

/** So few sets are compared two by two in less time than an index of them takes. */
const ALL_PAIRS_MAX = 12;

type Components = ReturnType<typeof createComponents>;

/** Union-find with path halving; the smaller index is the root. */
function createComponents(size: number) {
  const parent = Int32Array.from({ length: size }, (_, index) => index);
  const rootOf = (index: number): number => {
    let at = index;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  const join = (a: number, b: number): void => {
    const [left, right] = [rootOf(a), rootOf(b)];
    parent[Math.max(left, right)] = Math.min(left, right);
  };
  return { rootOf, join };
}

function joinAllPairs(sets: readonly WordSet[], similarityMin: number, { rootOf, join }: Components): void {
  for (let b = 1; b < sets.length; b++) {
    for (let a = 0; a < b; a++) {
      if (rootOf(a) !== rootOf(b) && jaccardOfSets(sets[a]!, sets[b]!) >= similarityMin) join(a, b);
    }
  }
}

/** The sets of one size that have a word at one position, in lists of which each lies within one component. */
type Posting = { size: number; position: number; lists: number[][] };

/**
 * An exact set similarity join (PPJoin). With the words of each set ordered from the rarest, two sets of Jaccard t share
 * one of the first |x| − ⌈t·|x|⌉ + 1 words of the larger and one of the first |y| − ⌈2t/(1 + t)·|y|⌉ + 1 of the smaller.
 * The sets come by size, look up those before them by their own rare words, and are checked exactly. Sets that already
 * hang together are passed over list by list, so that thousands of near-equal sets do not cost their pairs.
 */
function joinByPrefix(distinct: readonly WordSet[], similarityMin: number, { rootOf, join }: Components): void {
  const { sets, words } = rarestFirst(distinct);
  const postings = Array.from({ length: words }, () => new Map<string, Posting>());
  const comparedWith = new Int32Array(sets.length).fill(-1);
  const bySize = [...sets.keys()].sort((a, b) => sets[a]!.length - sets[b]!.length);

  /** Joins `index` to what the posting holds; the lists of its component become one. */
  const probe = (index: number, posting: Posting): void => {
    const set = sets[index]!;
    const others: number[][] = [];
    let own: number[] | null = null;
    for (const list of posting.lists) {
      if (rootOf(list[0]!) !== rootOf(index)) {
        const alike = list.find((other) => {
          if (comparedWith[other] === index) return false;
          comparedWith[other] = index;
          return jaccardOfSets(sets[other]!, set) >= similarityMin;
        });
        if (alike === undefined) {
          others.push(list);
          continue;
        }
        join(alike, index);
      }
      own = own === null ? list : merged(own, list);
    }
    if (own !== null) others.push(own);
    posting.lists = others;
  };

  for (const index of bySize) {
    const set = sets[index]!;
    const size = set.length;
    const probed = Math.min(size, size - atLeast(similarityMin * size) + 1);
    for (let position = 0; position < probed; position++) {
      for (const posting of postings[set[position]!]!.values()) {
        if (canBeAlike(posting, { size, position }, similarityMin)) probe(index, posting);
      }
    }
    const indexed = Math.min(size, size - atLeast(((2 * similarityMin) / (1 + similarityMin)) * size) + 1);
    for (let position = 0; position < indexed; position++) {
      const ofWord = postings[set[position]!]!;
      const key = `${size}:${position}`;
      const posting = ofWord.get(key);
      if (posting) posting.lists.push([index]);
      else ofWord.set(key, { size, position, lists: [[index]] });
    }
  }
}

/** Whether different sets, not larger than `size`, whose first common word is at these positions have enough in common. */
function canBeAlike(
  smaller: { size: number; position: number },
  { size, position }: { size: number; position: number },
  similarityMin: number,
): boolean {
  const needed = atLeast((similarityMin / (1 + similarityMin)) * (size + smaller.size));
  // Different sets of one size differ in a word at least.
  const possible = Math.min(size - position, smaller.size - smaller.position, size === smaller.size ? size - 1 : size);
  return possible >= needed;
}

/** The next whole number, with room for the rounding of the product. */
function atLeast(count: number): number {
  return Math.ceil(count - 1e-9);
}

function merged(a: number[], b: number[]): number[] {
  const [longer, shorter] = a.length >= b.length ? [a, b] : [b, a];
  for (const index of shorter) longer.push(index);
  return longer;
}

/** The sets with each word replaced by its rank, 0 being the rarest word; equally rare words by their hash. */
function rarestFirst(sets: readonly WordSet[]): { sets: WordSet[]; words: number } {
  const counts = new Map<number, number>();
  for (const set of sets) for (const word of set) counts.set(word, (counts.get(word) ?? 0) + 1);
  const ranked = [...counts].sort((a, b) => a[1] - b[1] || a[0] - b[0]);
  const rankOf = new Map(ranked.map(([word], rank) => [word, rank]));
  return { sets: sets.map((set) => set.map((word) => rankOf.get(word)!).sort()), words: ranked.length };
}

const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;

function foldTable(): Uint8Array {
  const table = new Uint8Array(0x180);
  for (let code = 0; code < table.length; code++) {
    const letter = String.fromCharCode(code).normalize("NFD").charAt(0).toLowerCase();
    if (/^[a-z0-9]$/.test(letter)) table[code] = letter.charCodeAt(0);
  }
  return table;
}
