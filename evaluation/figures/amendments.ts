import path from "node:path";
import { amendmentGrowth } from "@cidadao/detectors/amendment-growth";
import { assess } from "@cidadao/detectors/run-detectors";
import { recordKey } from "@cidadao/domain/provenance";
import { centsFromBrazilianText } from "@cidadao/domain/money";
import { daysBetween, parseDate } from "@cidadao/domain/dates";
import { readDataset } from "../sample.ts";
import { explainedFigure, type Figure, figure, fixed } from "./figure.ts";
import { readPacked } from "./rows.ts";

type Line = {
  contrato_id: string;
  dados: Record<"Tipo" | "Observação" | "Vlr. Global" | "Data Assinatura" | "Número Contrato", string | null>;
};
type Wire = {
  nomeModalidadeCompra: string;
  receitaDespesa: string;
  numeroControlePncpContrato: string | null;
  dataVigenciaInicial: string;
  dataVigenciaFinal: string | null;
};

/** Contracts of one agency with their histories: amendments with the value after each. */
export async function amendmentFigures(folder: string): Promise<Figure[]> {
  const file = (name: string) => path.join(folder, "comprasgov-contratos-anp", name);
  const { dados: lines } = JSON.parse(await readPacked(file("historico.json.gz"))) as { dados: Line[] };
  const { dados: contracts } = JSON.parse(await readPacked(file("contratos.json.gz"))) as { dados: Wire[] };
  return [
    ...historyFigures(lines),
    ...contractFigures(contracts),
    ...(await increaseFigures(lines, ["contratos.json.gz", "historico.json.gz"].map(file))),
  ];
}

function historyFigures(lines: Line[]): Figure[] {
  const types = Map.groupBy(lines, ({ dados }) => dados.Tipo ?? "");
  const countOf = (type: string) => types.get(type)?.length ?? 0;
  const named = ["Termo Aditivo", "Empenho", "Contrato", "Termo de Apostilamento"].map(countOf);
  const rest = lines.length - named.reduce((sum, count) => sum + count, 0);
  const ratios = [...Map.groupBy(lines, ({ contrato_id }) => contrato_id).values()]
    .map((group) => {
      const values = group.map(valueOf).filter((value) => value > 0);
      return values.length === 0 ? 0 : Math.max(...values) / values[0]!;
    })
    .toSorted((a, b) => b - a);
  const impossible = lines.filter(({ dados }) => parseDate(dados["Data Assinatura"] ?? "") === null);
  return [
    figure("linhas da história por tipo", "Aditivo; Empenho; Contrato; Apostilamento; outros (todas)", [
      "626; 393; 383; 186; 11 (1599)",
      `${[...named, rest].join("; ")} (${lines.length})`,
    ]),
    figure("instrumentos", "todos; maior valor > 1,25 × o primeiro não zero; as maiores razões", [
      "784; 26; 11.30, 10.84, 3.84, 2.51, 2.06, 2.00",
      `${ratios.length}; ${ratios.filter((ratio) => ratio > 1.25).length}; ${ratios
        .slice(0, 6)
        .map((ratio) => fixed(ratio, 2))
        .join(", ")}`,
    ]),
    figure("linhas estranhas", "valor zero; ano de assinatura impossível (`parseDate`)", [
      "10; 0022",
      `${lines.filter((line) => valueOf(line) === 0).length}; ${impossible.map(({ dados }) => dados["Data Assinatura"]?.slice(-4)).join(", ")}`,
    ]),
  ];
}

/** Cents. */
function valueOf({ dados }: Line): number {
  return centsFromBrazilianText(dados["Vlr. Global"] ?? "") ?? 0;
}

/** The longest a year can be: a term that ends on its anniversary is no longer than its years. */
const YEAR_DAYS = 366;

