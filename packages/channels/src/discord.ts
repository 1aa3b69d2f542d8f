import type { AlertFinding, AlertMessage } from "@cidadao/domain/alert";
import { formatBrl } from "@cidadao/domain/money";
import { type Severity, severityNames } from "@cidadao/domain/severity";
import { messageOf } from "@cidadao/runtime/errors";
import { type HttpClient, HttpError, type HttpResponse } from "@cidadao/runtime/http-client";
import { z } from "zod";
import type { SendOutcome } from "./channel.ts";
import { escapeMarkdown } from "./escape-markdown.ts";
import { publicRecordUrl } from "./public-record-url.ts";

export type DiscordContext = { http: Pick<HttpClient, "request"> };
export type DiscordInput = { webhookUrl: URL; message: AlertMessage };

export type DiscordEmbed = {
  title: string;
  url?: string;
  description: string;
  color: number;
  fields: { name: string; value: string }[];
  footer: { text: string };
};

export type DiscordPayload = { embeds: DiscordEmbed[]; allowed_mentions: { parse: [] } };

/** https://discord.com/developers/docs/resources/message#embed-object-embed-limits */
const discordLimits = {
  contentCharactersMax: 2_000,
  embedsMax: 10,
  titleCharactersMax: 256,
  descriptionCharactersMax: 4_096,
  fieldsMax: 25,
  fieldNameCharactersMax: 256,
  fieldValueCharactersMax: 1_024,
  footerCharactersMax: 2_048,
  /** Of all titles, descriptions, field names, field values and footers of a message together. */
  embedsCharactersMax: 6_000,
} as const;

const BYTES_MAX = 256 * 1024;
const TIMEOUTS = { connectMs: 5_000, headersMs: 15_000, bodyMs: 10_000, totalMs: 25_000 };

/** Posts one alert. Rejects never: what is not known to have failed is `unknown`. */
export async function sendDiscord(
  context: DiscordContext,
  input: DiscordInput,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const url = new URL(input.webhookUrl);
  // Without it Discord answers before the message is stored, and names no id.
  url.searchParams.set("wait", "true");
  const withoutToken = redactor(input.webhookUrl);
  try {
    const response = await context.http.request(
      {
        method: "POST",
        url: url.href,
        headers: { "content-type": "application/json" },
        body: JSON.stringify(buildDiscordPayload(input.message)),
        bytesMax: BYTES_MAX,
        timeouts: TIMEOUTS,
        redirect: "manual",
        source: "discord",
        route: "/api/webhooks/:id/:token",
      },
      signal,
    );
    return withProblem(readResponse(response), withoutToken);
  } catch (error) {
    const problem = withoutToken(messageOf(error));
    if (error instanceof HttpError && error.phase === "connect") return { kind: "retry", afterSeconds: null, problem };
    return { kind: "unknown", problem: `it may have arrived: ${problem}` };
  }
}

const accepted = z.object({ id: z.string().regex(/^\d{1,25}$/) });
const rateLimited = z.object({
  retry_after: z.number().min(0).optional().catch(undefined),
  global: z.boolean().optional().catch(undefined),
});
const refused = z.object({
  message: z.string().optional().catch(undefined),
  code: z.number().optional().catch(undefined),
  errors: z.unknown().optional(),
});

function readResponse(response: HttpResponse): SendOutcome {
  const { status } = response;
  const body = parseJson(response.text);
  if (status >= 200 && status < 300) {
    const parsed = accepted.safeParse(body);
    const pauseSeconds = pauseBeforeNext(response.headers);
    return {
      kind: "sent",
      externalId: parsed.success ? parsed.data.id : null,
      ...(pauseSeconds === null ? {} : { pauseSeconds }),
    };
  }
  if (status === 429) {
    const limit = rateLimited.safeParse(body).data ?? {};
    const isGlobal = limit.global === true || response.headers["x-ratelimit-global"] === "true";
    const scope = isGlobal ? "all of Discord" : "this webhook";
    const afterSeconds = pauseOf(limit.retry_after, response.headers["retry-after"]);
    const pause = isGlobal ? ("channel" as const) : ("target" as const);
    return { kind: "retry", afterSeconds, pause, problem: `HTTP 429: Discord asks for a pause (${scope})` };
  }
  if (status >= 500 || status === 408)
    return { kind: "retry", afterSeconds: null, problem: `HTTP ${status} from Discord` };
  const problem = `HTTP ${status} from Discord${refusalOf(status, body)}`;
  return { kind: "failed", problem, ...(isGone(status) ? { targetIsGone: true } : {}) };
}

