import path from "node:path";
import { contractSplitting } from "@cidadao/detectors/contract-splitting";
import { benfordFit, firstDigitsOf } from "@cidadao/detectors/first-digit";
import { assess, runDetectors } from "@cidadao/detectors/run-detectors";
import type { DirectAwardKind } from "@cidadao/domain/contract";
import type { Dataset } from "@cidadao/domain/dataset";
import { directAwardThresholdOn } from "@cidadao/detectors/thresholds";
import { readDataset } from "../sample.ts";
import { explainedFigure, type Figure, figure, fixed } from "./figure.ts";
import { readPacked } from "./rows.ts";

type Purchase = {
  co_uasg: number;
  servico: number;
  modalidade: number;
  inciso: string;
  vr_estimado: number | null;
  dt_declaracao: string;
  itens: { fornecedor: string | null }[] | null;
};

const FILE = "compras_sem_licitacao.jsonl.gz";
const WAIVED = 6;
/** In reais, as published. */
const LIMIT = 8_000;

/** Federal purchases of two services without tender, 1998 to 2018: there is bunching and splitting in them. */
export async function directAwardFigures(folder: string): Promise<Figure[]> {
  const file = path.join(folder, "comprasgov-dispensas-2servicos", FILE);
  const lines = (await readPacked(file)).split("\n").filter((line) => line !== "");
  const purchases = lines.map((line) => JSON.parse(line) as Purchase);
  const waived = purchases.filter(({ modalidade }) => modalidade === WAIVED);
  const others = purchases.filter(({ modalidade }) => modalidade !== WAIVED);
  const dataset = await readDataset([file]);
  const countOf = (kind: DirectAwardKind) =>
    dataset.contracts.filter(({ directAwardKind }) => directAwardKind === kind).length;
  return [
    figure("compras lidas", "nosso leitor: dispensas; inexigibilidades; itens", [
      "27037; 13547; 44482",
      `${countOf("waived")}; ${countOf("no_competition")}; ${dataset.items.length}`,
    ]),
    figure("limite", "`directAwardThresholdOn` de 28/05/1998 e 23/03/2018, em reais", [
      "8000; 8000",
      ["1998-05-28", "2018-03-23"].map((day) => directAwardThresholdOn(day, "lei-8666")!.otherCents / 100).join("; "),
    ]),
    figure("dispensas em [7.000, 8.000] e (8.000, 9.000]", "", ["1397 / 52", bins(waived, 1_000)]),
    figure("dispensas em [7.200, 8.000] e (8.000, 8.800]; exatas 8.000,00", "", [
      "1243 / 36; 222",
      `${bins(waived, 800)}; ${waived.filter((one) => one.vr_estimado === LIMIT).length}`,
    ]),
    figure("inexigibilidades nas mesmas duas faixas", "comparação", ["643 / 167", bins(others, 800)]),
    benfordFigure("Benford, dispensas", waived, "26964, 0.0097, 343.8"),
    benfordFigure("Benford, inexigibilidades", others, "13540, 0.0122, 233.0"),
    ...splittingFigures(waived, dataset),
    ...repeatedFigures(others, dataset),
    bunchingFigure(dataset),
  ];
}

function bins(purchases: Purchase[], width: number): string {
  const values = purchases.map(({ vr_estimado: value }) => value ?? 0);
  const below = values.filter((value) => value >= LIMIT - width && value <= LIMIT).length;
  return `${below} / ${values.filter((value) => value > LIMIT && value <= LIMIT + width).length}`;
}

function benfordFigure(name: string, purchases: Purchase[], expected: string): Figure {
  const { counts, total } = firstDigitsOf(
    Float64Array.from(purchases, ({ vr_estimado: value }) => Math.round((value ?? 0) * 100)),
  );
  const { mad, chiSquare } = benfordFit(counts);
  return figure(name, "N, MAD, χ² (`firstDigitsOf`, `benfordFit`)", [
    expected,
    `${total}, ${fixed(mad, 4)}, ${fixed(chiSquare, 1)}`,
  ]);
}

/** The one CNPJ among the suppliers of a purchase. */
function cnpjOf({ itens }: Purchase): string | null {
  const cnpjs = new Set((itens ?? []).flatMap(({ fornecedor }) => (fornecedor?.length === 14 ? [fornecedor] : [])));
  return cnpjs.size === 1 ? [...cnpjs][0]! : null;
}

