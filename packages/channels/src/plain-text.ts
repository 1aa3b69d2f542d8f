import { maskCpfsInText } from "@cidadao/domain/tax-id";

/** Characters without a shape of their own: zero-width, bidirectional and tag characters, variation selectors. */
const HIDDEN = /[\p{Cf}\u{fe00}-\u{fe0f}\u{e0000}-\u{e0fff}\u115f\u1160\u3164\uffa0]+/gu;

/** A stranger's text on one line: nothing invisible, no control character, no CPF, at most `charactersMax` long. */
export function plainText(text: string, charactersMax: number): string {
  const visible = text
    .slice(0, 4 * charactersMax)
    .toWellFormed()
    .replace(HIDDEN, "");
  const clean = maskCpfsInText(visible)
    .replace(/[\p{Cc}\p{Co}\p{Cn}\s]+/gu, " ")
    .trim();
  return clean.length <= charactersMax ? clean : `${clean.slice(0, charactersMax - 1).toWellFormed()}…`;
}
