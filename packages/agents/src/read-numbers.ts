import { fold } from "./plain-text.ts";

/** What a number in a text claims to count; `money` in reais, `percent` in hundredths. */
export type NumberKind = "money" | "percent" | "plain";

/** `step` is the weight of its last written digit: 100_000 for "1,2 milhão". `null`: not readable as one number. */
export type WrittenNumber = { kind: NumberKind; value: number | null; step: number };

const DIGITS = /(?<!\d)(?:\d{1,3}(?:[ '’]\d{3})+(?![\d])(?:[.,]\d+)?|\d[\d.,]*\d|\d)/gu;
const MONEY_BEFORE = /(?:R\$|\breais|\bBRL)\s*$/iu;
const OTHER_MONEY_BEFORE = /(?:US\$|U\$S?|\$|€|£)\s*$/u;
const SCALE_AFTER = /^\s*(mil(?:h[aã]o|h[oõ]es)?|bilh[aã]o|bilh[oõ]es|trilh[aã]o|trilh[oõ]es|mi|bi)(?![\p{L}\d])/iu;
const MONEY_AFTER = /^\s*(?:de\s+)?(?:reais|real|centavos?)(?![\p{L}\d])/iu;
const PERCENT_AFTER = /^\s*(?:%|por\s+cento|pontos?\s+percentua(?:l|is)|p\.\s?p\.)/iu;

const scales: readonly (readonly [RegExp, number])[] = [
  [/^trilh/, 1e12],
  [/^bi/, 1e9],
  [/^milh|^mi$/, 1e6],
  [/^mil$/, 1e3],
];

/** Every number written with digits, and the text with those numbers taken out. */
export function readNumbers(text: string): { numbers: WrittenNumber[]; rest: string } {
  const numbers: WrittenNumber[] = [];
  let rest = "";
  let end = 0;
  for (const match of text.matchAll(DIGITS)) {
    if (match.index < end) continue;
    const before = text.slice(Math.max(0, match.index - 12), match.index);
    let next = match.index + match[0].length;
    const scaleWord = SCALE_AFTER.exec(text.slice(next, next + 20));
    const scale = scaleWord ? (scales.find(([word]) => word.test(fold(scaleWord[1]!)))?.[1] ?? 1) : 1;
    next += scaleWord?.[0].length ?? 0;
    const after = text.slice(next, next + 30);
    const unit = PERCENT_AFTER.exec(after) ?? MONEY_AFTER.exec(after);
    const { value, decimals } = parseDecimal(match[0]);
    const isMoney = MONEY_BEFORE.test(before) || MONEY_AFTER.test(after);
    const isForeign = !isMoney && OTHER_MONEY_BEFORE.test(before);
    numbers.push({
      kind: PERCENT_AFTER.test(after) ? "percent" : isMoney ? "money" : "plain",
      value: value === null || isForeign ? null : value * scale,
      step: scale * 10 ** -decimals,
    });
    rest += `${text.slice(end, match.index)} ; `;
    end = next + (unit?.[0].length ?? 0);
  }
  return { numbers, rest: rest + text.slice(end) };
}

const BRAZILIAN = /^(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,(\d+))?$/;
const ENGLISH = /^(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d+))?$/;

/** As a Brazilian reads it; the English reading only where there is no Brazilian one. */
function parseDecimal(text: string): { value: number | null; decimals: number } {
  const compact = text.replace(/[ '’]/g, "");
  const brazilian = BRAZILIAN.exec(compact);
  if (brazilian) {
    return { value: Number(compact.replaceAll(".", "").replace(",", ".")), decimals: brazilian[1]?.length ?? 0 };
  }
  const english = ENGLISH.exec(compact);
  if (english) return { value: Number(compact.replaceAll(",", "")), decimals: english[1]?.length ?? 0 };
  return { value: null, decimals: 0 };
}
