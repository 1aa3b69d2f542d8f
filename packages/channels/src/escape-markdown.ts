import { maskCpfsInText } from "@cidadao/domain/tax-id";

const ZERO_WIDTH_SPACE = "\u200b";
/** The colon too: without it no address is a link. */
const MARKUP = new Set("\\*_~`|>#-[]()<:");
/** Characters without a shape of their own: zero-width, bidirectional and tag characters, variation selectors. */
const HIDDEN = /[\p{Cf}\u{fe00}-\u{fe0f}\u{e0000}-\u{e0fff}\u115f\u1160\u3164\uffa0]+/gu;

/**
 * A stranger's text as literal Discord text of at most `charactersMax` UTF-16 units: no mention, link, markdown or
 * invisible character survives. The cut never falls inside an escape.
 */
export function escapeMarkdown(text: string, charactersMax: number): string {
  if (charactersMax < 1) return "";
  const visible = text
    .slice(0, 4 * charactersMax)
    .toWellFormed()
    .replace(HIDDEN, "");
  const clean = maskCpfsInText(visible)
    .replace(/[\p{Cc}\p{Co}\p{Cn}\s]+/gu, " ")
    .trim();
  let escaped = "";
  for (const character of clean) {
    const next = MARKUP.has(character) ? `\\${character}` : character === "@" ? `@${ZERO_WIDTH_SPACE}` : character;
    if (escaped.length + next.length > charactersMax - 1) return `${escaped}…`;
    escaped += next;
  }
  return escaped;
}
