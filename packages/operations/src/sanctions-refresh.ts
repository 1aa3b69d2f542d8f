import { findNewSanctionMatches, storeSanctionMatches } from "@cidadao/database/scheduled-work";
import type { AlertContent } from "@cidadao/domain/alert";
import type { Timestamp } from "@cidadao/domain/dates";
import { formatBrl } from "@cidadao/domain/money";
import { integrityRegisters } from "@cidadao/domain/register-entry";
import { sanctionLists } from "@cidadao/domain/sanction";
import { formatCnpj } from "@cidadao/domain/tax-id";
import type { PortalContext } from "@cidadao/sources/portal-transparencia/client";
import { ingestWholeRegister, ingestWholeSanctionList } from "./read-scope.ts";
import { localDay } from "./local-day.ts";
import { tell, type TellContext } from "./tell.ts";

const MATCHES_SHOWN_MAX = 10;

/**
 * Reads both sanction lists whole and checks them against the suppliers whose contracts are stored and in force; each
 * match is told once. Then the registers that bar nobody. What came short, or not at all, makes the run fail at its end.
 */
export async function refreshSanctions(
  context: TellContext & { portal: PortalContext },
  input: { slot: Timestamp },
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const readings = [];
  for (const list of sanctionLists) readings.push(await ingestWholeSanctionList(context, { list }, signal));
  const day = localDay(new Date(input.slot));
  const sample = readings.find((reading) => reading.sample !== null)?.sample ?? null;
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
  const registers = [];
  for (const register of integrityRegisters) registers.push(await ingestWholeRegister(context, { register }, signal));
  const missing = [...readings, ...registers].flatMap(({ coverage }) => coverage.missing);
  if (missing.length > 0) {
    const what = missing.map((one) => `${one.what}: ${one.why}`).join("; ");
    throw new Error(
      `leitura incompleta das listas de sanções e registros (${matches.length} correspondências novas no que veio): ${what}`,
    );
  }
  const lists = Object.fromEntries(
    [...readings, ...registers].map(({ coverage }, index) => [
      [...sanctionLists, ...integrityRegisters][index]!,
      coverage.records,
    ]),
  );
  return { lists, newMatches: matches.length, sample };
}
