import { lastCompleteRun } from "@cidadao/database/ingest-runs";
import { loadRegistrations } from "@cidadao/database/registrations";
import { loadAmendments, loadContracts, loadItems, loadSanctions } from "@cidadao/database/records";
import type { Store } from "@cidadao/database/store";
import type { Agency, Contract } from "@cidadao/domain/contract";
import type { Dataset } from "@cidadao/domain/dataset";
import { type InvestigationScope, namesPlaces, type SourceCoverage, sourcesOf } from "@cidadao/domain/investigation";
import type { IntegrityRegister, RegisterEntry } from "@cidadao/domain/register-entry";
import { type SanctionList, sanctionLists } from "@cidadao/domain/sanction";
import { cnpjRoot } from "@cidadao/domain/tax-id";
import { withoutTwins } from "@cidadao/domain/twin-contracts";
import type { ContractQuestion, Costly, OpenedSource, SourceRecord } from "@cidadao/sources/define-source";
import { pncp } from "@cidadao/sources/pncp/source";
import { type PortalContext, SOURCE_ID } from "@cidadao/sources/portal-transparencia/client";
import {
  agencies,
  amendments,
  contractsByAgency,
  contractsBySupplier,
  items,
  portalTransparencia,
  registerEntries,
  registerNames,
  registerRecordsMin,
  sampleListRecordsMin,
  sanctionListRecordsMin,
  sanctions,
} from "@cidadao/sources/portal-transparencia/source";
import { ingest, type IngestQuestion, type IngestSummary } from "./ingest.ts";
import { inTime } from "./in-time.ts";
import { ingestPncp } from "./read-pncp.ts";

export type ReadContext = {
  store: Store;
  portal: PortalContext;
  /** `null` or left out where the PNCP is not in use. */
  pncp?: OpenedSource | null;
};

export type Reading = { coverage: SourceCoverage[]; sample: string | null; dataset: Dataset };

type ReadInput = {
  scope: InvestigationScope;
  investigationId: string | null;
  onProgress: (share: number, message: string) => Promise<void>;
};

const { homepage } = portalTransparencia;
const source = SOURCE_ID;
/** A list that was read completely less than this ago is not read again. */
const SANCTION_LIST_AGE_MS_MAX = 24 * 3_600_000;
/** Up to this many suppliers are looked up one by one; above, reading the whole list asks less of the portal. */
const SANCTION_LOOKUPS_MAX = 100;
/** Flagged contracts whose items and amendments are fetched as evidence. */
const DETAILED_CONTRACTS_MAX = 300;

/** The contracts of the scope and the sanctions of their suppliers: what the detectors need. */
export async function readScope(context: ReadContext, input: ReadInput, signal: AbortSignal): Promise<Reading> {
  const { contracts, coverage, sample } = await contractsOf(context, input, signal);
  const cnpjs = [...new Set(contracts.flatMap((contract) => companyCnpj(contract) ?? []))].toSorted();
  await input.onProgress(0.8, "Consultando as listas de sanções.");
  const lists = await Promise.all(sanctionLists.map((list) => ingestSanctions(context, input, list, cnpjs, signal)));
  const dataset: Dataset = {
    contracts,
    items: [],
    amendments: [],
    sanctions: await loadSanctions(context.store, cnpjs.map(cnpjRoot), signal),
    sanctionListsRead: sanctionLists.filter((_, index) => lists[index]!.read),
    registrations: await loadRegistrations(context.store, cnpjs, signal),
  };
  return {
    coverage: [...coverage, ...lists.flatMap((list) => list.coverage)],
    sample: sample ?? contracts.find((contract) => contract.provenance.sample)?.provenance.sample ?? null,
    dataset,
  };
}

/** Brought from each source of the scope, where it does not ask for what is stored. A contract that two sources give is looked at once. */
async function contractsOf(
  context: ReadContext,
  input: ReadInput,
  signal: AbortSignal,
): Promise<{ contracts: Contract[]; coverage: SourceCoverage[]; sample: string | null }> {
  const { scope } = input;
  if (scope.storedSource !== undefined) {
    const contracts = await loadContracts(context.store, scope.storedSource, scope, signal);
    return { contracts, coverage: [], sample: null };
  }
  const sources = sourcesOf(scope);
  const ofPortal = sources.includes(source) ? await ingestContracts(context, input, signal) : null;
  const stored = ofPortal && !isBeyondPortal(scope) ? await loadContracts(context.store, source, scope, signal) : [];
  const ofPncp = sources.includes("pncp") ? await readPncp(context, input, signal) : null;
  const { contracts, twins, apart } = withoutTwins(stored, ofPncp?.contracts ?? []);
  return {
    contracts,
    coverage: [
      ...(ofPortal?.coverage ?? []),
      ...(ofPncp ? [{ ...ofPncp.coverage, ...(ofPortal ? { twins, apart } : {}) }] : []),
    ],
    sample: ofPortal?.sample ?? ofPncp?.sample ?? null,
  };
}

