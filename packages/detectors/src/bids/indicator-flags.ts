import type { EvidenceFact, Subject } from "@cidadao/domain/anomaly";
import { fact } from "../evidence.ts";
import type { Group, IndicatorCode } from "../indicators/define-indicator.ts";
import { parseRfc3339, wholeDaysBetween } from "../indicators/rfc3339.ts";
import type { IndicatorResult } from "../indicators/run-indicators.ts";
import { formatShare, plural } from "../text.ts";
import type { BidFlag } from "./bid-pattern.ts";
import { idsOf } from "../indicators/submitted-bids.ts";
import { awardedIn } from "./contests.ts";
import type { BidProcess } from "./read-process.ts";

/** `group` is that of the subject; the flags of one group share a base rate. */
export type IndicatorFlag = BidFlag & { group: Group };

type Words = {
  /** How much the sign alone says: exact facts about the bids most, outliers of a ratio less. */
  strength: number;
  formula: string;
  unit: "ratio" | "count" | "share";
  reason: (value: number, limit: string, process: BidProcess | null) => string;
};

const words: Record<IndicatorCode, Words> = {
  R003: {
    strength: 0.4,
    formula: "days(end − start) < threshold",
    unit: "count",
    reason: (_value, _limit, process) =>
      `O prazo para propostas foi de ${daysOf(process)}, abaixo do mínimo configurado.`,
  },
  R018: {
    strength: 0.4,
    formula: "number_of_tenderers == 1",
    unit: "count",
    reason: () => "A disputa, de modalidade aberta a concorrentes, teve um só licitante.",
  },
  R024: {
    strength: 0.45,
    formula: "value = (runner_up − winner) / winner; value <= lower_fence",
    unit: "share",
    reason: (value, limit) =>
      `A segunda menor proposta ficou ${formatShare(value)} acima da vencedora; o limite é ${limit}.`,
  },
  R025: {
    strength: 0.4,
    formula: "value = wins / processes; value <= lower_fence; processes >= upper_fence",
    unit: "share",
    reason: (value, limit) =>
      `Licitante frequente que venceu ${formatShare(value)} das disputas em que entrou; o limite é ${limit}.`,
  },
  R028: {
    strength: 0.55,
    formula: "amount_i == amount_j; tenderers_i ≠ tenderers_j",
    unit: "count",
    reason: () => "Licitantes diferentes apresentaram propostas de valor exatamente igual.",
  },
  R030: {
    strength: 0.55,
    formula: "bid_date > tender_period_end",
    unit: "count",
    reason: () => "A proposta vencedora tem data posterior ao fim do prazo de propostas.",
  },
  R035: {
    strength: 0.5,
    formula: "value = disqualified tenderers other than the winner; value >= threshold",
    unit: "count",
    reason: (value) =>
      `Só restou o vencedor: ${plural(value, "outro licitante foi desclassificado", "outros licitantes foram desclassificados")}.`,
  },
  R036: {
    strength: 0.45,
    formula: "lowest submitted amount is of a disqualified bid",
    unit: "count",
    reason: () => "A menor proposta apresentada foi desclassificada.",
  },
  R038: {
    strength: 0.45,
    formula: "value = disqualified / submitted; value >= upper_fence",
    unit: "share",
    reason: (value, limit) =>
      `${formatShare(value)} das propostas apresentadas foram desclassificadas; o limite do grupo é ${limit}.`,
  },
  R048: {
    strength: 0.35,
    formula: "value = distinct classes; value >= upper_fence",
    unit: "count",
    reason: (value, _limit) => `O fornecedor vendeu itens de ${plural(value, "classe", "classes")} do catálogo.`,
  },
  R058: {
    strength: 0.4,
    formula: "value = (runner_up − winner) / winner; value >= upper_fence",
    unit: "share",
    reason: (value, limit) =>
      `A segunda menor proposta ficou ${formatShare(value)} acima da vencedora; o limite é ${limit}.`,
  },
};

/** What an indicator raised, for its own subjects: the tenderers of a flagged process are part of that flag. */
export function indicatorFlags(code: IndicatorCode, result: IndicatorResult, index: ProcessIndex): IndicatorFlag[] {
  const subjectGroups = Object.keys(result.tallies.get(code) ?? {}) as Group[];
  return subjectGroups.flatMap((group) =>
    [...(result.groups.get(group) ?? [])].flatMap(([id, values]) => {
      const value = values.get(code);
      return value === undefined ? [] : [flagOf({ code, group, id, value }, result, index)];
    }),
  );
}

type Raised = { code: IndicatorCode; group: Group; id: string; value: number };

