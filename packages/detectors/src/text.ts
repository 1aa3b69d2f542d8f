/** Lower case without accents, so that "Acréscimo" and "ACRESCIMO" are one word. */
export function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

export function wordsOf(text: string): Set<string> {
  return new Set(fold(text).match(/[a-z0-9]{3,}/g) ?? []);
}

export function isWithheld(text: string | null): boolean {
  return text !== null && fold(text).includes("protegida por sigilo");
}

const decimal = new Intl.NumberFormat("pt-BR", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

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
