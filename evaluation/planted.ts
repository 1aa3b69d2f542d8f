import { runDetectors } from "@cidadao/detectors/run-detectors";
import type { Finding } from "@cidadao/domain/anomaly";
import type { Dataset } from "@cidadao/domain/dataset";
import { type Baseline, baselines } from "./baselines.ts";
import { plants } from "./plants/list.ts";
import { keyOf, type Plant, type Planted } from "./plants/plant.ts";
import { spreadOverYears } from "./plants/years.ts";
import { createRandom } from "@cidadao/detectors/seeded-random";
import { readJanuary2024 } from "./sample.ts";
import { type EvaluationData, type Section, tableOf } from "./section.ts";

export const SEEDS = [20_240_131, 20_240_229, 20_240_331];
const PLANTED_PER_KIND = 20;
export const BUDGET_SHARE = 0.01;
const RECALL_MIN = 0.9;
/** What a baseline that only scores is taken to flag, where agencies are ranked. */
const FLAGGED_SHARE = 0.05;

export type Trial = {
  planted: number;
  budget: number;
  precision: number;
  ours: number;
  others: Record<string, number>;
};

/** Puts each kind of oddity into real data, one kind at a time, and asks who finds how many at one budget of reviews. */
export async function plantedSection({ committed }: EvaluationData): Promise<Section> {
  const month = await readJanuary2024(committed);
  const rows = plants.map((plant, index) => {
    const trials = SEEDS.map((seed) => {
      const ground = plant.into === "month" ? month : spreadOverYears(month, createRandom(seed));
      return tryPlant(plant, ground, { count: PLANTED_PER_KIND, seed: seed + index, against: baselines });
    });
    return { plant, ...meanOf(trials) };
  });
  const names = baselines.map(({ name }) => name);
  const table = tableOf(
    [
      "detector",
      "o que foi plantado",
      "unidade",
      "plantados",
      "revisões",
      "recall",
      "precisão",
      ...names.map((name) => `recall: ${name}`),
    ],
    rows.map(({ plant, planted, budget, ours, precision, others }) => [
      plant.detector,
      plant.what,
      UNITS[plant.unit],
      Math.round(planted),
      Math.round(budget),
      ours.toFixed(2),
      precision.toFixed(2),
      ...names.map((name) => others[name]!.toFixed(2)),
    ]),
  );
  return {
    title: "Anomalias plantadas em dados reais",
    markdown: [INTRODUCTION, table].join("\n\n"),
    failures: rows.flatMap(({ plant, ours, others }) => [
      ...(ours < RECALL_MIN ? [`${plant.detector}: recall ${ours.toFixed(2)} < ${RECALL_MIN}`] : []),
      ...names.filter((name) => others[name]! >= ours).map((name) => `${plant.detector}: not ahead of ${name}`),
    ]),
  };
}

const UNITS: Record<Plant["unit"], string> = { contract: "contrato", agency: "órgão" };

const INTRODUCTION = [
  `Em cada linha, até ${PLANTED_PER_KIND} anomalias de uma espécie foram postas nos contratos federais de janeiro de 2024 (ou, onde só ` +
    "anos de um órgão mostram algo, nos mesmos contratos reamostrados em doze órgãos e seis anos). Todo número é a média de " +
    `${SEEDS.length} sorteios.`,
  "Recall é a parte das plantadas que aparece entre as primeiras revisões, 1 % dos contratos: para nós, os indícios do detector da " +
    "espécie, do mais grave ao menos; para as regras de comparação, os contratos na sua própria ordem. Uma anomalia de vários " +
    "contratos conta como achada por qualquer um deles, o que favorece as regras de comparação. Precisão é a parte das nossas " +
    "revisões gastas que achou uma plantada; as demais são indícios reais ou falsos alarmes, que esta tabela não separa.",
  "Onde a unidade é o órgão, revê-se um órgão por vez, e tantos quantos foram plantados: com doze órgãos, 1 % dos contratos alcançaria " +
    "todos. A nossa ordem é a dos órgãos dos indícios. A de uma regra de comparação vem dos contratos que ela aponta (da que só dá " +
    `notas, os ${FLAGGED_SHARE * 100} % de maior nota): órgãos pela parte dos seus contratos apontada, ou pelo número deles; vale a ordem que ` +
    "achar mais.",
].join("\n\n");

