import { runDetectors } from "@cidadao/detectors/run-detectors";
import type { Dataset } from "@cidadao/domain/dataset";
import { baselines } from "./baselines.ts";
import { BUDGET_SHARE, contractsOf, recallOf, SEEDS } from "./planted.ts";
import { plants } from "./plants/list.ts";
import type { Planted } from "./plants/plant.ts";
import { createRandom, type Random } from "@cidadao/detectors/seeded-random";
import { readJanuary2024 } from "./sample.ts";
import { type EvaluationData, type Section, tableOf } from "./section.ts";

const PLANTED_PER_KIND = 3;
const BUDGETS = [BUDGET_SHARE, 0.02, 0.05];
const OURS = "todos os detectores, por nota";

/** Some of every kind in one month at once, and one ranking of everything we find. */
export async function mixedSection({ committed }: EvaluationData): Promise<Section> {
  const month = await readJanuary2024(committed);
  const draws = SEEDS.map((seed) => draw(month, createRandom(seed)));
  const names = [OURS, ...baselines.map(({ name }) => name)];
  const mean = (of: (one: Draw) => number) => draws.reduce((sum, one) => sum + of(one), 0) / draws.length;
  const rows = BUDGETS.map((share) => ({
    share,
    budget: Math.round(mean(({ contracts }) => Math.ceil(share * contracts))),
    recalls: names.map((name) => mean((one) => recallAt(one, name, share))),
  }));
  const planted = Math.round(mean(({ planted }) => planted.length));
  const [ours = 0, ...others] = rows[0]!.recalls;
  return {
    title: "Anomalias plantadas de todas as espécies ao mesmo tempo",
    markdown: [
      `Até ${PLANTED_PER_KIND} de cada espécie que cabe num mês, ao todo ${planted}, no mesmo janeiro de 2024; média de ${SEEDS.length} sorteios. Todos os ` +
        "indícios de todos os detectores vão numa só fila, pela nota; cada indício, ou cada contrato de uma regra de comparação, gasta uma " +
        "revisão. Na fila estão também os indícios reais do mês, mais graves do que muitas das plantadas: o recall não chega a 1, e " +
        "com 1 % de revisões não chegaria nem sem eles, se houver mais plantadas que revisões.",
      tableOf(
        ["revisões", "parte dos contratos", ...names.map((name) => `recall: ${name}`)],
        rows.map(({ share, budget, recalls }) => [
          budget,
          `${share * 100} %`,
          ...recalls.map((recall) => recall.toFixed(2)),
        ]),
      ),
    ].join("\n\n"),
    failures: others.flatMap((recall, index) => (recall >= ours ? [`mixed: not ahead of ${names[index + 1]}`] : [])),
  };
}

type Draw = { contracts: number; planted: Planted[]; rankings: Map<string, string[][]> };

function draw(month: Dataset, random: Random): Draw {
  let dataset = month;
  const all: Planted[] = [];
  for (const { into, plant } of plants) {
    if (into !== "month") continue;
    const planting = plant(dataset, PLANTED_PER_KIND, random);
    dataset = planting.dataset;
    all.push(...planting.planted);
  }
  return {
    contracts: dataset.contracts.length,
    planted: all,
    rankings: new Map([
      [OURS, runDetectors(dataset).findings.map(contractsOf)],
      ...baselines.map(({ name, rank }) => [name, rank(dataset).map((key) => [key])] as const),
    ]),
  };
}

function recallAt({ contracts, planted, rankings }: Draw, name: string, share: number): number {
  return recallOf(
    planted,
    rankings
      .get(name)!
      .slice(0, Math.ceil(share * contracts))
      .flat(),
  );
}
