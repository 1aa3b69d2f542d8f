/** Records of many sources as small integers: one id for a source and its own id of a record. */
export type RecordKeys = {
  /** The id of a record, given out at its first appearance. `source` is a small integer itself. */
  idOf(source: number, sourceId: string): number;
  data(): RecordKeyData;
};

export type RecordKeyData = { sources: number[]; sourceIds: string[] };

const SLOTS_MIN = 1_024;
const EMPTY = -1;

/** Open addressing over a hash of both parts: a Map would have to be given their concatenation. */
export function createRecordKeys(): RecordKeys {
  const sources: number[] = [];
  const sourceIds: string[] = [];
  const hashes: number[] = [];
  let slots = new Int32Array(SLOTS_MIN).fill(EMPTY);

  const widen = (): void => {
    slots = new Int32Array(slots.length * 2).fill(EMPTY);
    for (let id = 0; id < hashes.length; id++) {
      let slot = hashes[id]! & (slots.length - 1);
      while (slots[slot] !== EMPTY) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = id;
    }
  };

  return {
    data: () => ({ sources, sourceIds }),
    idOf(source, sourceId) {
      const hash = hashOf(source, sourceId);
      let slot = hash & (slots.length - 1);
      for (let id = slots[slot]!; id !== EMPTY; id = slots[slot]!) {
        if (hashes[id] === hash && sources[id] === source && sourceIds[id] === sourceId) return id;
        slot = (slot + 1) & (slots.length - 1);
      }
      const id = sourceIds.length;
      slots[slot] = id;
      sources.push(source);
      sourceIds.push(sourceId);
      hashes.push(hash);
      if (sourceIds.length * 2 > slots.length) widen();
      return id;
    },
  };
}

/** FNV-1a with a final mix. */
function hashOf(source: number, sourceId: string): number {
  let hash = 0x811c_9dc5 ^ source;
  for (let index = 0; index < sourceId.length; index++) {
    hash = Math.imul(hash ^ sourceId.charCodeAt(index), 0x0100_0193);
  }
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b_3c6d) & 0x3fff_ffff;
}
