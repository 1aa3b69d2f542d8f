import type { Timestamp } from "@cidadao/domain/dates";
import type { InvestigationPhase } from "@cidadao/domain/investigation";
import { camelRow } from "./rows.ts";
import { type Store, unwrap } from "./store.ts";

export type InvestigationEvent = {
  seq: number;
  phase: InvestigationPhase;
  progress: number;
  message: string;
  data: Record<string, unknown>;
  createdAt: Timestamp;
};

export const EVENTS_PER_READ = 200;

/** Events after `afterSeq`, in order, at most `EVENTS_PER_READ`. */
export async function listEvents(
  store: Store,
  investigationId: string,
  afterSeq: number,
  signal: AbortSignal,
): Promise<InvestigationEvent[]> {
  const question = store
    .from("investigation_events")
    .select("seq,phase,progress,message,data,created_at")
    .eq("investigation_id", investigationId)
    .gt("seq", afterSeq)
    .order("seq")
    .limit(EVENTS_PER_READ)
    .abortSignal(signal);
  return ((await unwrap(question, "reading events")) as Record<string, unknown>[]).map((row) => camelRow(row));
}
