import { compareFindings, type EvidenceRecord, type Finding, type LegalReference } from "@cidadao/domain/anomaly";
import type { DetectorReport, Reason } from "@cidadao/domain/dataset";
import type { Timestamp } from "@cidadao/domain/dates";
import { centsFromReais } from "@cidadao/domain/money";
import { severityOf } from "@cidadao/domain/severity";
import { maskCpf, maskCpfsInText, parseCnpj } from "@cidadao/domain/tax-id";
import { fact, RECORDS_MAX } from "../evidence.ts";
import type { Group, Indicator } from "../indicators/define-indicator.ts";
import { indicators } from "../indicators/registry.ts";
import type { IndicatorResult } from "../indicators/run-indicators.ts";
import { mergeCounts, mergeTallies, startTally, type Tally } from "../indicators/tally.ts";
import { materialityOf, rarityOf, round4, scoreOf } from "../score.ts";
import type { BidContext, BidFlag } from "./bid-pattern.ts";
import { bidPatterns } from "./bid-patterns.ts";
import { indexProcesses, indicatorFlags, type ProcessIndex } from "./indicator-flags.ts";
import type { BidProcess } from "./read-process.ts";

export type BidDetection = { findings: Finding[]; reports: DetectorReport[] };

type Fields = {
  id: string;
  version: number;
  title: string;
  legalBasis: LegalReference[];
  innocentExplanations: string[];
};

const INDICATORS_VERSION = 1;

/**
 * What the indicators and the patterns over bids raise, as findings. `processes` are those the result was made from;
 * amounts in a currency other than the main one count as nothing.
 */
export function bidFindings(
  result: IndicatorResult,
  processes: ReadonlyMap<string, BidProcess>,
  { comparesPrices, retrievedAt }: { comparesPrices: BidContext["comparesPrices"]; retrievedAt: Timestamp },
): BidDetection {
  const ran = indicators.filter(({ code }) => result.tallies.has(code));
  const currency = result.mainCurrency ?? "BRL";
  const all = [...processes.values()];
  const index = indexProcesses(all);
  const patterns = bidPatterns.map((pattern) => ({ pattern, ...pattern.assess(all, { currency, comparesPrices }) }));
  const findings = [
    ...ran.flatMap((indicator) => indicatorFindings(indicator, result, index, retrievedAt)),
    ...patterns.flatMap(({ pattern, flags, tally }) => {
      const baseRate = { tested: tally.tested, fired: flags.length };
      return flags.map((flag) => findingOf(pattern, flag, baseRate, retrievedAt));
    }),
  ];
  return {
    findings: findings.sort(compareFindings),
    reports: [
      ...ran.map((indicator) => indicatorReport(indicator, result)),
      ...patterns.map(({ pattern, flags, tally }) => {
        const isAboutProcesses = pattern.judges === "processes";
        return reportOf(pattern, flags.length, isAboutProcesses ? withExcluded(tally, result) : tally);
      }),
    ],
  };
}

/** As detectors are named elsewhere: "r024-price-close-to-winning". */
function indicatorId({ code, name }: Pick<Indicator, "code" | "name">): string {
  return `${code.toLowerCase()}-${name}`;
}

/** Tested and fired, not computable and excluded, over the subjects of the indicator. */
function indicatorReport(indicator: Indicator, result: IndicatorResult): DetectorReport {
  const tallies = Object.entries(result.tallies.get(indicator.code) ?? {}) as [Group, Tally][];
  const tally = tallies.reduce((sum, [, one]) => mergeTallies(sum, one), startTally());
  const isAboutProcesses = tallies.some(([group]) => group === "OCID");
  const fired = tallies.reduce((sum, [group]) => sum + firedIn(indicator, group, result), 0);
  return reportOf(fieldsOf(indicator), fired, isAboutProcesses ? withExcluded(tally, result) : tally);
}

function indicatorFindings(
  indicator: Indicator,
  result: IndicatorResult,
  index: ProcessIndex,
  retrievedAt: Timestamp,
): Finding[] {
  const fields = fieldsOf(indicator);
  const byGroup = Map.groupBy(indicatorFlags(indicator.code, result, index), ({ group }) => group);
  return [...byGroup].flatMap(([group, flags]) => {
    const tested = result.tallies.get(indicator.code)?.[group]?.tested ?? 0;
    const baseRate = { tested, fired: flags.length };
    return flags.map(({ group: _, ...flag }) => findingOf(fields, flag, baseRate, retrievedAt));
  });
}

