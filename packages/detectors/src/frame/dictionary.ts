/** Texts as small integers: equal texts have one id, and a column of ids is a typed array. */
export type Dictionary = {
  /** The id of `text`, given out at its first appearance; `NONE` for `null`. */
  idOf(text: string | null | undefined): number;
  readonly texts: readonly string[];
};

/** The id of nothing: an absent text or date. */
export const NONE = -1;

/** `idOf` for one column: neighbouring records mostly repeat its text, and then no table is asked. */
export function columnOf(dictionary: Dictionary): (text: string | null | undefined) => number {
  let [lastText, lastId]: [string | null | undefined, number] = [null, NONE];
  return (text) => {
    if (text === lastText) return lastId;
    lastText = text;
    lastId = dictionary.idOf(text);
    return lastId;
  };
}

/** `idOf` for a column that mostly follows another, as a name follows a code: the last text of that owner is tried first. */
export function columnFollowing(dictionary: Dictionary): (owner: number, text: string | null | undefined) => number {
  const lastByOwner: number[] = [];
  return (owner, text) => {
    if (text === null || text === undefined) return NONE;
    const last = owner < 0 ? undefined : lastByOwner[owner];
    if (last !== undefined && dictionary.texts[last] === text) return last;
    const id = dictionary.idOf(text);
    if (owner >= 0) lastByOwner[owner] = id;
    return id;
  };
}

const SLOTS_MIN = 256;

/**
 * Open addressing over the texts' hashes: a Map of a million texts costs the collector more than the look-ups. A slot
 * is a hash and an id side by side, so that a look-up touches one line of memory before it touches the text.
 */
export function createDictionary(): Dictionary {
  const texts: string[] = [];
  let mask = SLOTS_MIN - 1;
  let slots = new Int32Array(2 * SLOTS_MIN).fill(NONE);
  const widen = (): void => {
    const narrow = slots;
    mask = 2 * (mask + 1) - 1;
    slots = new Int32Array(2 * (mask + 1)).fill(NONE);
    for (let index = 0; index < narrow.length; index += 2) {
      const id = narrow[index + 1]!;
      if (id === NONE) continue;
      let slot = narrow[index]! & mask;
      while (slots[2 * slot + 1] !== NONE) slot = (slot + 1) & mask;
      slots[2 * slot] = narrow[index]!;
      slots[2 * slot + 1] = id;
    }
  };
  return {
    texts,
    idOf(text) {
      if (text === null || text === undefined) return NONE;
      const hash = hashOfText(text);
      let slot = hash & mask;
      for (let id = slots[2 * slot + 1]!; id !== NONE; id = slots[2 * slot + 1]!) {
        if (slots[2 * slot] === hash && texts[id] === text) return id;
        slot = (slot + 1) & mask;
      }
      const id = texts.push(text) - 1;
      slots[2 * slot] = hash;
      slots[2 * slot + 1] = id;
      if (2 * texts.length > mask) widen();
      return id;
    },
  };
}

/** Of a long text only the ends are hashed; an even number of characters. */
const HASHED_ENDS = 24;

function mixed(hash: number, bits: number): number {
  const product = Math.imul(hash ^ bits, 0x9e37_79b1);
  return product ^ (product >>> 15);
}

/** Multiply and shift, with a final mix, in 30 bits. */
export function hashOfText(text: string, seed = 0): number {
  const { length } = text;
  let hash = 0x811c_9dc5 ^ seed ^ length;
  const isLong = length > 2 * HASHED_ENDS;
  const firstEnd = isLong ? HASHED_ENDS : length;
  // Two characters a step: the multiplications wait for each other.
  let index = 0;
  for (; index + 1 < firstEnd; index += 2)
    hash = mixed(hash, text.charCodeAt(index) | (text.charCodeAt(index + 1) << 16));
  if (index < firstEnd) hash = mixed(hash, text.charCodeAt(index));
  if (isLong) {
    for (index = length - HASHED_ENDS; index < length; index += 2) {
      hash = mixed(hash, text.charCodeAt(index) | (text.charCodeAt(index + 1) << 16));
    }
  }
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b_3c6d) & 0x3fff_ffff;
}
