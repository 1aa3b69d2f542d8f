import { hash } from "node:crypto";

const HEX_DIGITS = 12;

/** 12 hexadecimal digits that stand for the parts, in any file order and on any machine. */
export function fingerprint(parts: readonly string[]): string {
  return hash("sha256", parts.join("\u001f"), "hex").slice(0, HEX_DIGITS);
}

function fingerprintNumber(text: string): number {
  return Number.parseInt(fingerprint([text]), 16);
}

/**
 * A map from texts to whole numbers in 16 bytes an entry, for one entry a row of a file that never ends. Keys are kept
 * as 48 bits of a hash: among ten million, the chance that any two are taken for one another is one in six.
 */
export function compactMap() {
  let slots = 1 << 12;
  let keys = new Float64Array(slots).fill(EMPTY);
  let values = new Float64Array(slots);
  let size = 0;

  const slotOf = (key: number): number => {
    let slot = key % slots;
    while (keys[slot] !== EMPTY && keys[slot] !== key) slot = slot + 1 === slots ? 0 : slot + 1;
    return slot;
  };
  const grow = () => {
    const [oldKeys, oldValues] = [keys, values];
    slots *= 2;
    keys = new Float64Array(slots).fill(EMPTY);
    values = new Float64Array(slots);
    for (const [index, key] of oldKeys.entries()) {
      if (key === EMPTY) continue;
      const slot = slotOf(key);
      keys[slot] = key;
      values[slot] = oldValues[index]!;
    }
  };
  return {
    get(key: string): number | undefined {
      const slot = slotOf(fingerprintNumber(key));
      return keys[slot] === EMPTY ? undefined : values[slot];
    },
    /** Keeps `value` if the key is new, and `ifKnown` of what is there otherwise; returns what was there. */
    put(key: string, value: number, ifKnown: (known: number) => number): number | undefined {
      const number = fingerprintNumber(key);
      let slot = slotOf(number);
      if (keys[slot] !== EMPTY) {
        const known = values[slot]!;
        values[slot] = ifKnown(known);
        return known;
      }
      if (++size > slots * LOAD_MAX) {
        grow();
        slot = slotOf(number);
      }
      keys[slot] = number;
      values[slot] = value;
      return undefined;
    },
  };
}

const EMPTY = -1;
const LOAD_MAX = 0.6;

export type Sighting = "new" | "same" | "different";

/** Tells a record seen before from one that only has its id. Without a content the id stands for the whole record. */
export function seenRecords(): (id: string, content?: string) => Sighting {
  const contents = compactMap();
  return (id, content) => {
    const number = content === undefined ? 0 : fingerprintNumber(content);
    const known = contents.put(id, number, (first) => first);
    if (known === undefined) return "new";
    return known === number ? "same" : "different";
  };
}
