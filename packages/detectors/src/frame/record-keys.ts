import { hashOfText } from "./dictionary.ts";
import { createTextColumn, type TextColumnData } from "./text-column.ts";

/** Records of many sources as small integers: one id for a source and its own id of a record. */
export type RecordKeys = {
  /** The id of a record, given out at its first appearance. `source` is a small integer itself. */
  idOf(source: number, sourceId: string): number;
  live(): TextColumnData;
  data(): TextColumnData;
};

const SLOTS_MIN = 1_024;
const EMPTY = -1;

/** Open addressing over a hash of both parts: a Map would have to be given their concatenation. */
export function createRecordKeys(): RecordKeys {
  const sourceIds = createTextColumn();
  let sources = new Int32Array(SLOTS_MIN);
  let hashes = new Int32Array(SLOTS_MIN);
  let slots = new Int32Array(2 * SLOTS_MIN).fill(EMPTY);
  let size = 0;

  const widen = (): void => {
    sources = doubled(sources);
    hashes = doubled(hashes);
    slots = new Int32Array(slots.length * 2).fill(EMPTY);
    for (let id = 0; id < size; id++) {
      let slot = hashes[id]! & (slots.length - 1);
      while (slots[slot] !== EMPTY) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = id;
    }
  };

  return {
    data: sourceIds.data,
    live: sourceIds.live,
    idOf(source, sourceId) {
      const hash = hashOfText(sourceId, source);
      let slot = hash & (slots.length - 1);
      for (let id = slots[slot]!; id !== EMPTY; id = slots[slot]!) {
        if (hashes[id] === hash && sources[id] === source && sourceIds.at(id) === sourceId) return id;
        slot = (slot + 1) & (slots.length - 1);
      }
      const id = size++;
      slots[slot] = id;
      sources[id] = source;
      hashes[id] = hash;
      sourceIds.push(sourceId);
      if (size === sources.length) widen();
      return id;
    },
  };
}

function doubled(column: Int32Array): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(column.length * 2);
  wider.set(column);
  return wider;
}
