import { fold } from "./plain-text.ts";
import type { WrittenNumber } from "./read-numbers.ts";

const cardinals = new Map<string, number>([
  ["zero", 0],
  ["dois", 2],
  ["duas", 2],
  ["tres", 3],
  ["quatro", 4],
  ["cinco", 5],
  ["seis", 6],
  ["sete", 7],
  ["oito", 8],
  ["nove", 9],
  ["dez", 10],
  ["onze", 11],
  ["doze", 12],
  ["treze", 13],
  ["catorze", 14],
  ["quatorze", 14],
  ["quinze", 15],
  ["dezesseis", 16],
  ["dezessete", 17],
  ["dezoito", 18],
  ["dezenove", 19],
  ["vinte", 20],
  ["trinta", 30],
  ["quarenta", 40],
  ["cinquenta", 50],
  ["sessenta", 60],
  ["setenta", 70],
  ["oitenta", 80],
  ["noventa", 90],
  ["cem", 100],
  ["cento", 100],
  ["duzentos", 200],
  ["duzentas", 200],
  ["trezentos", 300],
  ["trezentas", 300],
  ["quatrocentos", 400],
  ["quatrocentas", 400],
  ["quinhentos", 500],
  ["quinhentas", 500],
  ["seiscentos", 600],
  ["seiscentas", 600],
  ["setecentos", 700],
  ["setecentas", 700],
  ["oitocentos", 800],
  ["oitocentas", 800],
  ["novecentos", 900],
  ["novecentas", 900],
]);

const multipliers = new Map<string, number>([
  ["mil", 1e3],
  ["milhao", 1e6],
  ["milhoes", 1e6],
  ["bilhao", 1e9],
  ["bilhoes", 1e9],
  ["trilhao", 1e12],
  ["trilhoes", 1e12],
]);

/** Quantities without a figure of their own: nothing in the evidence can bear them out. */
const VAGUE =
  /\b(?:metade|tercos?|dobro|duplic\w+|dobr(?:ou|aram|ando)|triplo|triplic\w+|quadrupl\w+|quintupl\w+|decuplo|decimos?|centesim\w+|milesim\w+|dezenas?|duzias?|centenas?|milhar(?:es)?|par de)\b/;

export function hasVagueQuantity(text: string): boolean {
  return VAGUE.test(fold(text));
}

/** Every number written in words; "um" and "uma" count only inside a longer number, for alone they are articles. */
export function readNumberWords(text: string): WrittenNumber[] {
  const words = fold(text).match(/[a-z]+|[%;.,:!?]/g) ?? [];
  const numbers: WrittenNumber[] = [];
  for (let index = 0; index < words.length;) {
    const read = readAt(words, index);
    if (read === null) {
      index += 1;
      continue;
    }
    numbers.push({ kind: kindOf(words.slice(read.next, read.next + 3)), value: read.value, step: 1 });
    index = read.next;
  }
  return numbers;
}

function readAt(words: string[], start: number): { value: number; next: number } | null {
  let total = 0;
  let group = 0;
  /** The next cardinal of the group has to be smaller than this: "vinte e cinco", but not "cinco e vinte". */
  let below = Number.POSITIVE_INFINITY;
  let index = start;
  let next = start;
  while (index < words.length) {
    const word = words[index]!;
    const multiplier = multipliers.get(word);
    const cardinal =
      word === "um" || word === "uma" ? oneAt(words, index, { isFirst: next === start }) : cardinals.get(word);
    if (multiplier !== undefined) {
      total += (group === 0 ? 1 : group) * multiplier;
      group = 0;
      below = Number.POSITIVE_INFINITY;
    } else if (cardinal !== undefined && cardinal < below) {
      group += cardinal;
      below = cardinal >= 100 ? 100 : cardinal >= 20 ? 10 : 0;
    } else {
      break;
    }
    next = index + 1;
    index = words[next] === "e" ? next + 1 : next;
  }
  return next === start ? null : { value: total + group, next };
}

function oneAt(words: string[], index: number, { isFirst }: { isFirst: boolean }): number | undefined {
  const follows = words[index + 1] ?? "";
  if (!isFirst || multipliers.has(follows)) return 1;
  return follows === "%" || (follows === "por" && words[index + 2] === "cento") ? 1 : undefined;
}

function kindOf(following: string[]): WrittenNumber["kind"] {
  const [first, second] = following;
  if (first === "%" || (first === "por" && second === "cento") || first === "pontos") return "percent";
  return first === "reais" || first === "real" || (first === "de" && second === "reais") ? "money" : "plain";
}
