import { listPendingDeliveries, raiseAlert } from "@cidadao/database/alerts";
import { readWorkerSilence } from "@cidadao/database/worker-presence";
import type { AlertContent } from "@cidadao/domain/alert";
import type { QueueName } from "@cidadao/queue/jobs";
import { deliverAlert, type DeliverContext } from "./deliver-alert.ts";

export type WatchWorkersContext = DeliverContext & {
  queueDepths: (timeoutMs: number) => Promise<Record<QueueName, number> | null>;
  /** So long without a sign of any worker, and none is there. */
  goneSeconds: number;
};

const DEPTHS_TIMEOUT_MS = 2_500;

/**
 * When no worker gives a sign of life, says so to every target, from this process: what workers deliver waits with them.
 * One alert for each time that they are gone, whoever notices it, and one delivery a target with the guarantees of every
 * other; what could not be sent now is tried again by the next look. True while none is there.
 */
export async function watchWorkers(context: WatchWorkersContext, signal: AbortSignal): Promise<boolean> {
  const { store, logger } = context;
  const { seenAt, silentSeconds } = await readWorkerSilence(store, signal);
  if (silentSeconds !== null && silentSeconds < context.goneSeconds) return false;
  const dedupeKey = `workers-gone:${seenAt ?? "never"}`;
  const message = goneMessage(seenAt, await context.queueDepths(DEPTHS_TIMEOUT_MS));
  const targets = context.targets.map(({ channel, target, severityMin }) => ({ channel, target, severityMin }));
  const { alertId } = await raiseAlert(store, { kind: "operations", dedupeKey, message, targets }, signal);
  if (alertId !== null) logger.error({ seenAt, targets: targets.length }, "no worker is there");
  for (const deliveryId of await listPendingDeliveries(store, dedupeKey, signal)) {
    await deliverAlert(context, { deliveryId }, signal);
  }
  return true;
}

function goneMessage(seenAt: string | null, depths: Record<QueueName, number> | null): AlertContent {
  const waiting =
    depths === null
      ? "A fila também não responde."
      : `Na fila: ${Object.entries(depths)
          .map(([queue, count]) => `${queue} ${count}`)
          .join(", ")}.`;
  return {
    title: "Nenhum worker está no ar",
    severity: "critical",
    summary:
      seenAt === null
        ? "Nenhum worker deu sinal até agora. Nada é investigado, nenhum outro alerta sai e as agendas só esperam."
        : `O último sinal de um worker é de ${seenAt}. Desde então nada é investigado, nenhum outro alerta sai e as agendas só esperam.`,
    notes: [waiting, "Nada se perde: o que espera é feito quando um worker voltar. Este aviso sai uma vez por queda."],
    findings: [],
    findingsTotal: 0,
    investigationUrl: null,
    sample: null,
  };
}
