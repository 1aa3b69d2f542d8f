import { findNewSanctionMatches, storeSanctionMatches } from "@cidadao/database/scheduled-work";
import type { Store } from "@cidadao/database/store";
import type { AlertContent } from "@cidadao/domain/alert";
import type { Timestamp } from "@cidadao/domain/dates";
import { formatBrl } from "@cidadao/domain/money";
import { integrityRegisters } from "@cidadao/domain/register-entry";
import { sanctionLists } from "@cidadao/domain/sanction";
import { formatCnpj } from "@cidadao/domain/tax-id";
import type { OpenedSource, SourceRecord } from "@cidadao/sources/define-source";
import type { PortalContext } from "@cidadao/sources/portal-transparencia/client";
import { tcu } from "@cidadao/sources/tcu/source";
import { ingest, type IngestSummary } from "./ingest.ts";
import { ingestWholeRegister, ingestWholeSanctionList } from "./read-scope.ts";
import { localDay } from "./local-day.ts";
import { tell, type TellContext } from "./tell.ts";

const MATCHES_SHOWN_MAX = 10;

/**
 * Reads both sanction lists whole, and that of the TCU where it is in use, and checks them against the suppliers whose contracts are stored and in force; each
 * match is told once. Then the registers that bar nobody. What came short, or not at all, makes the run fail at its end.
 */
export async function refreshSanctions(
  context: TellContext & { portal: PortalContext; tcu?: OpenedSource | null },
  input: { slot: Timestamp },
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const readings: Record<string, IngestSummary> = {};
  for (const list of sanctionLists) readings[list] = await ingestWholeSanctionList(context, { list }, signal);
  if (context.tcu) readings["tcu"] = await ingestDebarred({ store: context.store, tcu: context.tcu }, signal);
  const day = localDay(new Date(input.slot));
  const sample = Object.values(readings).find((reading) => reading.sample !== null)?.sample ?? null;
  const matches = await findNewSanctionMatches(context.store, day, signal);
  if (matches.length > 0) {
    const total = matches.reduce((sum, { valueCents }) => sum + valueCents, 0);
    const message: AlertContent = {
      title: `${matches.length} novas sanções em vigor de fornecedores com contrato em vigor`,
      severity: "high",
      summary: `Os contratos somam ${formatBrl(total)}. Uma sanção pode valer só para o órgão que a aplicou: confira o alcance.`,
      notes:
        matches.length > MATCHES_SHOWN_MAX ? [`E mais ${matches.length - MATCHES_SHOWN_MAX} correspondências.`] : [],
      findings: matches.slice(0, MATCHES_SHOWN_MAX).map((match) => ({
        title: `${match.kind} (${match.list.toUpperCase()})`,
        severity: "high",
        reason: `${match.contracts} contratos em vigor de ${formatCnpj(match.supplierTaxId)}; sanção de ${match.sanctioningBody}.`,
        agencyName: null,
        supplierName: match.supplierName,
        amountAtRiskCents: match.valueCents,
        url: match.url,
      })),
      findingsTotal: matches.length,
      investigationUrl: null,
      sample,
    };
    await tell(context, { kind: "digest", dedupeKey: `sanctions-refresh:${input.slot}`, message }, signal);
    // After the telling: a crash in between tells nobody twice, by the alert's key, and forgets nothing.
    await storeSanctionMatches(context.store, matches, signal);
  }
  for (const register of integrityRegisters)
    readings[register] = await ingestWholeRegister(context, { register }, signal);
  const missing = Object.values(readings).flatMap(({ coverage }) => coverage.missing);
  if (missing.length > 0) {
    const what = missing.map((one) => `${one.what}: ${one.why}`).join("; ");
    throw new Error(
      `leitura incompleta das listas de sanções e registros (${matches.length} correspondências novas no que veio): ${what}`,
    );
  }
  const lists = Object.fromEntries(Object.entries(readings).map(([list, { coverage }]) => [list, coverage.records]));
  return { lists, newMatches: matches.length, sample };
}

/** There were 90 in 2026. */
const DEBARRED_MIN = 30;

function ingestDebarred(
  { store, tcu: opened }: { store: Store; tcu: OpenedSource },
  signal: AbortSignal,
): Promise<IngestSummary> {
  const nobody = { from: "", to: "", agency: null };
  return ingest<SourceRecord>(
    { store },
    {
      source: tcu.id,
      dataset: "debarred",
      scope: {},
      investigationId: null,
      questions: opened
        .slices("debarred", nobody)
        .map(({ what, pages }) => ({ what, pages: (stop: AbortSignal) => pages(null, stop) })),
      store: { kind: "sanctions", homepage: tcu.homepage },
      recordsMin: DEBARRED_MIN,
    },
    signal,
  );
}