function isGone(status: number): boolean {
  return status === 401 || status === 403 || status === 404;
}

/** Discord tells with every answer how much of its limit is left; with nothing left the next message waits. */
function pauseBeforeNext(headers: Record<string, string>): number | null {
  const resetAfter = Number(headers["x-ratelimit-reset-after"]);
  return headers["x-ratelimit-remaining"] === "0" && resetAfter > 0 ? resetAfter : null;
}

/** The longer of what the body and the header ask for; the body has fractions, the header whole seconds. */
function pauseOf(fromBody: number | undefined, header: string | undefined): number | null {
  const fromHeader = header !== undefined && /^\d+(\.\d+)?$/.test(header) ? Number(header) : undefined;
  // The header is the body's value rounded up: where both speak, the body is exact.
  return fromBody ?? fromHeader ?? null;
}

const PROBLEM_CHARACTERS_MAX = 500;

function refusalOf(status: number, body: unknown): string {
  const { message, code, errors } = refused.safeParse(body).data ?? {};
  const said = [
    message,
    code === undefined ? null : `code ${code}`,
    errors === undefined ? null : JSON.stringify(errors),
  ]
    .filter((part) => typeof part === "string" && part !== "")
    .join(", ");
  const advice = isGone(status) ? ". Check ALERT_WEBHOOKS: the webhook is gone" : "";
  return `${said === "" ? "" : `: ${said.slice(0, PROBLEM_CHARACTERS_MAX)}`}${advice}`;
}

function withProblem(outcome: SendOutcome, clean: (text: string) => string): SendOutcome {
  return outcome.kind === "sent" ? outcome : { ...outcome, problem: clean(outcome.problem) };
}

