import { maskCpfsInText } from "@cidadao/domain/tax-id";

/** Characters without a shape of their own: zero-width, bidirectional and tag characters, variation selectors. */
const HIDDEN = /[\p{Cf}\u{fe00}-\u{fe0f}\u{e0000}-\u{e0fff}\u115f\u1160\u3164\uffa0]+/gu;
/** Letters that a Portuguese text is made of; no look-alike of another alphabet or style is among them. */
const LETTERS = "A-Za-zÀ-ÖØ-öø-ÿ";
const MARKS = ".,;:!?%$'‘’/+=×÷−–—\\-ºª°§²³&≥≤√()*…";
const UNWANTED = new RegExp(`[^${LETTERS}0-9 ${MARKS}]+`, "gu");
/** What the text of an explanation may be made of. */
export const ALLOWED = new RegExp(`^[${LETTERS}0-9 ${MARKS}“”"«»]*$`, "u");

/**
 * A stranger's text as plain words on one line, of at most `charactersMax` characters: what cannot be a link, a
 * mention, markup or an instruction to a terminal. CPFs are masked.
 */
export function plainText(text: string, charactersMax: number): string {
  const bounded = text.slice(0, 4 * charactersMax).toWellFormed();
  const plain = maskCpfsInText(bounded.normalize("NFC").replace(HIDDEN, ""))
    .replace(/[^\p{ASCII}À-ÿ]/gu, withoutAccents)
    .replace(UNWANTED, " ")
    .replace(/\b(?:https?|www|discord|mailto)\b/giu, " ")
    // "loja.com" would be a link, "S.A." is a company.
    .replace(/(?<=[\p{L}\p{N}])\.(?=\p{L}{2})/gu, " ")
    .replace(/:[\s:]*(?=\/)/g, " ")
    .replace(/\/(?:\s*\/)+/g, "/")
    .replace(/\*{4,}/g, "***")
    .replace(/\s+/g, " ")
    .replace(/^[\s.,;:!?/]+/, "")
    .trim();
  return plain.length <= charactersMax ? plain : `${plain.slice(0, charactersMax - 1).trimEnd()}…`;
}

function withoutAccents(character: string): string {
  return MARKS.includes(character) ? character : character.normalize("NFKD").replace(/\p{M}/gu, "");
}

/** Lower case without accents, so that "Fraude" and "FRAUDE" are one word. */
export function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
