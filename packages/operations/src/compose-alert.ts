import type { Alert } from "@cidadao/database/alerts";
import type { Anomaly } from "@cidadao/database/anomalies";
import type { AlertContent, AlertFinding, AlertMessage } from "@cidadao/domain/alert";
import { formatBrl } from "@cidadao/domain/money";
import { severities, severityNames } from "@cidadao/domain/severity";
import { formatCnpj } from "@cidadao/domain/tax-id";
import type { WatchSubject } from "@cidadao/domain/watch";
import { feedbackUrl } from "./feedback-link.ts";

export type FoundAlert = {
  alert: Alert;
  anomalies: Anomaly[];
  /** Why the target hears of it, where it is for what it watches; the alert is then only of that. */
  watched: WatchSubject[];
};

/** Findings named in one message; the rest is counted. */
const FINDINGS_SHOWN_MAX = 10;

/** Where a message leads back to: the public API's base, and the secret that signs links to say what a finding is. */
export type AlertLinks = { publicUrl: string | null; feedbackSecret: string | null };

/** The same words for every channel: one alert as itself, several as one message that names each. */
export function composeAlert(found: FoundAlert[], links: AlertLinks): AlertMessage {
  const contents = found.map((one) => ({ id: one.alert.id, content: contentOf(one, links) }));
  const ids = contents.map(({ id }) => id);
  const [first] = contents;
  if (contents.length === 1) return { ids, ...first!.content };
  const gravestFirst = contents.toSorted((a, b) => rank(b.content) - rank(a.content));
  const { severity } = gravestFirst[0]!.content;
  const findings = gravestFirst
    .flatMap(({ content }) => content.findings)
    .toSorted((a, b) => rank(b) - rank(a) || b.amountAtRiskCents - a.amountAtRiskCents);
  const samples = new Set(contents.flatMap(({ content }) => content.sample ?? []));
  return {
    ids,
    title: `${contents.length} alertas, o mais grave de severidade ${severityNames[severity]}`,
    severity,
    summary:
      "Estes alertas chegaram juntos e vão em uma mensagem só. Um indício é um motivo para olhar, não uma acusação.",
    notes: gravestFirst.flatMap(({ content }) => [
      `${content.title}${content.investigationUrl === null ? "" : ` — ${content.investigationUrl}`}`,
      ...content.notes,
    ]),
    findings: findings.slice(0, FINDINGS_SHOWN_MAX),
    findingsTotal: contents.reduce((sum, { content }) => sum + content.findingsTotal, 0),
    investigationUrl: null,
    sample: samples.size === 0 ? null : [...samples].join("; "),
  };
}

function rank({ severity }: Pick<AlertContent, "severity">): number {
  return severities.indexOf(severity);
}

function contentOf({ alert, anomalies, watched }: FoundAlert, { publicUrl, feedbackSecret }: AlertLinks): AlertContent {
  if (alert.message !== null) return alert.message;
  const total = anomalies.reduce((sum, anomaly) => sum + anomaly.amountAtRiskCents, 0);
  const findings = `${alert.findings} ${alert.findings === 1 ? "indício novo" : "indícios novos"}`;
  const { severity } = alert;
  return {
    title: `Alerta de anomalia: ${findings}, ${alert.findings === 1 ? "" : "o mais grave "}de severidade ${severityNames[severity]}`,
    severity,
    summary:
      `${anomalies.length === 1 ? "Valor" : `Os ${anomalies.length} mais graves somam valor`} em atenção de ${formatBrl(total)}. ` +
      "Um indício é um motivo para olhar, não uma acusação.",
    notes: watched.length === 0 ? [] : [`Este destino acompanha: ${watched.map(subjectName).join(", ")}.`],
    findings: anomalies.map((anomaly) => ({
      ...alertFinding(anomaly),
      feedbackUrl:
        publicUrl === null || feedbackSecret === null
          ? null
          : feedbackUrl({ publicUrl, secret: feedbackSecret, anomalyId: anomaly.id }),
    })),
    findingsTotal: alert.findings,
    investigationUrl: publicUrl === null ? null : `${publicUrl}/api/v1/investigations/${alert.investigationId}/report`,
    sample: anomalies.find((anomaly) => anomaly.sample !== null)?.sample ?? null,
  };
}

function subjectName({ kind, id }: WatchSubject): string {
  const shown = id.length === 14 && kind !== "detector" ? formatCnpj(id) : id;
  return `${{ supplier: "fornecedor", agency: "órgão", detector: "detector" }[kind]} ${shown}`;
}

export function alertFinding(anomaly: Anomaly): AlertFinding {
  const { title, severity, reason, agencyName, supplierName, amountAtRiskCents, evidence } = anomaly;
  return {
    title,
    severity,
    reason,
    agencyName,
    supplierName,
    amountAtRiskCents,
    url: evidence.records[0]?.url ?? null,
  };
}
