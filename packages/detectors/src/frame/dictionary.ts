/**
 * Texts as small integers: equal texts have one id, the index in `texts`, and a column of ids is a typed array. Open
 * addressing over the texts' hashes: a Map of a million texts costs the collector more than the look-ups. A slot is a
 * hash and an id side by side, so that a look-up touches one line of memory before it touches the text.
 */
export type Dictionary = { texts: string[]; slots: Int32Array; mask: number };

/** The id of nothing: an absent text or date. */
export const NONE = -1;

const SLOTS_MIN = 256;

export function createDictionary(): Dictionary {
  return { texts: [], slots: new Int32Array(2 * SLOTS_MIN).fill(NONE), mask: SLOTS_MIN - 1 };
}

/** The id of `text`, given out at its first appearance; `NONE` for `null`. */
export function idOf(dictionary: Dictionary, text: string | null | undefined): number {
  if (text === null || text === undefined) return NONE;
  const { texts, slots, mask } = dictionary;
  const hash = hashOfText(text);
  let slot = hash & mask;
  for (let id = slots[2 * slot + 1]!; id !== NONE; id = slots[2 * slot + 1]!) {
    if (slots[2 * slot] === hash && texts[id] === text) return id;
    slot = (slot + 1) & mask;
  }
  const id = texts.push(text) - 1;
  slots[2 * slot] = hash;
  slots[2 * slot + 1] = id;
  if (2 * texts.length > mask) dictionary.slots = widenSlots(slots);
  dictionary.mask = dictionary.slots.length / 2 - 1;
  return id;
}

/** Twice as many slots, pairs of hash and id, with the same in them. */
export function widenSlots(slots: Int32Array): Int32Array {
  const wider = new Int32Array(2 * slots.length).fill(NONE);
  const mask = slots.length - 1;
  for (let index = 0; index < slots.length; index += 2) {
    const id = slots[index + 1]!;
    if (id === NONE) continue;
    let slot = slots[index]! & mask;
    while (wider[2 * slot + 1] !== NONE) slot = (slot + 1) & mask;
    wider[2 * slot] = slots[index]!;
    wider[2 * slot + 1] = id;
  }
  return wider;
}

/** A column of texts of which neighbours are mostly the same: then no table is asked. */
export type IdColumn = { dictionary: Dictionary; lastText: string | null | undefined; lastId: number };

export function createIdColumn(dictionary: Dictionary): IdColumn {
  return { dictionary, lastText: null, lastId: NONE };
}

export function idInColumn(column: IdColumn, text: string | null | undefined): number {
  if (text === column.lastText) return column.lastId;
  column.lastText = text;
  column.lastId = idOf(column.dictionary, text);
  return column.lastId;
}

/** A column that mostly follows another, as a name follows a code: the last text of that owner is tried first. */
export type OwnedColumn = { dictionary: Dictionary; lastByOwner: Int32Array };

export function createOwnedColumn(dictionary: Dictionary): OwnedColumn {
  return { dictionary, lastByOwner: new Int32Array(SLOTS_MIN).fill(NONE) };
}

export function idOfOwner(column: OwnedColumn, owner: number, text: string | null | undefined): number {
  if (text === null || text === undefined) return NONE;
  if (owner === NONE) return idOf(column.dictionary, text);
  if (owner >= column.lastByOwner.length) column.lastByOwner = withRoomFor(column.lastByOwner, owner);
  const last = column.lastByOwner[owner]!;
  if (last !== NONE && column.dictionary.texts[last] === text) return last;
  const id = idOf(column.dictionary, text);
  column.lastByOwner[owner] = id;
  return id;
}

/** The table with `NONE` up to a place at least `index`. */
export function withRoomFor(table: Int32Array, index: number): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(Math.max(2 * table.length, index + 1)).fill(NONE);
  wider.set(table);
  return wider;
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
