import type { Store } from "@cidadao/database/store";
import type { Contract } from "@cidadao/domain/contract";
import { daysBetween } from "@cidadao/domain/dates";
import { type InvestigationScope, type SourceCoverage, WIDE_SCOPE_DAYS_MAX } from "@cidadao/domain/investigation";
import type { OpenedSource, SourceRecord } from "@cidadao/sources/define-source";
import { pncp } from "@cidadao/sources/pncp/source";
import { agencyCnpjs } from "./agency-cnpjs.ts";
import { ingest, type IngestQuestion } from "./ingest.ts";

export type PncpReading = { coverage: SourceCoverage; sample: string | null; contracts: Contract[] };
type Missing = SourceCoverage["missing"];

/**
 * What the PNCP published in the days of the scope: contracts of the agencies that are named, and procedures at the places.
 * All that it cannot be asked for is missing, with the reason, and counts as asked.
 */
export async function ingestPncp(
  context: { store: Store; pncp: OpenedSource | null },
  input: {
    scope: InvestigationScope;
    investigationId: string | null;
    onQuestionDone: (done: number, total: number, records: number) => Promise<void>;
  },
  signal: AbortSignal,
): Promise<PncpReading> {
  const { scope } = input;
  const { questions, missing } = await questionsOf(context, scope, signal);
  const nothing: SourceCoverage = { source: pncp.id, asked: 0, answered: 0, records: 0, rejected: 0, missing: [] };
  const contracts = new Map<string, Contract>();
  const reading =
    questions.length === 0
      ? { coverage: nothing, sample: null }
      : await ingest<SourceRecord>(
          context,
          {
            source: pncp.id,
            dataset: "contracts",
            scope,
            investigationId: input.investigationId,
            questions,
            store: { kind: "contracts", homepage: pncp.homepage },
            onRecords: (records) => {
              for (const contract of records as Contract[]) contracts.set(contract.provenance.sourceId, contract);
            },
            onQuestionDone: input.onQuestionDone,
          },
          signal,
        );
  const { coverage, sample } = reading;
  return {
    coverage: {
      ...coverage,
      asked: coverage.asked + missing.length,
      missing: [...coverage.missing, ...missing],
    },
    sample,
    contracts: [...contracts.values()]
      .filter(({ supplierTaxId }) => scope.supplierCnpj === undefined || supplierTaxId === scope.supplierCnpj)
      .toSorted((a, b) => (a.provenance.sourceId < b.provenance.sourceId ? -1 : 1)),
  };
}

async function questionsOf(
  { store, pncp: opened }: { store: Store; pncp: OpenedSource | null },
  scope: InvestigationScope,
  signal: AbortSignal,
): Promise<{ questions: IngestQuestion<SourceRecord>[]; missing: Missing }> {
  const { from, to, agencyCodes = [], agencyCnpjs: named = [], municipalityCodes = [], states = [] } = scope;
  if (opened === null)
    return { questions: [], missing: [{ what: "contratos no PNCP", why: "SOURCES deixa o PNCP de fora" }] };
  const missing: Missing = [];
  const isWide = daysBetween(from, to) > WIDE_SCOPE_DAYS_MAX;
  const tooWide = `no PNCP há demais: no máximo ${WIDE_SCOPE_DAYS_MAX} dias de uma vez`;
  const ask = (resource: string, where: { agency: string | null; place?: string }) =>
    opened.slices(resource, { from, to, ...where }).map(({ what, pages }) => ({
      what,
      pages: (stop: AbortSignal) => pages(null, stop),
    }));

  // Who names agencies by CNPJ has said which ones the PNCP is to be asked for.
  const codes = named.length > 0 ? [] : agencyCodes;
  const known = await agencyCnpjs({ store }, codes, signal);
  for (const code of codes.filter((one) => !known.has(one))) {
    missing.push({ what: `contratos do órgão ${code} no PNCP`, why: "não se conhece o CNPJ com que o PNCP o nomeia" });
  }
  if (isWide) missing.push(...states.map((state) => ({ what: `contratações em ${state}`, why: tooWide })));
  const questions = [
    ...[...new Set([...named, ...known.values()])].flatMap((agency) => ask("contracts", { agency })),
    ...municipalityCodes.flatMap((place) => ask("tenders", { agency: null, place })),
    ...(isWide ? [] : states.flatMap((place) => ask("tenders", { agency: null, place }))),
  ];
  const namesNothing = [agencyCodes, named, municipalityCodes, states].every(({ length }) => length === 0);
  if (!namesNothing) return { questions, missing };
  if (scope.supplierCnpj !== undefined) {
    const what = `contratos do fornecedor ${scope.supplierCnpj} no PNCP`;
    return { questions, missing: [{ what, why: "o PNCP não pode ser perguntado por um fornecedor" }] };
  }
  if (isWide) return { questions, missing: [{ what: "contratos de todos os órgãos no PNCP", why: tooWide }] };
  return { questions: ask("contracts", { agency: null }), missing };
}