function contractFigures(contracts: Wire[]): Figure[] {
  const methods = ["Pregão", "Inexigibilidade", "Dispensa", "Concorrência", "Não se Aplica", "Convite"];
  const count = (isCounted: (one: Wire) => boolean) => contracts.filter(isCounted).length;
  const terms = contracts.flatMap(({ dataVigenciaInicial: starts, dataVigenciaFinal: ends }) =>
    ends === null ? [] : [daysBetween(starts.slice(0, 10), ends.slice(0, 10))],
  );
  return [
    figure("contratos por modalidade", methods.join("; "), [
      "580; 129; 119; 31; 5; 1",
      methods.map((method) => count((one) => one.nomeModalidadeCompra === method)).join("; "),
    ]),
    figure("contratos de receita; com número do PNCP", "", [
      "2; 115",
      `${count((one) => one.receitaDespesa === "R")}; ${count((one) => one.numeroControlePncpContrato !== null)}`,
    ]),
    figure("prazo > 5; > 6; > 10 anos; sem data de fim", `anos de ${YEAR_DAYS} dias`, [
      "26; 8; 6; 6",
      [
        ...[5, 6, 10].map((years) => terms.filter((days) => days > years * YEAR_DAYS).length),
        contracts.length - terms.length,
      ].join("; "),
    ]),
  ];
}

async function increaseFigures(lines: Line[], files: string[]): Promise<Figure[]> {
  const instruments = [...Map.groupBy(lines, ({ contrato_id }) => contrato_id).values()].flatMap((group) => {
    const contract = group.find(({ dados }) => dados.Tipo === "Contrato");
    const increases = group.filter(
      ({ dados }) => dados.Tipo === "Termo Aditivo" && speaksOfIncrease(dados["Observação"]),
    );
    if (contract === undefined || increases.length === 0) return [];
    return [
      { number: contract.dados["Número Contrato"], ratio: Math.max(...increases.map(valueOf)) / valueOf(contract) },
    ];
  });
  const above = instruments.filter(({ ratio }) => ratio > 1.25).toSorted((a, b) => b.ratio - a.ratio);
  const dataset = await readDataset(files);
  const verdicts = new Map(
    assess(amendmentGrowth, dataset, {}).map(({ subjectId, verdict }) => [subjectId, verdict] as const),
  );
  const outcomeOf = (number: string | null) => {
    const contract = dataset.contracts.find((one) => one.number === number);
    return contract === undefined ? null : verdicts.get(recordKey(contract.provenance));
  };
  const answers = above.map(({ number }) => outcomeOf(number));
  const fired = answers.filter((answer) => answer?.outcome === "fired").length;
  const notes = [...Map.groupBy(answers, (answer) => (answer?.outcome === "not_fired" ? answer.note : null))]
    .filter(([note]) => note !== null)
    .map(([note, group]) => `${group.length} × “${note}”`);
  const firedOf37 = instruments.filter(({ number }) => outcomeOf(number)?.outcome === "fired").length;
  const firedOfAll = [...verdicts.values()].filter(({ outcome }) => outcome === "fired").length;
  return [
    figure(
      "instrumentos com aditivo que diz “acresc”",
      "com linha de Contrato; valor numa dessas linhas > 1,25 × o do contrato",
      [
        "37; 7 (2.06, 2.00, 2.00, 1.71, 1.32, 1.32, 1.26)",
        `${instruments.length}; ${above.length} (${above.map(({ ratio }) => fixed(ratio, 2)).join(", ")})`,
      ],
    ),
    explainedFigure(
      "`amendment-growth` nesses 7",
      "apontados; nos 37; em todos os contratos lidos",
      ["7", `${fired}; ${firedOf37}; ${firedOfAll}`],
      {
        explained: "2; 2; 10",
        note:
          "O valor depois do termo inclui o que a prorrogação e o reajuste do mesmo termo, ou de antes dele, somaram. O detector conta só o " +
          `acréscimo: o percentual escrito no termo misto, o aumento do termo só de acréscimo. Dos outros: ${notes.join("; ")}. ` +
          "Os demais apontados não têm termo que diga “acresc”, ou são supressões.",
      },
    ),
  ];
}

function speaksOfIncrease(text: string | null): boolean {
  return /acresc|acrésc/i.test(text ?? "");
}
