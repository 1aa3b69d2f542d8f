import { hashOfText, NONE, widenSlots } from "./dictionary.ts";
import { createTextColumn, pushText, textAt, type TextColumn } from "./text-column.ts";

/**
 * Records of many sources as small integers: one id for a source and its own id of a record. Open addressing over a
 * hash of both parts, as in a dictionary: a Map would have to be given their concatenation.
 */
export type RecordKeys = { sourceIds: TextColumn; sources: Int32Array; slots: Int32Array; mask: number };

const SLOTS_MIN = 2_048;

export function createRecordKeys(): RecordKeys {
  return {
    sourceIds: createTextColumn(),
    sources: new Int32Array(SLOTS_MIN / 2),
    slots: new Int32Array(2 * SLOTS_MIN).fill(NONE),
    mask: SLOTS_MIN - 1,
  };
}

/** The id of a record, given out at its first appearance. `source` is a small integer itself. */
export function keyIdOf(keys: RecordKeys, source: number, sourceId: string): number {
  const { sourceIds, sources, slots, mask } = keys;
  const hash = hashOfText(sourceId, source);
  let slot = hash & mask;
  for (let id = slots[2 * slot + 1]!; id !== NONE; id = slots[2 * slot + 1]!) {
    if (slots[2 * slot] === hash && sources[id] === source && textAt(sourceIds, id) === sourceId) return id;
    slot = (slot + 1) & mask;
  }
  const id = sourceIds.rows;
  slots[2 * slot] = hash;
  slots[2 * slot + 1] = id;
  sources[id] = source;
  pushText(sourceIds, sourceId);
  if (sourceIds.rows === sources.length) widen(keys);
  return id;
}

function widen(keys: RecordKeys): void {
  keys.slots = widenSlots(keys.slots);
  keys.mask = keys.slots.length / 2 - 1;
  const wider = new Int32Array(keys.slots.length / 4);
  wider.set(keys.sources);
  keys.sources = wider;
}
