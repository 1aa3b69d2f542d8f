import { readCursor, writeCursor } from "@cidadao/database/ingest-runs";
import { findInvestigation } from "@cidadao/database/investigations";
import { addDays, type IsoDate, type Timestamp } from "@cidadao/domain/dates";
import { SCOPE_DAYS_MAX } from "@cidadao/domain/investigation";
import { portalTransparencia } from "@cidadao/sources/portal-transparencia/source";
import { z } from "zod";
import { type OpenContext, openInvestigation } from "./open-investigation.ts";

/** Portals publish late and correct what they published: each window begins this long before the last one ended. */
const OVERLAP_DAYS = 2;
const FIRST_WINDOW_DAYS = 30;
const CURSOR = "priority-agencies";

/** `doneTo`: everything up to this day was read completely. `open`: the investigation that is reading further. */
const position = z.object({
  doneTo: z.string().nullable(),
  open: z.object({ id: z.uuid(), to: z.string() }).nullable(),
});

/**
 * Opens one investigation over the contracts of the priority agencies since the last complete reading, with an overlap.
 * The cursor moves only when an investigation has read everything it asked for: after an outage the next window
 * covers the gap. One slot opens one investigation however often its job runs.
 */
export async function investigatePriorityAgencies(
  context: OpenContext,
  input: { agencyCodes: string[]; today: IsoDate; slot: Timestamp },
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const source = portalTransparencia.id;
  const cursor = position.parse(
    (await readCursor(context.store, source, CURSOR, signal)) ?? { doneTo: null, open: null },
  );
  const earlier = cursor.open ? await findInvestigation(context.store, cursor.open.id, signal) : null;
  const isRead = earlier?.outcome === "anomalies_found" || earlier?.outcome === "no_anomalies";
  const doneTo = isRead ? cursor.open!.to : cursor.doneTo;
  const since = doneTo === null ? addDays(input.today, -FIRST_WINDOW_DAYS) : addDays(doneTo, -OVERLAP_DAYS);
  const earliest = addDays(input.today, -SCOPE_DAYS_MAX);
  const scope = { agencyCodes: input.agencyCodes, from: since < earliest ? earliest : since, to: input.today };
  const { investigation, created } = await openInvestigation(
    context,
    {
      query: "Contratos recentes dos órgãos prioritários",
      scope,
      detectors: null,
      origin: "schedule",
      priority: "default",
      idempotencyKey: `${CURSOR}:${input.slot}`,
    },
    signal,
  );
  const next = { doneTo, open: { id: investigation.id, to: input.today } };
  await writeCursor(context.store, { source, name: CURSOR, position: next }, signal);
  return {
    investigationId: investigation.id,
    created,
    from: scope.from,
    to: scope.to,
    agencies: scope.agencyCodes.length,
  };
}
