import { hashOfText } from "./dictionary.ts";
import { createTextColumn, type TextColumnData } from "./text-column.ts";

/** Records of many sources as small integers: one id for a source and its own id of a record. */
export type RecordKeys = {
  /** The id of a record, given out at its first appearance. `source` is a small integer itself. */
  idOf(source: number, sourceId: string): number;
  live(): TextColumnData;
  data(): TextColumnData;
};

const SLOTS_MIN = 2_048;
const EMPTY = -1;

/**
 * Open addressing over a hash of both parts: a Map would have to be given their concatenation. A slot is a hash and an
 * id side by side.
 */
export function createRecordKeys(): RecordKeys {
  const sourceIds = createTextColumn();
  let sources = new Int32Array(SLOTS_MIN / 2);
  let mask = SLOTS_MIN - 1;
  let slots = new Int32Array(2 * SLOTS_MIN).fill(EMPTY);
  let size = 0;

  const widen = (): void => {
    const narrow = slots;
    mask = 2 * (mask + 1) - 1;
    slots = new Int32Array(2 * (mask + 1)).fill(EMPTY);
    for (let index = 0; index < narrow.length; index += 2) {
      const id = narrow[index + 1]!;
      if (id === EMPTY) continue;
      let slot = narrow[index]! & mask;
      while (slots[2 * slot + 1] !== EMPTY) slot = (slot + 1) & mask;
      slots[2 * slot] = narrow[index]!;
      slots[2 * slot + 1] = id;
    }
    const wider = new Int32Array((mask + 1) / 2);
    wider.set(sources);
    sources = wider;
  };

  return {
    data: sourceIds.data,
    live: sourceIds.live,
    idOf(source, sourceId) {
      const hash = hashOfText(sourceId, source);
      let slot = hash & mask;
      for (let id = slots[2 * slot + 1]!; id !== EMPTY; id = slots[2 * slot + 1]!) {
        if (slots[2 * slot] === hash && sources[id] === source && sourceIds.at(id) === sourceId) return id;
        slot = (slot + 1) & mask;
      }
      const id = size++;
      slots[2 * slot] = hash;
      slots[2 * slot + 1] = id;
      sources[id] = source;
      sourceIds.push(sourceId);
      if (size === sources.length) widen();
      return id;
    },
  };
}
