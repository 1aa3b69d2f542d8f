/** The different words of a text as ascending 32-bit hashes. */
export type WordSet = Uint32Array;

const WORD_CHARACTERS_MIN = 3;
const HASHES = 32;
const BANDS = 16;
const ROWS_PER_BAND = HASHES / BANDS;
/** Sets that share a band beyond this many are compared with the first of them only: they are alike or noise. */
const BUCKET_MAX = 64;

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
 * Indexes of the sets that hang together by pairs of at least `similarityMin`, in groups of two or more. Equal sets are
 * taken together first; candidates among the different ones come from MinHash bands (two sets of Jaccard 0.85 share one
 * of the 16 bands of 2 with a chance above 0.999999) and each is checked exactly.
 */
export function clusterAlike(sets: readonly WordSet[], { similarityMin }: { similarityMin: number }): number[][] {
  const representatives = new Map<string, number[]>();
  for (const [index, set] of sets.entries()) {
    const text = set.join(",");
    const same = representatives.get(text);
    if (same) same.push(index);
    else representatives.set(text, [index]);
  }
  const distinct = [...representatives.values()];
  const parent = distinct.map((_, index) => index);
  const rootOf = (index: number): number => {
    let root = index;
    while (parent[root] !== root) root = parent[root]!;
    parent[index] = root;
    return root;
  };
  for (const [a, b] of candidatePairs(distinct.map((members) => sets[members[0]!]!))) {
    const [left, right] = [rootOf(a), rootOf(b)];
    if (left === right) continue;
    if (jaccardOfSets(sets[distinct[a]![0]!]!, sets[distinct[b]![0]!]!) >= similarityMin) {
      parent[Math.max(left, right)] = Math.min(left, right);
    }
  }
  const clusters = Map.groupBy(distinct.keys(), rootOf);
  return [...clusters.values()]
    .map((members) => members.flatMap((index) => (sets[distinct[index]![0]!]!.length > 0 ? distinct[index]! : [])))
    .filter((members) => members.length > 1);
}

const ALL_PAIRS_MAX = 12;

function* candidatePairs(sets: readonly WordSet[]): Generator<[number, number]> {
  if (sets.length <= ALL_PAIRS_MAX) {
    for (let b = 1; b < sets.length; b++) for (let a = 0; a < b; a++) yield [a, b];
    return;
  }
  const signatures = sets.map(signatureOf);
  for (let band = 0; band < BANDS; band++) {
    const buckets = new Map<number, number[]>();
    for (const [index, signature] of signatures.entries()) {
      if (sets[index]!.length === 0) continue;
      let hash = FNV_OFFSET;
      for (let row = 0; row < ROWS_PER_BAND; row++) {
        hash = mix(hash ^ signature[band * ROWS_PER_BAND + row]!);
      }
      const bucket = buckets.get(hash);
      if (!bucket) {
        buckets.set(hash, [index]);
        continue;
      }
      for (const other of bucket) yield [other, index];
      if (bucket.length < BUCKET_MAX) bucket.push(index);
    }
  }
}

function signatureOf(set: WordSet): Uint32Array {
  const signature = new Uint32Array(HASHES).fill(0xffff_ffff);
  for (const word of set) {
    for (let hash = 0; hash < HASHES; hash++) {
      const value = mix(word ^ Math.imul(hash + 1, 0x9e37_79b1)) >>> 0;
      if (value < signature[hash]!) signature[hash] = value;
    }
  }
  return signature;
}

const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;

/** The finaliser of MurmurHash3. */
function mix(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85eb_ca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}

function foldTable(): Uint8Array {
  const table = new Uint8Array(0x180);
  for (let code = 0; code < table.length; code++) {
    const letter = String.fromCharCode(code).normalize("NFD").charAt(0).toLowerCase();
    if (/^[a-z0-9]$/.test(letter)) table[code] = letter.charCodeAt(0);
  }
  return table;
}