/** One kind in one draw. `count` is a wish: some kinds have room for fewer. */
export function tryPlant(
  plant: Plant,
  ground: Dataset,
  { count, seed, against }: { count: number; seed: number; against: readonly Baseline[] },
): Trial {
  const { dataset, planted } = plant.plant(ground, count, createRandom(seed));
  const { findings } = runDetectors(dataset, { detectors: [plant.detector] });
  return plant.unit === "agency"
    ? reviewAgencies(dataset, planted, findings, against)
    : reviewContracts(dataset, planted, findings, against);
}

function reviewContracts(
  dataset: Dataset,
  planted: readonly Planted[],
  findings: readonly Finding[],
  against: readonly Baseline[],
): Trial {
  const budget = Math.ceil(BUDGET_SHARE * dataset.contracts.length);
  const reviewed = findings.slice(0, budget).map(contractsOf);
  const odd = new Set(planted.flatMap(({ keys }) => keys));
  const hits = reviewed.filter((keys) => keys.some((key) => odd.has(key))).length;
  return {
    planted: planted.length,
    budget,
    precision: reviewed.length === 0 ? 0 : hits / reviewed.length,
    ours: recallOf(planted, reviewed.flat()),
    others: recalls(against, ({ rank }) => recallOf(planted, rank(dataset).slice(0, budget))),
  };
}

function reviewAgencies(
  dataset: Dataset,
  planted: readonly Planted[],
  findings: readonly Finding[],
  against: readonly Baseline[],
): Trial {
  const agencyOf = new Map(dataset.contracts.map((one) => [keyOf(one), one.agencyCode]));
  const odd = new Set(planted.map(({ keys }) => agencyOf.get(keys[0]!)!));
  const budget = odd.size;
  const hitsOf = (agencies: string[]) => agencies.slice(0, budget).filter((agency) => odd.has(agency)).length;
  const ours = [...new Set(findings.flatMap(({ agencyCode }) => agencyCode ?? []))];
  return {
    planted: odd.size,
    budget,
    precision: ours.length === 0 ? 0 : hitsOf(ours) / Math.min(ours.length, budget),
    ours: hitsOf(ours) / odd.size,
    others: recalls(against, ({ rank, scoresOnly }) => {
      const ranked = rank(dataset);
      const flagged = scoresOnly ? ranked.slice(0, Math.ceil(FLAGGED_SHARE * ranked.length)) : ranked;
      const orders = agencyOrders(
        flagged.map((key) => agencyOf.get(key)!),
        [...agencyOf.values()],
      );
      return Math.max(...orders.map(hitsOf)) / odd.size;
    }),
  };
}

/** Agencies by the share of their contracts that is flagged, and by their number. */
function agencyOrders(flagged: readonly string[], all: readonly string[]): string[][] {
  const totals = countsOf(all);
  const counts = [...countsOf(flagged)].map(([agency, count]) => ({
    agency,
    count,
    share: count / totals.get(agency)!,
  }));
  return [
    counts.toSorted((a, b) => b.share - a.share || b.count - a.count || (a.agency < b.agency ? -1 : 1)),
    counts.toSorted((a, b) => b.count - a.count || b.share - a.share || (a.agency < b.agency ? -1 : 1)),
  ].map((order) => order.map(({ agency }) => agency));
}

function countsOf(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Keys of the contracts that a finding names. */
export function contractsOf(finding: Finding): string[] {
  return finding.evidence.records.flatMap(({ kind, id }) => (kind === "contract" ? [id] : []));
}

export function recallOf(planted: readonly Planted[], reviewed: readonly string[]): number {
  const seen = new Set(reviewed);
  return planted.length === 0
    ? 0
    : planted.filter(({ keys }) => keys.some((key) => seen.has(key))).length / planted.length;
}

function recalls(against: readonly Baseline[], recallOfOne: (baseline: Baseline) => number): Record<string, number> {
  return Object.fromEntries(against.map((baseline) => [baseline.name, recallOfOne(baseline)]));
}

function meanOf(trials: readonly Trial[]): Trial {
  const mean = (of: (trial: Trial) => number) => trials.reduce((sum, trial) => sum + of(trial), 0) / trials.length;
  return {
    planted: mean(({ planted }) => planted),
    budget: mean(({ budget }) => budget),
    precision: mean(({ precision }) => precision),
    ours: mean(({ ours }) => ours),
    others: Object.fromEntries(
      Object.keys(trials[0]!.others).map((name) => [name, mean(({ others }) => others[name]!)]),
    ),
  };
}
