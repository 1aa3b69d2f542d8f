import { readCursor, writeCursor } from "@cidadao/database/ingest-runs";
import { listSanctionedSuppliers, listScreened, storeScreenings } from "@cidadao/database/scheduled-work";
import { listWatched } from "@cidadao/database/watches";
import type { Contract } from "@cidadao/domain/contract";
import { addDays, type IsoDate, type Timestamp } from "@cidadao/domain/dates";
import { SCOPE_DAYS_MAX } from "@cidadao/domain/investigation";
import { type OpeningSign, openingSigns } from "@cidadao/domain/opening-rule";
import type { PortalContext } from "@cidadao/sources/portal-transparencia/client";
import { portalTransparencia } from "@cidadao/sources/portal-transparencia/source";
import { z } from "zod";
import type { ReportProgress } from "./run-scheduled.ts";
import { localDay } from "./local-day.ts";
import { type OpenContext, openInvestigation } from "./open-investigation.ts";
import { ingestContracts } from "./read-scope.ts";

export type NewContractsContext = OpenContext & { portal: PortalContext; openingPoints: number };

/** Portals publish late and correct what they published: each window begins this long before the last one ended. */
const OVERLAP_DAYS = 2;
const FIRST_WINDOW_DAYS = 7;
const CURSOR = "new-contracts";
/** In one run; the contracts of the others stay unscreened and are taken up by the next. */
const INVESTIGATIONS_MAX = 100;

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
  const screened = await screen(context, { source, contracts: [...contracts.values()], to }, signal);
  const opened = await openForEach(context, { ...screened, slot: input.slot, scope }, signal);
  const missing = reading.coverage.flatMap((part) => part.missing);
  const counts = { ...scope, contracts: contracts.size, ...screened.counts, ...opened };
  if (missing.length > 0) {
    const what = missing.map((one) => `${one.what}: ${one.why}`).join("; ");
    throw new Error(`leitura incompleta (${JSON.stringify(counts)}): ${what}`);
  }
  await writeCursor(context.store, { source, name: CURSOR, position: { doneTo: to } }, signal);
  return counts;
}

type Screened = { contract: Contract; points: number; signs: OpeningSign[] };

async function screen(
  context: NewContractsContext,
  input: { source: string; contracts: Contract[]; to: IsoDate },
  signal: AbortSignal,
): Promise<{ triggers: Map<string, Screened[]>; counts: Record<string, number> }> {
  const { source, contracts, to } = input;
  const ids = contracts.map(({ provenance }) => provenance.sourceId);
  const known = await listScreened(context.store, source, ids, signal);
  const fresh = contracts.filter(({ provenance }) => !known.has(provenance.sourceId));
  const taxIds = [...new Set(fresh.flatMap(({ supplierTaxId }) => supplierTaxId ?? []))].toSorted();
  const agencies = [...new Set(fresh.map(({ agencyCode }) => agencyCode))].toSorted();
  const sanctioned = await listSanctionedSuppliers(context.store, taxIds, to, signal);
  const watchedSuppliers = await listWatched(context.store, "supplier", taxIds, signal);
  const watchedAgencies = await listWatched(context.store, "agency", agencies, signal);
  const judged = fresh.map((contract): Screened => {
    // No configured source tells how many bidders a contract had.
    const supplier = contract.supplierTaxId ?? "";
    const isWatched =
      sanctioned.has(supplier) || watchedSuppliers.has(supplier) || watchedAgencies.has(contract.agencyCode);
    const signs = openingSigns(contract, { bidders: null, isWatched });
    return { contract, signs, points: signs.reduce((sum, { points }) => sum + points, 0) };
  });
  const triggers = Map.groupBy(
    judged.filter(({ points }) => points >= context.openingPoints),
    ({ contract }) => contract.agencyCode,
  );
  const quiet = judged.filter(({ points }) => points < context.openingPoints);
  await storeScreenings(
    context.store,
    quiet.map((one) => screeningRow(source, one, null)),
    signal,
  );
  return { triggers, counts: { screened: judged.length, triggering: judged.length - quiet.length } };
}

async function openForEach(
  context: NewContractsContext,
  input: { triggers: Map<string, Screened[]>; slot: Timestamp; scope: { from: IsoDate; to: IsoDate } },
  signal: AbortSignal,
): Promise<{ investigations: string[]; agenciesLeft: number }> {
  const investigations: string[] = [];
  // The agencies with most points first, so that a bound cuts off the least.
  const agencies = [...input.triggers].toSorted((a, b) => pointsOf(b[1]) - pointsOf(a[1]));
  for (const [agencyCode, triggers] of agencies.slice(0, INVESTIGATIONS_MAX)) {
    const ids = triggers.map(({ contract }) => contract.provenance.sourceId).toSorted();
    const { investigation } = await openInvestigation(
      context,
      {
        query: `Contratos novos que pedem atenção: ${triggers.length} de ${triggers[0]!.contract.agencyName}`,
        scope: { agencyCodes: [agencyCode], ...windowOver(input.scope, triggers) },
        detectors: null,
        origin: "schedule",
        priority: "default",
        // Named by what opened it: the run again, or the next one after a crash, opens nothing twice.
        idempotencyKey: `${CURSOR}:${ids.join(",")}`,
      },
      signal,
    );
    const rows = triggers.map((one) => screeningRow(portalTransparencia.id, one, investigation.id));
    await storeScreenings(context.store, rows, signal);
    investigations.push(investigation.id);
  }
  return { investigations, agenciesLeft: Math.max(0, agencies.length - INVESTIGATIONS_MAX) };
}

function pointsOf(triggers: Screened[]): number {
  return triggers.reduce((sum, { points }) => sum + points, 0);
}

/** The window of the reading, wide enough that every triggering contract is in force at some time in it. */
function windowOver(scope: { from: IsoDate; to: IsoDate }, triggers: Screened[]): { from: IsoDate; to: IsoDate } {
  let { from, to } = scope;
  for (const { contract } of triggers) {
    if (contract.startsOn !== null && contract.startsOn > to) to = contract.startsOn;
    if (contract.endsOn !== null && contract.endsOn < from) from = contract.endsOn;
  }
  const earliest = addDays(to, -SCOPE_DAYS_MAX);
  return { from: from < earliest ? earliest : from, to };
}

function screeningRow(source: string, { contract, points, signs }: Screened, investigationId: string | null) {
  return { source, sourceId: contract.provenance.sourceId, points, signs, investigationId };
}