function readPncp(context: ReadContext, input: ReadInput, signal: AbortSignal) {
  return ingestPncp(
    { store: context.store, pncp: context.pncp ?? null },
    {
      scope: input.scope,
      investigationId: input.investigationId,
      onQuestionDone: (done, total, records) =>
        done % Math.ceil(total / 10) === 0
          ? input.onProgress((0.8 * done) / total, `PNCP: ${records} registros (${done} de ${total} consultas).`)
          : Promise.resolve(),
    },
    signal,
  );
}

/** The Portal knows federal agencies by SIAFI code, and suppliers: no place, and no agency by its CNPJ. */
function isBeyondPortal(scope: InvestigationScope): boolean {
  return namesPlaces(scope) && !scope.agencyCodes && !scope.supplierCnpj;
}

/** A contract by its source and its id there. */
export type ContractKey = { source: string; sourceId: string };

const DETAILS = [
  { kind: "items", dataset: "contract_items", what: "itens" },
  { kind: "amendments", dataset: "amendments", what: "aditivos" },
] as const;

/**
 * The dataset with the items and amendments of the contracts in question, the gravest first, as far as their sources have
 * some to ask for, and, where that is costly, there is time.
 */
export async function readDetails(
  context: ReadContext,
  input: { contracts: ContractKey[]; investigationId: string | null; dataset: Dataset },
  signal: AbortSignal,
): Promise<{ coverage: SourceCoverage[]; dataset: Dataset }> {
  const { store } = context;
  const startMs = performance.now();
  const bySource = Map.groupBy(input.contracts.slice(0, DETAILED_CONTRACTS_MAX), (one) => one.source);
  const coverage: SourceCoverage[] = [];
  const dataset = { ...input.dataset };
  for (const [id, contracts] of bySource) {
    const ids = contracts.map(({ sourceId }) => sourceId);
    const readings = DETAILS.map(async ({ kind, dataset: name, what }) => {
      const asks = contracts.flatMap((contract) =>
        detailsOf(context, contract, kind).map((ask) => ({ ...ask, what: `${what} de ${contract.sourceId}` })),
      );
      const questions = asks
        .filter(({ costly }, place) => costly === null || place < costly.contractsMax)
        .map((ask) => (ask.costly === null ? ask : { ...ask, pages: inTime(ask.pages, timeOf(ask.costly, startMs)) }));
      if (questions.length === 0) return [];
      const asked = { source: id, dataset: name, scope: { contracts: questions.length }, questions };
      const common = { investigationId: input.investigationId, store: { kind, homepage: detailHomepages[id]! } };
      return [(await ingest<SourceRecord>(context, { ...asked, ...common }, signal)).coverage];
    });
    coverage.push(...(await Promise.all(readings)).flat());
    dataset.items = [...dataset.items, ...(await loadItems(store, id, ids, signal))];
    dataset.amendments = [...dataset.amendments, ...(await loadAmendments(store, id, ids, signal))];
  }
  return { coverage, dataset };
}

function timeOf({ msMax }: Costly, startMs: number) {
  const why = `não foi perguntado: uma investigação gasta com isto no máximo ${msMax / 60_000} minutos`;
  return { isOver: () => performance.now() > startMs + msMax, why };
}

/** The pages that the sources of such questions refer to. */
const detailHomepages: Record<string, string> = { [source]: homepage, [pncp.id]: pncp.homepage };

/** Whether its source can be asked for items or amendments of a contract. */
export function hasDetails(context: ReadContext, contract: ContractKey): boolean {
  return DETAILS.some(({ kind }) => detailsOf(context, contract, kind).length > 0);
}

function detailsOf(
  { portal, pncp: opened }: ReadContext,
  { source: id, sourceId: contractId }: ContractKey,
  kind: "items" | "amendments",
): Pick<ContractQuestion, "pages" | "costly">[] {
  if (id === pncp.id) return (opened?.ofContract(contractId) ?? []).filter((question) => question.kind === kind);
  if (id !== source) return [];
  const ask = kind === "items" ? items : amendments;
  return [{ pages: (stop) => ask(portal, { contractId }, stop), costly: null }];
}

/** The contracts of the scope, stored as they come; `onRecords` sees them too. */
export async function ingestContracts(
  context: ReadContext,
  input: ReadInput & { onRecords?: (contracts: Contract[]) => void },
  signal: AbortSignal,
): Promise<{ coverage: SourceCoverage[]; sample: string | null }> {
  const { scope } = input;
  const asked = await contractQuestions(context, input, signal);
  if ("coverage" in asked) return { coverage: [asked.coverage], sample: null };
  const { coverage, sample } = await ingest<Contract>(
    context,
    {
      source,
      dataset: "contracts",
      scope,
      investigationId: input.investigationId,
      questions: asked.questions,
      store: { kind: "contracts", homepage },
      ...(input.onRecords ? { onRecords: input.onRecords } : {}),
      onQuestionDone: (done, total, records) =>
        done % Math.ceil(total / 10) === 0
          ? input.onProgress((0.8 * done) / total, `Contratos lidos: ${records} (${done} de ${total} consultas).`)
          : Promise.resolve(),
    },
    signal,
  );
  return { coverage: [coverage], sample };
}

