import type { SinkEmbed, SinkPayload } from "./validate-payload.ts";

export type InboxOptions = {
  /** `ansi` draws the frame in the embed's colour. */
  colour?: "ansi" | "none";
  columns?: number;
};

const COLUMNS = 100;
const COLUMNS_MIN = 40;

/** An accepted message as a box for a terminal: what a person would see in the channel. */
export function renderInboxMessage(payload: SinkPayload, options: InboxOptions = {}): string {
  const { colour = "none", columns = COLUMNS } = options;
  const width = Math.max(COLUMNS_MIN, columns) - 4;
  const boxes = (payload.embeds ?? []).map((embed) => {
    const paint = colour === "ansi" ? painter(embed.color ?? 0) : (text: string) => text;
    return boxOf(linesOf(embed, width), { width, paint });
  });
  const content = payload.content ? [wrap(readable(payload.content), width + 4).join("\n")] : [];
  return [...content, ...boxes].join("\n");
}

function linesOf(embed: SinkEmbed, width: number): (string | null)[] {
  const block = (text: string | undefined) => (text ? wrap(readable(text), width) : []);
  const fields = (embed.fields ?? []).flatMap((field) => ["", ...block(field.name), ...block(field.value)]);
  const footer = embed.footer ? [null, ...block(embed.footer.text)] : [];
  return [...block(embed.title), null, ...block(embed.description), ...fields, ...footer];
}

/** `null` is a rule across the box. */
function boxOf(lines: (string | null)[], { width, paint }: { width: number; paint: (text: string) => string }): string {
  const rule = "─".repeat(width + 2);
  const inside = lines.map((line) =>
    line === null
      ? paint(`├${rule}┤`)
      : `${paint("│")} ${line}${" ".repeat(Math.max(0, width - columnsOf(line)))} ${paint("│")}`,
  );
  return [paint(`┌${rule}┐`), ...inside, paint(`└${rule}┘`)].join("\n");
}

/** Discord's markup as plain text; no character reaches the terminal that could command it. */
function readable(text: string): string {
  return text
    .replace(/(?<!\\)\*\*/g, "")
    .replace(/(?<!\\)\[((?:[^\]\\]|\\.)*)\]\(([^)\s]*)\)/g, "$1: $2")
    .replace(/\\([^\p{L}\p{N}\s])/gu, "$1")
    .replace(/[\p{Cf}]/gu, "")
    .replace(/(?!\n)\p{Cc}/gu, " ");
}

function wrap(text: string, width: number): string[] {
  return text.split("\n").flatMap((paragraph) => wrapParagraph(paragraph, width));
}

function wrapParagraph(paragraph: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.split(/\s+/).flatMap((one) => pieces(one, width))) {
    const joined = line === "" ? word : `${line} ${word}`;
    if (columnsOf(joined) <= width) {
      line = joined;
      continue;
    }
    lines.push(line);
    line = word;
  }
  return [...lines, line];
}

/** A word longer than the box in parts that fit. */
function pieces(word: string, width: number): string[] {
  if (columnsOf(word) <= width) return [word];
  const parts: string[] = [];
  let part = "";
  for (const character of word) {
    if (columnsOf(part + character) > width) {
      parts.push(part);
      part = "";
    }
    part += character;
  }
  return [...parts, part];
}

/** East Asian wide characters and emoji take two columns, combining marks none. */
function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    columns +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return columns;
}

function painter(color: number): (text: string) => string {
  const [red, green, blue] = [(color >> 16) & 255, (color >> 8) & 255, color & 255];
  return (text) => `\u001b[38;2;${red};${green};${blue}m${text}\u001b[39m`;
}