function splittingFigures(waived: Purchase[], dataset: Dataset): Figure[] {
  const byValue = waived.filter((one) => one.inciso === "02" && one.vr_estimado !== null && cnpjOf(one) !== null);
  const groups = Map.groupBy(
    byValue,
    (one) => `${one.co_uasg}/${cnpjOf(one)}/${one.dt_declaracao.slice(0, 4)}/${one.servico}`,
  );
  const several = [...groups].filter(([, group]) => group.length >= 2);
  const split = several.filter(([, group]) => group.every((one) => one.vr_estimado! <= LIMIT) && sumOf(group) > LIMIT);
  const verdicts = new Map(
    assess(contractSplitting, dataset, {}).map(({ subjectId, verdict }) => [subjectId, verdict] as const),
  );
  const expected = new Set(split.map(([id]) => id));
  const fired = [...verdicts].flatMap(([id, { outcome }]) => (outcome === "fired" ? [id] : []));
  const missed = [...expected].filter((id) => verdicts.get(id)?.outcome !== "fired");
  const withoutValue = missed.filter((id) => verdicts.get(id)?.outcome === "not_computable").length;
  const added = fired.filter((id) => !expected.has(id));
  const underFirstClause = added.filter((id) => !several.some(([other]) => other === id) && isService(id)).length;
  return [
    figure(
      "B-FRAC pela definição",
      "inciso II; grupo (UASG, CNPJ, ano da declaração, serviço do arquivo), um CNPJ por compra: grupos; com ≥ 2; todas ≤ 8.000 e soma acima; destes com ≥ 3",
      [
        "14840; 3008; 679; 414",
        `${groups.size}; ${several.length}; ${split.length}; ${split.filter(([, group]) => group.length >= 3).length}`,
      ],
    ),
    explainedFigure(
      "B-FRAC, `contract-splitting`",
      "grupos que o detector aponta nas mesmas compras: todos; também na definição; só na definição; só no detector",
      ["679; 679; 0; 0", `${fired.length}; ${fired.length - added.length}; ${missed.length}; ${added.length}`],
      {
        explained: "669; 667; 12; 2",
        note:
          `Só na definição: ${withoutValue} grupos têm uma dispensa sem valor, que a definição ignora e o detector responde como não calculável; ` +
          `nos outros ${missed.length - withoutValue} o item de maior valor de alguma compra tem outro código que o serviço do arquivo, e o detector ` +
          `agrupa pelo código do maior item. Só no detector: ${underFirstClause} grupo do inciso I, com o limite de obras, que a definição deixa fora, ` +
          `e ${added.length - underFirstClause} grupo cujas compras a definição conta sob outro código.`,
      },
    ),
  ];
}

/** The two services that the file was made of. */
function isService(id: string): boolean {
  return /\/(?:17663|3239)$/.test(id);
}

function sumOf(group: Purchase[]): number {
  return group.reduce((sum, { vr_estimado: value }) => sum + value!, 0);
}

const REPEATED_VALUE_MIN = 1_000;

function repeatedFigures(others: Purchase[], dataset: Dataset): Figure[] {
  const groups = Map.groupBy(
    others.filter((one) => cnpjOf(one) !== null),
    (one) => `${one.co_uasg}/${cnpjOf(one)}/${one.dt_declaracao.slice(0, 4)}`,
  );
  const repeated = [...groups.values()].filter(
    (group) => group.filter(({ vr_estimado: value }) => (value ?? 0) >= REPEATED_VALUE_MIN).length >= 3,
  );
  const [report] = runDetectors(dataset, { detectors: ["repeated-no-competition"] }).reports;
  return [
    figure(
      "B-INEX pela definição",
      "grupos (UASG, CNPJ, ano) com ≥ 3 inexigibilidades de ≥ R$ 1.000; todos os grupos",
      ["545; 7717", `${repeated.length}; ${groups.size}`],
    ),
    figure("B-INEX, `repeated-no-competition`", "grupos que o detector aponta", [545, report!.fired]),
  ];
}

function bunchingFigure(dataset: Dataset): Figure {
  const { findings } = runDetectors(dataset, { detectors: ["threshold-bunching"] });
  const names = findings.map(({ agencyName }) => agencyName ?? "").toSorted();
  return figure(
    "B-BUNCH, `threshold-bunching`",
    "dispara aqui (e não em janeiro de 2024)",
    ["sim", names.length > 0 ? "sim" : "não"],
    `${names.length} órgãos: ${names.join(", ")}`,
  );
}