/** One question an agency, or one for the supplier; without either, the portal is asked for its agencies first. */
async function contractQuestions(
  context: ReadContext,
  input: ReadInput,
  signal: AbortSignal,
): Promise<{ questions: IngestQuestion<Contract>[] } | { coverage: SourceCoverage }> {
  const { agencyCodes, supplierCnpj, from, to } = input.scope;
  if (isBeyondPortal(input.scope)) {
    const why = "o Portal só pode ser perguntado por um órgão federal (código SIAFI) ou por um fornecedor";
    const missing = [{ what: "contratos no Portal da Transparência", why }];
    return { coverage: { source, asked: 1, answered: 0, records: 0, rejected: 0, missing } };
  }
  if (supplierCnpj) {
    const pages = (stop: AbortSignal) => contractsBySupplier(context.portal, { cnpj: supplierCnpj }, stop);
    return { questions: [{ what: `contratos do fornecedor ${supplierCnpj}`, pages }] };
  }
  const codes = agencyCodes ?? [];
  if (!agencyCodes) {
    const { coverage } = await ingest<Agency>(
      context,
      {
        source,
        dataset: "agencies",
        scope: {},
        investigationId: input.investigationId,
        questions: [{ what: "lista de órgãos", pages: (stop) => agencies(context.portal, {}, stop) }],
        store: null, // the contracts bring the agencies that matter, with their parents
        onRecords: (records) => codes.push(...records.map((agency) => agency.code)),
      },
      signal,
    );
    if (coverage.answered === 0) return { coverage };
  }
  return {
    questions: codes.map((agencyCode) => ({
      what: `contratos do órgão ${agencyCode}`,
      pages: (stop) => contractsByAgency(context.portal, { agencyCode, from, to }, stop),
    })),
  };
}

async function ingestSanctions(
  context: ReadContext,
  input: ReadInput,
  list: SanctionList,
  cnpjs: string[],
  signal: AbortSignal,
): Promise<{ coverage: SourceCoverage[]; read: boolean }> {
  if (cnpjs.length === 0) return { coverage: [], read: true };
  const last = await lastCompleteRun(context.store, source, list, signal);
  if (last && Date.now() - Date.parse(last.finishedAt) < SANCTION_LIST_AGE_MS_MAX) return { coverage: [], read: true };
  const { coverage } = await ingest(
    context,
    {
      source,
      investigationId: input.investigationId,
      store: { kind: "sanctions", homepage },
      ...(cnpjs.length > SANCTION_LOOKUPS_MAX ? wholeList(context, list) : lookUps(context, list, cnpjs)),
    },
    signal,
  );
  return { coverage: [coverage], read: coverage.missing.length === 0 };
}

/** A whole sanction list, stored; a list shorter than it can be is not complete. */
export function ingestWholeSanctionList(
  context: ReadContext,
  input: { list: SanctionList },
  signal: AbortSignal,
): Promise<IngestSummary> {
  const { list } = input;
  return ingest(
    context,
    {
      source,
      investigationId: null,
      store: { kind: "sanctions", homepage },
      ...wholeList(context, list),
      sampleRecordsMin: sampleListRecordsMin[list],
    },
    signal,
  );
}

/** A register that bars nobody from contracting, whole, stored. The recorded sample holds none. */
export function ingestWholeRegister(
  context: ReadContext,
  input: { register: IntegrityRegister },
  signal: AbortSignal,
): Promise<IngestSummary> {
  const { register } = input;
  const pages = (stop: AbortSignal) => registerEntries(context.portal, { register }, stop);
  return ingest<RegisterEntry>(
    context,
    {
      source,
      dataset: register,
      scope: {},
      investigationId: null,
      questions: [{ what: `registro de ${registerNames[register]}`, pages }],
      store: { kind: "register_entries", homepage },
      recordsMin: registerRecordsMin[register],
      sampleRecordsMin: 0,
    },
    signal,
  );
}

function wholeList({ portal }: ReadContext, list: SanctionList) {
  const pages = (stop: AbortSignal) => sanctions(portal, { list }, stop);
  const questions = [{ what: `lista ${list.toUpperCase()}`, pages }];
  return { dataset: list, scope: {}, questions, recordsMin: sanctionListRecordsMin[list] };
}

/** Only the reading of a whole list counts as one: a look-up of a few suppliers has another name. */
function lookUps({ portal }: ReadContext, list: SanctionList, cnpjs: string[]) {
  const questions = cnpjs.map((cnpj) => ({
    what: `${list.toUpperCase()} de ${cnpj}`,
    pages: (stop: AbortSignal) => sanctions(portal, { list, cnpj }, stop),
  }));
  return { dataset: `${list}-lookups`, scope: { suppliers: cnpjs.length }, questions };
}

function companyCnpj(contract: Contract): string | null {
  return contract.supplierKind === "company" ? contract.supplierTaxId : null;
}
