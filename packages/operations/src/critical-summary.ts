import type { Anomaly } from "@cidadao/database/anomalies";
import { listAnomaliesIn, listTroubledDeliveries, type TroubledDelivery } from "@cidadao/database/scheduled-work";
import type { AlertContent } from "@cidadao/domain/alert";
import type { Timestamp } from "@cidadao/domain/dates";
import { formatBrl } from "@cidadao/domain/money";
import { alertFinding } from "./compose-alert.ts";
import { tell, type TellContext } from "./tell.ts";

const WINDOW_MS = 24 * 3_600_000;
const ANOMALIES_MAX = 500;
const TROUBLED_MAX = 500;
/** What one message holds; a longer digest is several. */
const FINDINGS_PER_PART = 10;
const NOTES_PER_PART = 15;
const PARTS_MAX = 10;

/**
 * Tells of the critical findings of the day that ends with the slot, and of every alert in it that failed or may not have
 * arrived. The slot names the digest: run again, it tells nobody twice. A day with neither has no digest.
 */
export async function summariseCritical(
  context: TellContext,
  input: { slot: Timestamp },
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const until = new Date(input.slot);
  const window = { since: new Date(until.getTime() - WINDOW_MS).toISOString(), until: until.toISOString() };
  const found = { ...window, severity: "critical" as const, limit: ANOMALIES_MAX };
  const anomalies = await listAnomaliesIn(context.store, found, signal);
  const troubled = await listTroubledDeliveries(context.store, { ...window, limit: TROUBLED_MAX }, signal);
  const parts = digestParts(anomalies, troubled);
  let told = 0;
  for (const [index, message] of parts.entries()) {
    const dedupeKey = `critical-summary:${window.until}:${index + 1}`;
    if ((await tell(context, { kind: "digest", dedupeKey, message }, signal)) !== null) told++;
  }
  return { ...window, critical: anomalies.length, troubledAlerts: troubled.length, messages: parts.length, told };
}

/** Every finding and every trouble in some part, but for what is beyond the last part, which is counted there. */
function digestParts(anomalies: Anomaly[], troubled: TroubledDelivery[]): AlertContent[] {
  const notes = troubled.map(
    ({ status, channel, target, alertId, problem }) =>
      `${status === "unknown" ? "Talvez já enviado, sem confirmação" : "Não enviado"}: alerta ${alertId} para ${channel} ${target}` +
      (problem === null ? "" : ` (${problem})`),
  );
  const pages = Math.ceil(Math.max(anomalies.length / FINDINGS_PER_PART, notes.length / NOTES_PER_PART));
  const count = Math.min(pages, PARTS_MAX);
  const total = anomalies.reduce((sum, anomaly) => sum + anomaly.amountAtRiskCents, 0);
  return Array.from({ length: count }, (_, part) => {
    const isLast = part === count - 1;
    const left = isLast ? Math.max(0, notes.length - count * NOTES_PER_PART) : 0;
    const shown = anomalies.slice(part * FINDINGS_PER_PART, (part + 1) * FINDINGS_PER_PART);
    return {
      title: `Resumo do dia: ${anomalies.length} indícios críticos${count > 1 ? ` (${part + 1} de ${count})` : ""}`,
      severity: anomalies.length > 0 ? "critical" : "high",
      summary:
        anomalies.length > 0
          ? `Nas últimas 24 horas, ${anomalies.length} indícios críticos somam ${formatBrl(total)} em atenção. Um indício é um motivo para olhar, não uma acusação.`
          : "Nas últimas 24 horas não houve indício crítico, mas há alertas com problema de entrega.",
      notes: [
        ...notes.slice(part * NOTES_PER_PART, (part + 1) * NOTES_PER_PART),
        ...(left > 0 ? [`E mais ${left} alertas com problema de entrega.`] : []),
      ],
      findings: shown.map(alertFinding),
      findingsTotal: isLast ? shown.length + Math.max(0, anomalies.length - count * FINDINGS_PER_PART) : shown.length,
      investigationUrl: null,
      sample: shown.find((anomaly) => anomaly.sample !== null)?.sample ?? null,
    };
  });
}
