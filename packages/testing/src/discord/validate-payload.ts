export type SinkField = { name: string; value: string; inline?: boolean };
export type SinkEmbed = {
  title?: string;
  url?: string;
  description?: string;
  color?: number;
  fields?: SinkField[];
  footer?: { text: string };
};
/** A message as Discord accepts it from a webhook. */
export type SinkPayload = {
  content?: string;
  embeds?: SinkEmbed[];
  allowed_mentions?: { parse?: string[] };
};

/** Errors in Discord's own form: path → `_errors`. `null`: accepted. */
export type PayloadErrors = { message: string; code: number; errors?: Record<string, unknown> };

const CONTENT_MAX = 2_000;
const EMBEDS_MAX = 10;
const TOTAL_MAX = 6_000;
const FIELDS_MAX = 25;

/** https://discord.com/developers/docs/resources/message#embed-object-embed-limits, counted in UTF-16 units. */
export function validatePayload(payload: unknown): PayloadErrors | null {
  if (typeof payload !== "object" || payload === null)
    return { message: "The request body contains invalid JSON.", code: 50109 };
  const { content = "", embeds = [] } = payload as SinkPayload;
  const problems: [path: string, code: string, message: string][] = [];
  const text = (path: string, value: unknown, max: number) => {
    if (typeof value !== "string" || value.trim() === "")
      problems.push([path, "BASE_TYPE_REQUIRED", "This field is required"]);
    else if (value.length > max) problems.push([path, "BASE_TYPE_MAX_LENGTH", `Must be ${max} or fewer in length.`]);
  };
  if (content === "" && embeds.length === 0) return { message: "Cannot send an empty message", code: 50006 };
  if (content !== "") text("content", content, CONTENT_MAX);
  if (embeds.length > EMBEDS_MAX)
    problems.push(["embeds", "BASE_TYPE_BAD_LENGTH", "Must be between 0 and 10 in length."]);
  let total = 0;
  for (const [index, embed] of embeds.entries()) {
    const at = `embeds.${index}`;
    const { title, description, fields = [], footer, url, color } = embed;
    if (title !== undefined) text(`${at}.title`, title, 256);
    if (description !== undefined) text(`${at}.description`, description, 4_096);
    if (footer !== undefined) text(`${at}.footer.text`, footer.text, 2_048);
    if (fields.length > FIELDS_MAX)
      problems.push([`${at}.fields`, "BASE_TYPE_BAD_LENGTH", "Must be 25 or fewer in length."]);
    for (const [number, field] of fields.entries()) {
      text(`${at}.fields.${number}.name`, field.name, 256);
      text(`${at}.fields.${number}.value`, field.value, 1_024);
      total += `${field.name}${field.value}`.length;
    }
    if (url !== undefined && !/^https?:\/\/\S+$/.test(url)) {
      problems.push([`${at}.url`, "URL_TYPE_INVALID_URL", "Not a well formed URL."]);
    }
    if (color !== undefined && !(Number.isInteger(color) && color >= 0 && color <= 0xffffff)) {
      problems.push([`${at}.color`, "NUMBER_TYPE_MAX", "int value should be less than or equal to 16777215."]);
    }
    total += (title?.length ?? 0) + (description?.length ?? 0) + (footer?.text.length ?? 0);
  }
  if (total > TOTAL_MAX) {
    problems.push(["embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000"]);
  }
  if (problems.length === 0) return null;
  return { message: "Invalid Form Body", code: 50035, errors: nest(problems) };
}

function nest(problems: [path: string, code: string, message: string][]): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, code, message] of problems) {
    let node = root;
    for (const part of path.split(".")) node = (node[part] ??= {}) as Record<string, unknown>;
    node["_errors"] = [{ code, message }];
  }
  return root;
}
