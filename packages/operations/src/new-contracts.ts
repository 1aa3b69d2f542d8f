import { readCursor, writeCursor } from "@cidadao/database/ingest-runs";
import type { Contract } from "@cidadao/domain/contract";
import { addDays, type Timestamp } from "@cidadao/domain/dates";
import { SCOPE_DAYS_MAX } from "@cidadao/domain/investigation";
import type { PortalContext } from "@cidadao/sources/portal-transparencia/client";
import { portalTransparencia } from "@cidadao/sources/portal-transparencia/source";
import { z } from "zod";
import type { ReportProgress } from "./run-scheduled.ts";
import { localDay } from "./local-day.ts";
import { ingestContracts } from "./read-scope.ts";
import { investigateTriggers, screenContracts, type ScreeningContext } from "./screen-contracts.ts";

export type NewContractsContext = ScreeningContext & { portal: PortalContext };

/** Portals publish late and correct what they published: each window begins this long before the last one ended. */
const OVERLAP_DAYS = 2;
const FIRST_WINDOW_DAYS = 7;
const CURSOR = "new-contracts";

const position = z.object({ doneTo: z.string() });

/**
 * Reads the contracts of all agencies since the last complete reading and screens each new one by the opening rule. Those
 * with points enough open one investigation an agency, whose scope they are in. The cursor moves only when everything
 * that was asked for came: what is missing makes the run fail, after what came was screened.
 */
export async function screenNewContracts(
  context: NewContractsContext,
  input: { slot: Timestamp },
  signal: AbortSignal,
  report: ReportProgress,
): Promise<Record<string, unknown>> {
  const source = portalTransparencia.id;
  const to = localDay(new Date(input.slot));
  const cursor = position.nullable().parse(await readCursor(context.store, source, CURSOR, signal));
  const since = cursor === null ? addDays(to, -FIRST_WINDOW_DAYS) : addDays(cursor.doneTo, -OVERLAP_DAYS);
  const earliest = addDays(to, -SCOPE_DAYS_MAX);
  const scope = { from: since < earliest ? earliest : since, to };
  const contracts = new Map<string, Contract>();
  const reading = await ingestContracts(
    context,
    {
      scope,
      investigationId: null,
      onProgress: (share, message) => report({ share: Number(share.toFixed(2)), message }),
      onRecords: (records) => records.forEach((one) => contracts.set(one.provenance.sourceId, one)),
    },
    signal,
  );
  const { triggers, counts: screened } = await screenContracts(
    context,
    { source, contracts: [...contracts.values()], to },
    signal,
  );
  const asked = { source, name: CURSOR, what: "Contratos novos", triggers, scope };
  const opened = await investigateTriggers(context, asked, signal);
  const missing = reading.coverage.flatMap((part) => part.missing);
  const counts = { ...scope, contracts: contracts.size, ...screened, ...opened };
  if (missing.length > 0) {
    const what = missing.map((one) => `${one.what}: ${one.why}`).join("; ");
    throw new Error(`leitura incompleta (${JSON.stringify(counts)}): ${what}`);
  }
  await writeCursor(context.store, { source, name: CURSOR, position: { doneTo: to } }, signal);
  return counts;
}
