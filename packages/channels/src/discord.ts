import type { AlertMessage } from "@cidadao/domain/alert";
import { formatBrl } from "@cidadao/domain/money";
import { type Severity, severityNames } from "@cidadao/domain/severity";
import { messageOf } from "@cidadao/runtime/errors";
import { type HttpClient, HttpError, type HttpResponse } from "@cidadao/runtime/http-client";
import { z } from "zod";
import type { SendOutcome } from "./channel.ts";
import { escapeMarkdown } from "./escape-markdown.ts";

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
    return { kind: "sent", externalId: parsed.success ? parsed.data.id : null };
  }
  if (status === 429) {
    const limit = rateLimited.safeParse(body).data ?? {};
    const scope =
      limit.global === true || response.headers["x-ratelimit-global"] === "true" ? "all of Discord" : "this webhook";
    const afterSeconds = pauseOf(limit.retry_after, response.headers["retry-after"]);
    return { kind: "retry", afterSeconds, problem: `HTTP 429: Discord asks for a pause (${scope})` };
  }
  if (status >= 500 || status === 408)
    return { kind: "retry", afterSeconds: null, problem: `HTTP ${status} from Discord` };
  return { kind: "failed", problem: `HTTP ${status} from Discord${refusalOf(status, body)}` };
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
  const advice =
    status === 401 || status === 403 || status === 404 ? ". Check ALERT_WEBHOOKS: the webhook is gone" : "";
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
const SAMPLE_CHARACTERS_MAX = 300;
const LINK_CHARACTERS_MAX = 300;
const FINDINGS_SHOWN_MAX = 10;
const FIELD_NAME_CHARACTERS_MAX = 120;
const PARTY_CHARACTERS_MAX = 150;
/** What is left of Discord's total when title, description and footer are as long as they may be here. */
const FIELDS_CHARACTERS_MAX =
  discordLimits.embedsCharactersMax -
  discordLimits.titleCharactersMax -
  (SUMMARY_CHARACTERS_MAX + SAMPLE_CHARACTERS_MAX + LINK_CHARACTERS_MAX + 200) -
  FOOTER.length -
  60;

/** One embed within Discord's limits, whatever the texts are. */
export function buildDiscordPayload(message: AlertMessage): DiscordPayload {
  const { titleCharactersMax } = discordLimits;
  const shown = message.findings.slice(0, FINDINGS_SHOWN_MAX);
  const url = webLink(message.investigationUrl);
  const title = `[${severityNames[message.severity].toUpperCase()}] ${message.title}`;
  const embed: DiscordEmbed = {
    title: escapeMarkdown(title, titleCharactersMax),
    ...(url === null ? {} : { url }),
    description: descriptionOf(message, { shown: shown.length, url }),
    color: colours[message.severity],
    fields: shown.map((finding, index) => fieldOf(finding, { number: index + 1, shown: shown.length })),
    footer: { text: `${FOOTER} · ${message.id.replace(/[^\w-]/g, "").slice(0, 50)}` },
  };
  return { embeds: [embed], allowed_mentions: { parse: [] } };
}

function descriptionOf(message: AlertMessage, { shown, url }: { shown: number; url: string | null }): string {
  const lines = [escapeMarkdown(message.summary, SUMMARY_CHARACTERS_MAX) || "Novos indícios."];
  if (message.sample !== null) {
    lines.push(`**Dados de amostra, não de hoje:** ${escapeMarkdown(message.sample, SAMPLE_CHARACTERS_MAX)}`);
  }
  if (message.findingsTotal > shown) lines.push(`Mostrando ${shown} de ${message.findingsTotal} indícios.`);
  if (url !== null) lines.push(`[Ver a investigação completa](${url})`);
  return lines.join("\n\n");
}

function fieldOf(finding: AlertMessage["findings"][number], { number, shown }: { number: number; shown: number }) {
  const { fieldValueCharactersMax } = discordLimits;
  const share = Math.floor(FIELDS_CHARACTERS_MAX / shown) - FIELD_NAME_CHARACTERS_MAX;
  const valueMax = Math.min(fieldValueCharactersMax, share);
  const name = `${number}. ${finding.title} (${severityNames[finding.severity]})`;
  const partyMax = Math.min(PARTY_CHARACTERS_MAX, Math.floor(valueMax / 4));
  const head = [
    `**Valor em atenção:** ${formatBrl(finding.amountAtRiskCents)}`,
    ...(finding.agencyName === null ? [] : [`**Órgão:** ${escapeMarkdown(finding.agencyName, partyMax)}`]),
    ...(finding.supplierName === null ? [] : [`**Fornecedor:** ${escapeMarkdown(finding.supplierName, partyMax)}`]),
  ].join("\n");
  const link = publicRecordLink(finding.url);
  // The link is left out before the reason is squeezed to nothing.
  const record = link === null || head.length + link.length + REASON_CHARACTERS_MIN > valueMax ? "" : `\n${link}`;
  const reason = escapeMarkdown(finding.reason, valueMax - head.length - record.length - 1);
  return {
    name: escapeMarkdown(name, FIELD_NAME_CHARACTERS_MAX) || "Indício",
    value: `${head}${reason === "" ? "" : `\n${reason}`}${record}`,
  };
}

const REASON_CHARACTERS_MIN = 80;
/** Where Brazilian public bodies publish. Anything else in an alert is shown by nobody as a link. */
const PUBLIC_HOST = /(?:^|\.)(?:gov|leg|jus|mp|def|mil)\.br$/;

function publicRecordLink(text: string | null): string | null {
  const url = text === null ? null : URL.parse(text);
  if (url === null || url.protocol !== "https:" || url.port !== "" || url.username !== "" || url.password !== "")
    return null;
  if (!PUBLIC_HOST.test(url.hostname)) return null;
  return `[Conferir no registro público](${markdownHref(url)})`;
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
