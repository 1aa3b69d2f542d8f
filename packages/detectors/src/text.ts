/** Lower case without accents, so that "Acréscimo" and "ACRESCIMO" are one word. */
export function fold(text: string): string {
  const lower = text.toLowerCase();
  if (!ACCENTED.test(lower)) return lower;
  return lower.replace(ACCENTED_LETTERS, (letter) => BARE.get(letter) ?? letter).replace(COMBINING, "");
}

const ACCENTED = /[\u00c0-\u017f]|[\u0300-\u036f]/;
const ACCENTED_LETTERS = /[\u00c0-\u017f]/g;
const COMBINING = /[\u0300-\u036f]/g;
const BARE = new Map(
  Array.from({ length: 0x180 - 0xc0 }, (_, index) => String.fromCharCode(0xc0 + index)).map((letter) => [
    letter,
    letter.normalize("NFD").replace(COMBINING, ""),
  ]),
);

export function wordsOf(text: string): Set<string> {
  return new Set(fold(text).match(/[a-z0-9]{3,}/g) ?? []);
}

export function isWithheld(text: string | null): boolean {
  return text !== null && text.length <= WITHHELD_CHARACTERS_MAX && WITHHELD.test(text);
}

const decimal = new Intl.NumberFormat("pt-BR", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

const WITHHELD = /protegida por sigilo/i;
/** What is put in place of a text is a sentence; longer texts that speak of secrecy are about something. */
const WITHHELD_CHARACTERS_MAX = 150;

/** "1.234,50" */
export function formatDecimal(value: number): string {
  return decimal.format(value);
}

/** "42,5 %" from 0.425. */
export function formatShare(share: number): string {
  return `${percent.format(share * 100)} %`;
}

const percent = new Intl.NumberFormat("pt-BR", { maximumFractionDigits: 1 });

export function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