/** The processes of each subject: one of an ocid, all that an organization took part in. */
export type ProcessIndex = Record<Group, ReadonlyMap<string, BidProcess[]>>;

export function indexProcesses(processes: readonly BidProcess[]): ProcessIndex {
  const byTenderer = new Map<string, BidProcess[]>();
  for (const process of processes) {
    const bidders = (process.bids ?? []).flatMap(({ tenderers }) => idsOf(tenderers));
    for (const id of new Set([...bidders, ...process.activeAwards.flatMap(({ suppliers }) => suppliers)])) {
      const own = byTenderer.get(id);
      if (own === undefined) byTenderer.set(id, [process]);
      else own.push(process);
    }
  }
  return {
    OCID: Map.groupBy(processes, ({ ocid }) => ocid),
    Buyer: Map.groupBy(processes, ({ buyerId }) => buyerId ?? ""),
    ProcuringEntity: Map.groupBy(processes, ({ procuringEntityId }) => procuringEntityId ?? ""),
    Tenderer: byTenderer,
  };
}

function flagOf({ code, group, id, value }: Raised, result: IndicatorResult, index: ProcessIndex): IndicatorFlag {
  const { strength, formula, unit, reason } = words[code];
  const currency = result.mainCurrency ?? "";
  const own = index[group].get(id) ?? [];
  const process = group === "OCID" ? (own[0] ?? null) : null;
  const meta = metaOf(code, group, result);
  const limit = meta.find(([key]) => key === (code === "R024" || code === "R025" ? "lower_fence" : "upper_fence"))?.[1];
  const supplier = group === "Tenderer" ? id : group === "OCID" && process !== null ? soleSupplier(process) : null;
  return {
    group,
    subject: subjectOf(group, id, own),
    reason: reason(value, limit === undefined ? "desconhecido" : formatShare(limit), process),
    strength,
    amountAtRisk: own.reduce((sum, one) => sum + awardedIn(one, currency, group === "Tenderer" ? id : null), 0),
    supplier,
    processes: own,
    formula,
    facts: [
      fact("value", "Valor do indicador", value, unit),
      ...meta.map(([key, number]) =>
        fact(key, META_LABELS[key] ?? key, number, key === "upper_fence" && code === "R025" ? "count" : "ratio"),
      ),
      ...factsOf(code, process),
    ],
  };
}

const META_LABELS: Record<string, string> = {
  q1: "Primeiro quartil",
  q3: "Terceiro quartil",
  lower_fence: "Limite inferior",
  upper_fence: "Limite superior",
};

/** Keys of the group's own fence, without its name before them. */
function metaOf(code: IndicatorCode, group: Group, result: IndicatorResult): [string, number][] {
  const prefix = code === "R038" ? `${group}_` : "";
  return [...(result.meta.get(code) ?? [])]
    .filter(([key, number]) => key.startsWith(prefix) && Number.isFinite(number))
    .map(([key, number]) => [key.slice(prefix.length), number]);
}

function factsOf(code: IndicatorCode, process: BidProcess | null): EvidenceFact[] {
  if (process === null) return [];
  const { tenderPeriodStart: start, tenderPeriodEnd: end } = process;
  if (code !== "R003" && code !== "R030") return [];
  return [
    ...(start === null ? [] : [fact("start", "Início do prazo", start, "text")]),
    ...(end === null ? [] : [fact("end", "Fim do prazo", end, "text")]),
  ];
}

function subjectOf(group: Group, id: string, own: readonly BidProcess[]): Subject {
  const name = own.map(({ names }) => names.get(id)).find((one) => one !== undefined);
  switch (group) {
    case "OCID":
      return { kind: "process", id, label: own[0]?.title ?? id };
    case "Tenderer":
      return { kind: "supplier", id, label: name ?? id };
    case "Buyer":
      return { kind: "agency", id, label: name ?? id };
    // The same code may buy for itself and procure for others.
    case "ProcuringEntity":
      return { kind: "agency", id: `${id}/procuring-entity`, label: name ?? id };
  }
}

function soleSupplier({ activeAwards }: BidProcess): string | null {
  const suppliers = new Set(activeAwards.flatMap((award) => award.suppliers));
  return suppliers.size === 1 ? [...suppliers][0]! : null;
}

function daysOf(process: BidProcess | null): string {
  const start = parseRfc3339(process?.tenderPeriodStart ?? "");
  const end = parseRfc3339(process?.tenderPeriodEnd ?? "");
  return start === null || end === null
    ? "poucos dias"
    : plural(wholeDaysBetween(start, end), "dia inteiro", "dias inteiros");
}