function firedIn({ code }: Indicator, group: Group, { groups }: IndicatorResult): number {
  return [...(groups.get(group)?.values() ?? [])].filter((values) => values.has(code)).length;
}

function fieldsOf(indicator: Indicator): Fields {
  const { title, legalBasis, innocentExplanations } = indicator;
  return { id: indicatorId(indicator), version: INDICATORS_VERSION, title, legalBasis, innocentExplanations };
}

function withExcluded(tally: Tally, { excluded }: IndicatorResult): Tally {
  return { ...tally, excluded: mergeCounts(excluded, tally.excluded) };
}

function reportOf({ id, version }: Pick<Fields, "id" | "version">, fired: number, tally: Tally): DetectorReport {
  return {
    detector: id,
    version,
    fired,
    notFired: Math.max(tally.tested - fired, 0),
    notComputable: reasonsOf(tally.notComputable),
    excluded: reasonsOf(tally.excluded),
    notFiredNotes: [],
    falseDiscovery: null,
  };
}

function findingOf(
  fields: Fields,
  flag: BidFlag,
  baseRate: { tested: number; fired: number },
  retrievedAt: Timestamp,
): Finding {
  const amountAtRiskCents = Math.max(centsFromReais(flag.amountAtRisk) ?? 0, 0);
  const strength = round4(flag.strength);
  const materiality = materialityOf(amountAtRiskCents);
  const rarity = rarityOf(baseRate);
  const score = scoreOf({ strength, materiality, rarity });
  const agencies = new Map(flag.processes.map(({ agency }) => [agency?.id ?? null, agency]));
  const agency = agencies.size === 1 ? [...agencies.values()][0]! : null;
  const supplierName = flag.processes
    .map(({ names }) => names.get(flag.supplier ?? ""))
    .find((one) => one !== undefined);
  return {
    detector: fields.id,
    detectorVersion: fields.version,
    subject: {
      ...flag.subject,
      id: flag.subject.kind === "supplier" ? maskIds(flag.subject.id) : flag.subject.id,
      label: flag.subject.kind === "supplier" ? maskIds(flag.subject.label) : maskCpfsInText(flag.subject.label),
    },
    title: fields.title,
    reason: flag.reason,
    score,
    severity: severityOf(score),
    amountAtRiskCents,
    agencyCode: agency?.id ?? null,
    agencyName: agency?.name ?? null,
    supplierTaxId: flag.supplier === null ? null : taxIdOf(flag.supplier),
    supplierName: supplierName === undefined ? null : maskCpfsInText(supplierName),
    evidence: {
      formula: `${flag.formula}; score = √(strength × materiality × rarity)`,
      facts: [
        ...flag.facts,
        fact("strength", "Força da evidência", strength, "score"),
        fact("materiality", "Peso do valor em jogo", materiality, "score"),
        fact("rarity", "Peso da raridade na análise", rarity, "score"),
      ],
      records: recordsOf(flag.processes, retrievedAt),
      baseRate,
    },
    legalBasis: fields.legalBasis,
    innocentExplanations: fields.innocentExplanations,
  };
}

/** Only processes whose release says where it is published: a record is something a person can go and check. */
function recordsOf(processes: readonly BidProcess[], retrievedAt: Timestamp): EvidenceRecord[] {
  return processes
    .flatMap(({ ocid, title, url }) =>
      url === null
        ? []
        : [{ kind: "process" as const, id: ocid, label: maskCpfsInText(title ?? ocid), url, retrievedAt }],
    )
    .slice(0, RECORDS_MAX);
}

const SCHEME = /^(?:BR-)?(?:CNPJ|CPF)-/i;

function taxIdOf(id: string): string | null {
  const bare = id.replace(SCHEME, "");
  return parseCnpj(bare) ?? maskCpf(bare);
}

/** Ids of a group are joined by "/" and "+"; those that are CPFs are masked. */
function maskIds(ids: string): string {
  return ids
    .split(/([/+])/)
    .map((id) => maskCpf(id.replace(SCHEME, "")) ?? maskCpfsInText(id))
    .join("");
}

/** Most frequent first, then by text. */
function reasonsOf(counts: ReadonlyMap<string, number>): Reason[] {
  return [...counts]
    .map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
}
