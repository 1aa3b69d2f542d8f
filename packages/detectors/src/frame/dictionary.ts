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

export function createDictionary(): Dictionary {
  const ids = new Map<string, number>();
  const texts: string[] = [];
  return {
    texts,
    idOf(text) {
      if (text === null || text === undefined) return NONE;
      const known = ids.get(text);
      if (known !== undefined) return known;
      const id = texts.length;
      ids.set(text, id);
      texts.push(text);
      return id;
    },
  };
}
