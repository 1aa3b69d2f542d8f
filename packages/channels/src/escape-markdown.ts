import { plainText } from "./plain-text.ts";

const ZERO_WIDTH_SPACE = "\u200b";
/** The colon too: without it no address is a link. */
const MARKUP = new Set("\\*_~`|>#-[]()<:");

/**
 * A stranger's text as literal Discord text of at most `charactersMax` UTF-16 units: no mention, link, markdown or
 * invisible character survives. The cut never falls inside an escape.
 */
export function escapeMarkdown(text: string, charactersMax: number): string {
  if (charactersMax < 1) return "";
  let escaped = "";
  for (const character of plainText(text, 4 * charactersMax)) {
    const next = MARKUP.has(character) ? `\\${character}` : character === "@" ? `@${ZERO_WIDTH_SPACE}` : character;
    if (escaped.length + next.length > charactersMax - 1) return `${escaped}…`;
    escaped += next;
  }
  return escaped;
}
