import { parseTarget, type TargetRules } from "@cidadao/channels/parse-target";
import type { Store } from "@cidadao/database/store";
import { openWatch, type Watch } from "@cidadao/database/watches";
import { detectors } from "@cidadao/detectors/registry";
import type { ChannelId } from "@cidadao/domain/alert";
import type { Severity } from "@cidadao/domain/severity";
import { parseWatchSubject, type WatchKind, type WatchSubject } from "@cidadao/domain/watch";
import { ConfigError } from "@cidadao/runtime/config";
import { AppError } from "@cidadao/runtime/errors";

/** Read by the API, which takes addresses, and by the worker, which sends to them. */
export { targetRules as watchTargetConfig } from "@cidadao/channels/parse-target";

export type WatchContext = { store: Store; targetRules: TargetRules };

export type WatchRequest = {
  kind: WatchKind;
  /** As a person writes it. */
  subject: string;
  channel: ChannelId;
  address: string;
  severityMin: Severity | null;
  ownerId: string | null;
};

const WATCHES_PER_TARGET_MAX = 200;

/** From now on every alert about the subject goes to the address as well. The same again is the same watch. */
export async function createWatch(
  context: WatchContext,
  request: WatchRequest,
  signal: AbortSignal,
): Promise<{ watch: Watch; created: boolean }> {
  const subject = subjectOf(request);
  const { channel, target } = targetOf(context.targetRules, request);
  const { address, severityMin, ownerId } = request;
  const given = { subject, channel, target, address: address.trim(), severityMin, ownerId };
  const opened = await openWatch(context.store, { ...given, perTargetMax: WATCHES_PER_TARGET_MAX }, signal);
  if (opened.outcome === "full") {
    throw new AppError(
      "invalid_request",
      `Este destino já acompanha ${WATCHES_PER_TARGET_MAX} assuntos, o máximo; apague um antes de criar outro.`,
    );
  }
  return { watch: opened.watch, created: opened.outcome === "created" };
}

const EXPECTED: Record<Exclude<WatchKind, "detector">, string> = {
  supplier: "um CNPJ com dígitos verificadores corretos",
  agency: "um código SIAFI de 5 dígitos ou um CNPJ com dígitos verificadores corretos",
};

function subjectOf({ kind, subject: text }: WatchRequest): WatchSubject {
  const subject = parseWatchSubject(kind, text);
  if (kind === "detector") {
    if (detectors.some((detector) => detector.id === subject?.id)) return subject!;
    const known = detectors.map((detector) => detector.id).join(", ");
    throw new AppError("invalid_request", `Detector desconhecido: ${text}. Existem: ${known}.`);
  }
  if (subject === null)
    throw new AppError("invalid_request", `${text} não serve para ${kind}: envie ${EXPECTED[kind]}.`);
  return subject;
}

function targetOf(rules: TargetRules, { channel, address }: WatchRequest) {
  try {
    return parseTarget({ channel, address }, rules);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new AppError("invalid_request", `O endereço não serve para ${channel}: ${error.message}`);
  }
}