/** The token is the whole authority of a webhook: who reads it may post. */
function redactor(webhookUrl: URL): (text: string) => string {
  const token = webhookUrl.pathname.split("/").at(-1) ?? "";
  return (text) => (token === "" ? text : text.replaceAll(token, "[secret]"));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const colours: Record<Severity, number> = {
  critical: 0xdc3545,
  high: 0xfd7e14,
  medium: 0xffc107,
  low: 0x28a745,
  info: 0x6c757d,
};

const FOOTER = "Cidadão.AI · Um indício é um motivo para olhar, não uma acusação.";
const SUMMARY_CHARACTERS_MAX = 1_000;
const NOTES_CHARACTERS_MAX = 1_500;
const NOTE_CHARACTERS_MAX = 300;
const SAMPLE_CHARACTERS_MAX = 300;
const LINK_CHARACTERS_MAX = 300;
const FINDINGS_SHOWN_MAX = 10;
const IDS_SHOWN_MAX = 10;
const FIELD_NAME_CHARACTERS_MAX = 120;
const PARTY_CHARACTERS_MAX = 150;

/** One embed within Discord's limits, whatever the texts are. */
export function buildDiscordPayload(message: AlertMessage): DiscordPayload {
  const { titleCharactersMax, embedsCharactersMax } = discordLimits;
  const shown = message.findings.slice(0, FINDINGS_SHOWN_MAX);
  const url = webLink(message.investigationUrl);
  const title = escapeMarkdown(
    `[${severityNames[message.severity].toUpperCase()}] ${message.title}`,
    titleCharactersMax,
  );
  const description = descriptionOf(message, { shown: shown.length, url });
  const ids = message.ids.slice(0, IDS_SHOWN_MAX).map((id) => id.replace(/[^\w-]/g, "").slice(0, 50));
  const footer = [FOOTER, ...ids].join(" · ");
  const left = embedsCharactersMax - title.length - description.length - footer.length;
  const embed: DiscordEmbed = {
    title,
    ...(url === null ? {} : { url }),
    description,
    color: colours[message.severity],
    fields: shown.map((finding, index) =>
      fieldOf(finding, { number: index + 1, share: Math.floor(left / shown.length) - FIELD_NAME_CHARACTERS_MAX }),
    ),
    footer: { text: footer },
  };
  return { embeds: [embed], allowed_mentions: { parse: [] } };
}

function descriptionOf(message: AlertMessage, { shown, url }: { shown: number; url: string | null }): string {
  const lines = [escapeMarkdown(message.summary, SUMMARY_CHARACTERS_MAX) || "Novos indícios."];
  if (message.notes.length > 0) lines.push(notesOf(message.notes));
  if (message.sample !== null) {
    lines.push(`**Dados de amostra, não de hoje:** ${escapeMarkdown(message.sample, SAMPLE_CHARACTERS_MAX)}`);
  }
  if (message.findingsTotal > shown) lines.push(`Mostrando ${shown} de ${message.findingsTotal} indícios.`);
  if (url !== null) lines.push(`[Ver a investigação completa](${url})`);
  return lines.join("\n\n");
}

/** As many notes as there is room for; the rest is counted. */
function notesOf(notes: string[]): string {
  const lines: string[] = [];
  let characters = 0;
  for (const [index, note] of notes.entries()) {
    const line = `• ${escapeMarkdown(note, NOTE_CHARACTERS_MAX)}`;
    characters += line.length + 1;
    if (characters > NOTES_CHARACTERS_MAX) return [...lines, `… e mais ${notes.length - index}.`].join("\n");
    lines.push(line);
  }
  return lines.join("\n");
}

function fieldOf(finding: AlertFinding, { number, share }: { number: number; share: number }) {
  const valueMax = Math.min(discordLimits.fieldValueCharactersMax, share);
  const name = `${number}. ${finding.title} (${severityNames[finding.severity]})`;
  const partyMax = Math.min(PARTY_CHARACTERS_MAX, Math.floor(valueMax / 4));
  const head = [
    `**Valor em atenção:** ${formatBrl(finding.amountAtRiskCents)}`,
    ...(finding.agencyName === null ? [] : [`**Órgão:** ${escapeMarkdown(finding.agencyName, partyMax)}`]),
    ...(finding.supplierName === null ? [] : [`**Fornecedor:** ${escapeMarkdown(finding.supplierName, partyMax)}`]),
  ].join("\n");
  const links = [publicRecordLink(finding.url), feedbackLink(finding.feedbackUrl)].filter((one) => one !== null);
  const link = links.length === 0 ? null : links.join(" · ");
  // The link is left out before the reason is squeezed to nothing.
  const record = link === null || head.length + link.length + REASON_CHARACTERS_MIN > valueMax ? "" : `\n${link}`;
  const reason = escapeMarkdown(finding.reason, valueMax - head.length - record.length - 1);
  return {
    name: escapeMarkdown(name, FIELD_NAME_CHARACTERS_MAX) || "Indício",
    value: `${head}${reason === "" ? "" : `\n${reason}`}${record}`,
  };
}

const REASON_CHARACTERS_MIN = 80;

function publicRecordLink(text: string | null): string | null {
  const url = publicRecordUrl(text);
  return url === null ? null : `[Conferir no registro público](${markdownHref(url)})`;
}

function feedbackLink(text: string | null | undefined): string | null {
  const href = webLink(text ?? null);
  return href === null ? null : `[Procede?](${href})`;
}

/** The link back to our own API, whose base comes from the configuration. */
function webLink(text: string | null): string | null {
  const url = text === null ? null : URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return null;
  const href = markdownHref(url);
  return href.length > LINK_CHARACTERS_MAX ? null : href;
}

function markdownHref(url: URL): string {
  return url.href.replace(/[()<>\\*_~`|@]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
