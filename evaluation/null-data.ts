import { detectors } from "@cidadao/detectors/registry";
import { detectInFrame, runDetectors } from "@cidadao/detectors/run-detectors";
import { exampleContract, exampleDataset } from "@cidadao/detectors/examples";
import path from "node:path";
import type { Grounds, NullCase } from "./null-data/null-case.ts";
import { permutedCases } from "./null-data/permuted.ts";
import { syntheticCases } from "./null-data/synthetic.ts";
import { spreadOverYears } from "./plants/years.ts";
import { createRandom } from "@cidadao/detectors/seeded-random";
import { readDataset, readJanuary2024 } from "./sample.ts";
import { type EvaluationData, type Section, tableOf } from "./section.ts";

const SEED = 20_240_131;
/** A rate measured in so many draws may lie this many of its standard errors above the promised one. */
const STANDARD_ERRORS = 2;

export type NullResult = { draws: number; drawsWithFlags: number; tested: number; flags: number };

/** How often the detectors flag something where there is nothing to find. */
export async function nullDataSection({ committed, folder }: EvaluationData): Promise<Section> {
  const month = await readJanuary2024(committed);
  const directAwards =
    folder === null
      ? null
      : await readDataset([path.join(folder, "comprasgov-dispensas-2servicos/compras_sem_licitacao.jsonl.gz")]);
  const grounds: Grounds = { month, years: spreadOverYears(month, createRandom(SEED)), directAwards };
  const failures: string[] = [];
  const rows = [
    ...permutedCases.map((one) => ({ kind: "permutado", one })),
    ...syntheticCases.map((one) => ({ kind: "sintético", one })),
  ].map(({ kind, one }) => {
    const result = runNullCase(one, grounds);
    const rate = result.drawsWithFlags / result.draws;
    const error = Math.sqrt((one.nominal * (1 - one.nominal)) / result.draws);
    const isKept = rate <= one.nominal + STANDARD_ERRORS * error;
    if (!isKept) failures.push(`${one.detector}, ${kind}: flags in ${(100 * rate).toFixed(1)} % of draws`);
    return [
      one.detector,
      kind,
      one.what,
      result.draws,
      rate.toFixed(3),
      `${one.nominal.toFixed(2)} + ${(STANDARD_ERRORS * error).toFixed(3)}`,
      result.tested,
      result.flags,
      isKept ? "sim" : "**não**",
    ];
  });
  const clean = cleanRows();
  failures.push(
    ...clean.filter(({ fired }) => fired > 0).map(({ detector }) => `${detector}: flags on clean contracts`),
  );
  const head = [
    "detector",
    "dados",
    "o que foi feito",
    "sorteios",
    "parte com algum indício",
    "limite",
    "testados",
    "indícios",
    "dentro",
  ];
  return {
    title: "Dados em que não há nada",
    markdown: [
      INTRODUCTION,
      tableOf(head, rows),
      CLEAN,
      tableOf(
        ["detector", "testados", "indícios"],
        clean.filter(({ tested }) => tested > 0).map(({ detector, tested, fired }) => [detector, tested, fired]),
      ),
      `Sem o que testar aí, e portanto sem prova: ${clean.flatMap(({ detector, tested }) => (tested === 0 ? detector : [])).join(", ")}.`,
    ].join("\n\n"),
    failures,
  };
}

const INTRODUCTION =
  "Para cada detector que dá chances, dados reais em que o que ele procura foi embaralhado, e dados inventados em que todos seguem a " +
  "mesma lei. Sob essa hipótese o controle de Benjamini e Hochberg promete algum indício em no máximo 5 % dos sorteios (1 % nos laços da " +
  "rede de fornecedores); o limite soma dois erros-padrão do sorteio.";
const CLEAN =
  "Os detectores de regra não têm chance a controlar: em contratos inventados que não quebram regra nenhuma, não podem apontar nada.";

export function runNullCase(
  { detector, draws, prepare }: Pick<NullCase, "detector" | "draws" | "prepare">,
  grounds: Grounds,
): NullResult {
  const draw = prepare(grounds);
  const random = createRandom(SEED);
  const result: NullResult = { draws, drawsWithFlags: 0, tested: 0, flags: 0 };
  for (let index = 0; index < draws; index++) {
    const { findingsTotal, reports } = detectInFrame(draw(random), { detectors: [detector], findingsMax: 0 });
    if (findingsTotal > 0) result.drawsWithFlags++;
    result.flags += findingsTotal;
    result.tested += reports.reduce((sum, report) => sum + report.fired + report.notFired, 0);
  }
  return result;
}

const CLEAN_CONTRACTS = 2_000;

/** Ordinary contracts, each of a supplier, a unit and a value of its own. */
function cleanRows(): { detector: string; tested: number; fired: number }[] {
  const random = createRandom(SEED);
  const contracts = Array.from({ length: CLEAN_CONTRACTS }, (_, index) => {
    const cnpj = `9${String(index).padStart(7, "0")}000199`;
    const value = Math.round(Math.exp(random.between(14, 19)));
    return exampleContract(`c${index}`, {
      object: `Aquisição de material número ${index}`,
      unitCode: `${200_000 + index}`,
      agencyCode: `${10_000 + (index % 400)}`,
      supplierId: cnpj,
      supplierTaxId: cnpj,
      initialValueCents: value,
      currentValueCents: value,
    });
  });
  const tested = new Set([...permutedCases, ...syntheticCases].map(({ detector }) => detector));
  const dataset = exampleDataset({ contracts, sanctionListsRead: ["ceis", "cnep"] });
  const ids = detectors.map(({ id }) => id).filter((id) => !tested.has(id));
  return runDetectors(dataset, { detectors: ids }).reports.map(({ detector, fired, notFired }) => ({
    detector,
    tested: fired + notFired,
    fired,
  }));
}
