import { listSanctionedSuppliers, listScreened, storeScreenings } from "@cidadao/database/scheduled-work";
import { listWatched } from "@cidadao/database/watches";
import type { Contract } from "@cidadao/domain/contract";
import { addDays, type IsoDate } from "@cidadao/domain/dates";
import { type InvestigationScope, SCOPE_DAYS_MAX } from "@cidadao/domain/investigation";
import { type OpeningSign, openingSigns } from "@cidadao/domain/opening-rule";
import { type OpenContext, openInvestigation } from "./open-investigation.ts";

export type ScreeningContext = OpenContext & { openingPoints: number };

/** In one run; the contracts of the others stay unscreened and are taken up by the next. */
const INVESTIGATIONS_MAX = 100;

type Screened = { contract: Contract; points: number; signs: OpeningSign[] };

/**
 * Judges each contract that was not screened before by the opening rule. Those that ask for an investigation come back by
 * agency, and count as screened once one is open for them; the others are screened now.
 */
export async function screenContracts(
  context: ScreeningContext,
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

/** One investigation an agency, whose scope its triggering contracts are in. */
export async function investigateTriggers(
  context: ScreeningContext,
  input: {
    source: string;
    /** Begins the keys of what it opens. */
    name: string;
    /** "Contratos novos" */
    what: string;
    triggers: Map<string, Screened[]>;
    scope: Pick<InvestigationScope, "from" | "to" | "storedSource">;
  },
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
        query: `${input.what} que pedem atenção: ${triggers.length} de ${triggers[0]!.contract.agencyName}`,
        scope: { ...input.scope, agencyCodes: [agencyCode], ...windowOver(input.scope, triggers) },
        detectors: null,
        origin: "schedule",
        priority: "default",
        // Named by what opened it: the run again, or the next one after a crash, opens nothing twice.
        idempotencyKey: `${input.name}:${ids.join(",")}`,
      },
      signal,
    );
    const rows = triggers.map((one) => screeningRow(input.source, one, investigation.id));
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
