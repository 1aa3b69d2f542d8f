import { formatDate } from "@cidadao/domain/dates";
import { formatBrl } from "@cidadao/domain/money";
import { z } from "zod";
import type { Detector } from "./define-detector.ts";
import { detectors } from "./registry.ts";
import { directAwardThresholds, regimeNames } from "./thresholds.ts";

/** The whole of `docs/detectors.md`, in Portuguese, from the fields of the registry. */
export function renderDetectorsPage(): string {
  const index = detectors.map(({ id, title }) => `- [${title}](#${id})`).join("\n");
  return `${[INTRODUCTION, index, ...detectors.map(renderDetector), renderThresholds()].join("\n\n")}\n`;
}

const INTRODUCTION = `# Detectores

Um detector aponta indícios: razões para olhar um contrato com atenção, nunca uma acusação. Cada um dá a cada sujeito
exatamente uma de quatro respostas: apontado, não apontado, não calculável (e por quê) ou excluído (e por quê).

A pontuação é a **média geométrica da força da evidência e do peso do valor em jogo**. O peso vale 0,4 para R$ 10 mil e 0,2 a mais por fator de
dez, entre 0,05 e 1. A gravidade vem só da pontuação: crítica a partir de 0,9, alta de 0,7, média de 0,5, baixa de 0,3,
informativa abaixo disso.`;

function renderDetector(detector: Detector): string {
  const laws = detector.legalBasis.map(
    ({ norm, article, validFrom, validTo }) =>
      `${norm}, ${article} (desde ${formatDate(validFrom)}${validTo === null ? "" : ` até ${formatDate(validTo)}`})`,
  );
  return [
    `<a id="${detector.id}"></a>\n\n## ${detector.title}`,
    `\`${detector.id}\` · versão ${detector.version} · conta ${detector.subjects} · lê ${detector.needs.join(", ")}`,
    `**${detector.question}**`,
    detector.method,
    section("Base legal", laws),
    section("Fica de fora", detector.exclusions),
    section("Pressupostos", detector.assumptions),
    section("Explicações inocentes", detector.innocentExplanations),
    renderParams(detector),
    section(
      "Exemplos verificados",
      detector.examples.map(({ title }) => title),
    ),
    section("Referências", detector.references),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function renderParams({ params }: Detector): string {
  const { properties = {} } = z.toJSONSchema(params, { io: "input" });
  const rows = Object.entries(properties).flatMap(([name, schema]) =>
    typeof schema === "boolean" ? [] : [`| \`${name}\` | ${JSON.stringify(schema.default)} | ${schema.description} |`],
  );
  if (rows.length === 0) return "";
  return ["### Parâmetros\n", "| nome | padrão | significado |", "|---|---|---|", ...rows].join("\n");
}

function renderThresholds(): string {
  const rows = directAwardThresholds.map(({ regime, validFrom, validTo, worksCents, otherCents, instrument }) =>
    [
      "",
      regimeNames[regime],
      `${formatDate(validFrom)} a ${formatDate(validTo)}`,
      formatBrl(worksCents),
      formatBrl(otherCents),
      instrument,
      "",
    ]
      .join(" | ")
      .trim(),
  );
  return [
    "## Limites de dispensa por valor\n",
    "Na Lei 14.133 o valor deve ficar abaixo do limite; nas leis anteriores pode chegar a ele.",
    "Ano sem linha na tabela usa o último limite conhecido, marcado como provisório.\n",
    "| regime | vigência | obras, engenharia, veículos | outros bens e serviços | fonte |",
    "|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function section(title: string, lines: string[]): string {
  return lines.length === 0 ? "" : `### ${title}\n\n${lines.map((line) => `- ${line}`).join("\n")}`;
}
