import type { Finding } from "@cidadao/domain/anomaly";
import type { Dataset } from "@cidadao/domain/dataset";
import { runDetectors } from "@cidadao/detectors/run-detectors";
import { baselines } from "./baselines.ts";
import { type Plant, type Planted, plants, spreadOverYears } from "./plants.ts";
import { createRandom } from "./random.ts";
import { readJanuary2024 } from "./sample.ts";
import { type EvaluationData, type Section, tableOf } from "./section.ts";

const SEED = 20_240_131;
const PLANTED_PER_KIND = 20;
const BUDGET_SHARE = 0.01;
const RECALL_MIN = 0.9;

type Trial = { plant: Plant; planted: number; budget: number; recall: Record<string, number>; precision: number };

/** Puts each kind of oddity into real data, one kind at a time, and asks who finds how many at one budget of reviews. */
export async function plantedSection({ committed }: EvaluationData): Promise<Section> {
  const month = await readJanuary2024(committed);
  const years = spreadOverYears(month, createRandom(SEED));
  const trials = plants.map((plant, index) => tryPlant(plant, plant.into === "month" ? month : years, SEED + index));
  const names = baselines.map(({ name }) => name);
  const failures = trials.flatMap(({ plant, recall }) => [
    ...(recall["ours"]! < RECALL_MIN
      ? [`${plant.detector}: recall ${recall["ours"]!.toFixed(2)} < ${RECALL_MIN}`]
      : []),
    ...names
      .filter((name) => recall[name]! >= recall["ours"]!)
      .map((name) => `${plant.detector}: not ahead of ${name}`),
  ]);
  const table = tableOf(
    [
      "detector",
      "o que foi plantado",
      "plantados",
      "revisões",
      "recall",
      "precisão",
      ...names.map((name) => `recall: ${name}`),
    ],
    trials.map(({ plant, planted, budget, recall, precision }) => [
      plant.detector,
      plant.what,
      planted,
      budget,
      recall["ours"]!.toFixed(2),
      precision.toFixed(2),
      ...names.map((name) => recall[name]!.toFixed(2)),
    ]),
  );
  return { title: "Anomalias plantadas em dados reais", markdown: [INTRODUCTION, table].join("\n\n"), failures };
}

const INTRODUCTION =
  `Em cada linha, até ${PLANTED_PER_KIND} anomalias de uma espécie foram postas nos contratos federais de janeiro de 2024 (ou, onde só ` +
  "anos de um órgão mostram algo, nos mesmos contratos reamostrados em doze órgãos e seis anos). Recall é a parte das plantadas que " +
  "aparece entre as primeiras revisões, 1 % dos contratos: para nós, os indícios do detector da espécie, do mais grave ao menos; para " +
  "as regras de comparação, os contratos na sua própria ordem. Uma anomalia de vários contratos conta como achada por qualquer um " +
  "deles. Precisão é a parte das nossas revisões gastas que achou uma plantada; as demais são indícios reais ou falsos alarmes, que esta tabela não separa.";

function tryPlant(plant: Plant, base: Dataset, seed: number): Trial {
  const { dataset, planted } = plant.plant(base, PLANTED_PER_KIND, createRandom(seed));
  const budget = Math.ceil(BUDGET_SHARE * dataset.contracts.length);
  const { findings } = runDetectors(dataset, { detectors: [plant.detector] });
  const reviewed = findings.slice(0, budget);
  const ours = reviewed.map(keysOf);
  const hits = reviewed.filter((finding) =>
    planted.some(({ keys }) => keysOf(finding).some((key) => keys.includes(key))),
  );
  return {
    plant,
    planted: planted.length,
    budget,
    precision: reviewed.length === 0 ? 0 : hits.length / reviewed.length,
    recall: {
      ours: recallOf(planted, ours),
      ...Object.fromEntries(
        baselines.map(({ name, rank }) => [
          name,
          recallOf(
            planted,
            rank(dataset)
              .slice(0, budget)
              .map((key) => [key]),
          ),
        ]),
      ),
    },
  };
}

function keysOf(finding: Finding): string[] {
  return finding.evidence.records.flatMap(({ kind, id }) => (kind === "contract" ? [id] : []));
}

function recallOf(planted: readonly Planted[], reviewed: readonly string[][]): number {
  const seen = new Set(reviewed.flat());
  return planted.length === 0
    ? 0
    : planted.filter(({ keys }) => keys.some((key) => seen.has(key))).length / planted.length;
}
