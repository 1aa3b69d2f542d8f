import { hash } from "node:crypto";

const HEX_DIGITS = 12;

/** 12 hexadecimal digits that stand for the parts, in any file order and on any machine. */
export function fingerprint(parts: readonly string[]): string {
  return hash("sha256", parts.join("\u001f"), "hex").slice(0, HEX_DIGITS);
}

/** The same as a whole number of 48 bits. */
export function fingerprintNumber(fingerprint: string): number {
  return Number.parseInt(fingerprint, 16);
}

/**
 * A map from fingerprints to whole numbers for one entry a row of a file that never ends: 8 bytes a slot, and 8 more once
 * a number other than 0 is put. Among ten million, the chance that any two are taken for one another is one in six.
 */
export function compactMap() {
  let slots = 1 << 12;
  let keys = new Float64Array(slots).fill(EMPTY);
  let values: Float64Array | null = null;
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
    values = oldValues === null ? null : new Float64Array(slots);
    for (const [index, key] of oldKeys.entries()) {
      if (key === EMPTY) continue;
      const slot = slotOf(key);
      keys[slot] = key;
      if (values !== null) values[slot] = oldValues![index]!;
    }
  };
  const write = (slot: number, value: number) => {
    if (value !== 0) values ??= new Float64Array(slots);
    if (values !== null) values[slot] = value;
  };
  return {
    get(fingerprint: string): number | undefined {
      const slot = slotOf(fingerprintNumber(fingerprint));
      return keys[slot] === EMPTY ? undefined : (values?.[slot] ?? 0);
    },
    /** Keeps `value` if the key is new, and `ifKnown` of what is there otherwise; returns what was there. */
    put(fingerprint: string, value: number, ifKnown: (known: number) => number): number | undefined {
      const key = fingerprintNumber(fingerprint);
      let slot = slotOf(key);
      if (keys[slot] !== EMPTY) {
        const known = values?.[slot] ?? 0;
        write(slot, ifKnown(known));
        return known;
      }
      if (++size > slots * LOAD_MAX) {
        grow();
        slot = slotOf(key);
      }
      keys[slot] = key;
      write(slot, value);
      return undefined;
    },
  };
}

const EMPTY = -1;
const LOAD_MAX = 0.75;

export type Sighting = "new" | "same" | "different";

/** Tells a record seen before from one that only has its id. */
export function seenRecords(): (id: string, content: string) => Sighting {
  const contents = compactMap();
  return (id, content) => {
    const number = fingerprintNumber(fingerprint([content]));
    const known = contents.put(fingerprint([id]), number, (first) => first);
    if (known === undefined) return "new";
    return known === number ? "same" : "different";
  };
}

/** Tells a row seen before by a fingerprint that stands for all of it. */
export function seenRows(): (fingerprint: string) => Sighting {
  const rows = compactMap();
  return (one) => (rows.put(one, 0, (first) => first) === undefined ? "new" : "same");
}
