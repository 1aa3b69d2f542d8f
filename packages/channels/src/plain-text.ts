import { maskCpfsInText } from "@cidadao/domain/tax-id";

/** Characters without a shape of their own: zero-width, bidirectional and tag characters, variation selectors. */
const HIDDEN = /[\p{Cf}\u{fe00}-\u{fe0f}\u{e0000}-\u{e0fff}\u115f\u1160\u3164\uffa0]+/gu;

const CPF_BEGUN = /[\d.-]{1,13}$/;

/** A stranger's text on one line: nothing invisible, no control character, no CPF, at most `charactersMax` long. */
export function plainText(text: string, charactersMax: number): string {
  const read = text.slice(0, 4 * charactersMax);
  // A CPF that the cut goes through would not be known for one.
  const whole = read.length < text.length ? read.replace(CPF_BEGUN, "") : text;
  const visible = whole.toWellFormed().replace(HIDDEN, "");
  const clean = maskCpfsInText(visible)
    .replace(/[\p{Cc}\p{Co}\p{Cn}\s]+/gu, " ")
    .trim();
  return clean.length <= charactersMax ? clean : `${clean.slice(0, charactersMax - 1).toWellFormed()}…`;
}
