import type { AlertFinding, AlertMessage } from "@cidadao/domain/alert";
import { formatBrl } from "@cidadao/domain/money";
import { severityNames } from "@cidadao/domain/severity";
import { messageOf } from "@cidadao/runtime/errors";
import type { SendOutcome } from "./channel.ts";
import { plainText } from "./plain-text.ts";
import { publicRecordUrl } from "./public-record-url.ts";

export type MailerConfig = { url: string; from: string };

const TIMEOUTS = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 };
const PROBLEM_CHARACTERS_MAX = 300;

/** Sends one alert to one address. Rejects never: what is not known to have failed is `unknown`. */
export async function sendEmail(
  config: MailerConfig,
  input: { to: string; message: AlertMessage },
  signal: AbortSignal,
): Promise<SendOutcome> {
  if (signal.aborted) return { kind: "retry", afterSeconds: null, problem: "given up before it was sent" };
  const { subject, text, html } = renderEmail(input.message);
  const domain = config.from.split("@").at(-1)!.replace(/[>\s]/g, "");
  // The library reports a connection that closes in the middle as one that was never made; its dialogue tells them apart.
  let mayHaveLeft = false;
  const heed = (_entry: unknown, line: unknown) => {
    if (line === "DATA") mayHaveLeft = true;
  };
  // Loaded by who sends e-mail: it is a few megabytes for every process that could.
  const { createTransport } = await import("nodemailer");
  const transport = createTransport({
    url: config.url,
    ...TIMEOUTS,
    // Nothing in a message may make this process read a file or an address.
    disableFileAccess: true,
    disableUrlAccess: true,
    debug: true,
    logger: { level: () => {}, trace: heed, debug: heed, info: heed, warn: heed, error: heed, fatal: heed },
  });
  try {
    const sent = await transport.sendMail({
      from: config.from,
      to: input.to,
      subject,
      text,
      html,
      messageId: `<alert-${input.message.ids[0] ?? "none"}@${domain}>`,
      headers: { "auto-submitted": "auto-generated" },
    });
    return { kind: "sent", externalId: sent.messageId };
  } catch (error) {
    const { code, responseCode } = error as SmtpError;
    const problem = plainText(`e-mail: ${messageOf(error)}`, PROBLEM_CHARACTERS_MAX);
    // A server that answers 4xx or 5xx has taken nothing; 4xx means that it may later.
    if (responseCode !== undefined && responseCode >= 500) return { kind: "failed", problem };
    if (responseCode !== undefined && responseCode >= 400) return { kind: "retry", afterSeconds: null, problem };
    if (mayHaveLeft) return { kind: "unknown", problem: `it may have arrived: ${problem}` };
    if (code === "EAUTH" || code === "EENVELOPE") return { kind: "failed", problem };
    return { kind: "retry", afterSeconds: null, problem };
  } finally {
    transport.close();
  }
}

type SmtpError = Error & { code?: string; responseCode?: number };

const SUBJECT_CHARACTERS_MAX = 200;
const LINE_CHARACTERS_MAX = 1_000;
const FINDINGS_SHOWN_MAX = 50;
const NOTES_SHOWN_MAX = 100;
const CLOSING = "Cidadão.AI. Um indício é um motivo para olhar, não uma acusação.";

/** The same message twice: for readers that show HTML, and for those that do not. */
export function renderEmail(message: AlertMessage): { subject: string; text: string; html: string } {
  const line = (text: string) => plainText(text, LINE_CHARACTERS_MAX);
  const subject = plainText(
    `[${severityNames[message.severity].toUpperCase()}] ${message.title}`,
    SUBJECT_CHARACTERS_MAX,
  );
  const findings = message.findings.slice(0, FINDINGS_SHOWN_MAX);
  const notes = message.notes.slice(0, NOTES_SHOWN_MAX).map(line);
  const left = message.findingsTotal - findings.length;
  const remarks = [
    ...(message.sample === null ? [] : [`Dados de amostra, não de hoje: ${line(message.sample)}`]),
    ...(left > 0 ? [`E mais ${left} indícios.`] : []),
    ...(message.notes.length > notes.length ? [`E mais ${message.notes.length - notes.length} linhas.`] : []),
  ];
  const link = ownLink(message.investigationUrl);
  const closing = [CLOSING, ...message.ids.map((id) => `Alerta ${plainText(id, 50)}`)];
  const text = [
    line(message.summary),
    ...notes.map((note) => `- ${note}`),
    ...findings.map((finding, index) => textOf(finding, index + 1)),
    ...remarks,
    ...(link === null ? [] : [`A investigação completa: ${link}`]),
    closing.join("\n"),
  ].join("\n\n");
  const html = [
    `<!doctype html><html lang="pt-BR"><body><h2>${escapeHtml(subject)}</h2><p>${escapeHtml(line(message.summary))}</p>`,
    ...(notes.length > 0 ? [`<ul>${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join("")}</ul>`] : []),
    ...(findings.length > 0 ? [`<ol>${findings.map(htmlOf).join("")}</ol>`] : []),
    ...remarks.map((remark) => `<p>${escapeHtml(remark)}</p>`),
    ...(link === null ? [] : [`<p><a href="${escapeHtml(link)}">Ver a investigação completa</a></p>`]),
    `<p><small>${closing.map(escapeHtml).join("<br>")}</small></p></body></html>`,
  ].join("\n");
  return { subject, text, html };
}

function partsOf(finding: AlertFinding) {
  const line = (text: string) => plainText(text, LINE_CHARACTERS_MAX);
  return {
    title: `${line(finding.title)} (${severityNames[finding.severity]})`,
    lines: [
      `Valor em atenção: ${formatBrl(finding.amountAtRiskCents)}`,
      ...(finding.agencyName === null ? [] : [`Órgão: ${line(finding.agencyName)}`]),
      ...(finding.supplierName === null ? [] : [`Fornecedor: ${line(finding.supplierName)}`]),
      line(finding.reason),
    ],
    links: [
      { label: "Conferir no registro público", url: publicRecordUrl(finding.url)?.href ?? null },
      { label: "Dizer se procede", url: ownLink(finding.feedbackUrl ?? null) },
    ].flatMap(({ label, url }) => (url === null ? [] : [{ label, url }])),
  };
}

function textOf(finding: AlertFinding, number: number): string {
  const { title, lines, links } = partsOf(finding);
  return [`${number}. ${title}`, ...lines, ...links.map(({ label, url }) => `${label}: ${url}`)].join("\n   ");
}

function htmlOf(finding: AlertFinding): string {
  const { title, lines, links } = partsOf(finding);
  const shown = links.map(({ label, url }) => `<br><a href="${escapeHtml(url)}">${escapeHtml(label)}</a>`);
  return `<li><strong>${escapeHtml(title)}</strong><br>${lines.map(escapeHtml).join("<br>")}${shown.join("")}</li>`;
}

function ownLink(text: string | null): string | null {
  const url = text === null ? null : URL.parse(text);
  return url !== null && (url.protocol === "https:" || url.protocol === "http:") ? url.href : null;
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}
