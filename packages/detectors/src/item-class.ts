import { NONE } from "./frame/dictionary.ts";
import type { Items } from "./frame/items.ts";
import { once } from "./frame/once.ts";
import { fold, isWithheld } from "./text.ts";

/** Classes of items: the catalogue's code where there is one, else the catalogue's own name of the item, folded. */
export type ItemClasses = {
  /** Class of each item; `NONE` where neither code nor name says anything. */
  ofItem: Int32Array;
  /** For each contract row the class of its largest item by value; `NONE` without items. */
  ofContract: Int32Array;
  nameOf: (itemClass: number) => string;
};

/** Computed once a frame. */
export const itemClassesOf = once(classify);

function classify(items: Items): ItemClasses {
  const classByName = new Map<string, number>();
  const names: string[] = [];
  const byCode = new Int32Array(items.textsSize).fill(UNSEEN);
  const byDescription = new Int32Array(items.textsSize).fill(UNSEEN);
  const classNamed = (name: string, shown: string): number => {
    const found = classByName.get(name);
    if (found !== undefined) {
      // Of the ways of writing it, the one that sorts first is shown.
      if (shown < names[found]!) names[found] = shown;
      return found;
    }
    classByName.set(name, names.length);
    return names.push(shown) - 1;
  };
  const ofItem = new Int32Array(items.size);
  for (let index = 0; index < items.size; index++) {
    const code = items.classification[index]!;
    const description = items.description[index]!;
    const seen = code === NONE ? byDescription : byCode;
    const text = code === NONE ? description : code;
    if (text === NONE) {
      ofItem[index] = NONE;
      continue;
    }
    if (seen[text] === UNSEEN) {
      const shown = items.text(text)!;
      const folded = fold(shown)
        .replaceAll(/[^a-z0-9]+/g, " ")
        .trim();
      const says = folded.length >= NAME_CHARACTERS_MIN && !isWithheld(shown) && !EMPTY.has(folded);
      seen[text] = code !== NONE || says ? classNamed(`${code === NONE ? "name" : "code"} ${folded}`, shown) : NONE;
    }
    ofItem[index] = seen[text]!;
  }
  return { ofItem, ofContract: largestOf(items, ofItem), nameOf: (itemClass) => names[itemClass] ?? "" };
}

/** For each contract row the id of the catalogue code of its largest item; `NONE` where the source gives no code. */
export function catalogueCodesOf(items: Items): Int32Array {
  return largestOf(items, items.classification);
}

const UNSEEN = -2;
const NAME_CHARACTERS_MIN = 3;
const EMPTY = new Set(["nao se aplica", "sem informacao", "undefined", "outros"]);

function largestOf(items: Items, ofItem: Int32Array): Int32Array {
  const ofContract = new Int32Array(items.start.length - 1).fill(NONE);
  for (let row = 0; row < ofContract.length; row++) {
    let largest = -1;
    for (let index = items.start[row]!; index < items.start[row + 1]!; index++) {
      const value = lineValue(items, index);
      if (value > largest) {
        largest = value;
        ofContract[row] = ofItem[index]!;
      }
    }
  }
  return ofContract;
}

/** Quantity × unit price in cents; 0 where either is missing. */
export function lineValue(items: Items, index: number): number {
  const value = items.quantity[index]! * items.unitPrice[index]!;
  return value === value ? value : 0;
}
