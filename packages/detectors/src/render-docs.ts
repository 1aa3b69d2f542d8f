import { formatDate } from "@cidadao/domain/dates";
import { formatBrl } from "@cidadao/domain/money";
import type { z } from "zod";
import type { BidPattern } from "./bids/bid-pattern.ts";
import { bidPatterns } from "./bids/bid-patterns.ts";
import { fieldNames } from "./coverage.ts";
import type { Concern, Detector } from "./define-detector.ts";
import type { Indicator } from "./indicators/define-indicator.ts";
import { indicators } from "./indicators/registry.ts";
import { detectors } from "./registry.ts";
import { directAwardThresholds, regimeNames } from "./thresholds.ts";

/** The whole of `docs/detectors.md`, in Portuguese, from the fields of the three registries. */
export function renderDetectorsPage(): string {
  const link = ({ id, title }: { id: string; title: string }) => `- [${title}](#${id})`;
  const overBids = [
    ...indicators.map((indicator) => ({ ...indicator, id: indicator.code.toLowerCase() })),
    ...bidPatterns,
  ];
  return `${[
    INTRODUCTION,
    `## Sobre contratos\n\n${detectors.map(link).join("\n")}`,
    `## Sobre propostas de licitação (OCDS)\n\n${overBids.map(link).join("\n")}`,
    ...detectors.map(renderDetector),
    BIDS_INTRODUCTION,
    ...indicators.map(renderIndicator),
    ...bidPatterns.map(renderPattern),
    renderThresholds(),
  ].join("\n\n")}\n`;
}

const INTRODUCTION = `# Detectores

Um detector aponta indícios: razões para olhar um contrato com atenção, nunca uma acusação. Cada um dá a cada sujeito
exatamente uma de quatro respostas: apontado, não apontado, não calculável (e por quê) ou excluído (e por quê). Antes de
tudo, um relatório de cobertura diz o que os dados permitem: quantos contratos têm os campos que cada detector exige.

**Falsas descobertas.** Detectores que dão uma chance (p) testam milhares de sujeitos. Entre todos os que um detector
testa numa análise, só ficam os aprovados pelo controle de Benjamini e Hochberg, com taxa de 5 %; os outros contam como
não apontados, com essa nota. Além da chance, cada um exige um tamanho mínimo de efeito.

**Pontuação.** √(força da evidência × peso do valor em jogo × peso da raridade). O peso do valor é 0,4 para R$ 10 mil e
0,2 a mais por fator de dez, entre 0,05 e 1. O peso da raridade é 1 quando um sujeito em cem é apontado na análise, e cai
até 0,5 quando é a metade deles. A gravidade vem só da pontuação: crítica a partir de 0,9, alta de 0,7, média de 0,5,
baixa de 0,3, informativa abaixo disso.

**Risco composto** de um contrato, fornecedor ou órgão, de 0 a 10: 10 × (1 − Π (1 − s)), em que s é a maior pontuação de
cada detector que o apontou. Quantos detectores independentes apontam conta; quantas vezes um deles repete, não. Vem sempre
com quantos o apontaram, de quantos podiam responder.

O quanto acertam, e o que apontam onde não há nada: [evaluation.md](evaluation.md).`;

const BIDS_INTRODUCTION = `# Sobre propostas de licitação

Os onze indicadores de referência do Cardinal (Open Contracting Partnership) e quatro padrões, sobre processos no padrão
OCDS: \`npx cidadao indicators\` para o resultado do Cardinal, \`npx cidadao analyze --format ocds\` para indícios na forma
dos outros detectores. Um arquivo de configuração do Cardinal (INI, uma seção por indicador) vale como está; sem arquivo,
todos rodam com os valores padrão.`;

function renderIndicator(indicator: Indicator): string {
  const heading = `\`${indicator.code}\` · \`${indicator.name}\` · conta ${indicator.subjects}`;
  return renderFields(
    { ...indicator, id: indicator.code.toLowerCase() },
    { heading, params: indicator.settings, examples: indicator.examples },
  );
}

function renderPattern(pattern: BidPattern): string {
  return renderFields(pattern, {
    heading: `\`${pattern.id}\` · versão ${pattern.version} · conta ${pattern.subjects}`,
    params: null,
    examples: [],
  });
}

function renderDetector(detector: Detector): string {
  const { id, version, subjects, needs, requires, concerns } = detector;
  const asks = requires.length === 0 ? "" : ` · exige ${requires.map((field) => fieldNames[field]).join(", ")}`;
  const heading = `\`${id}\` · versão ${version} · conta ${subjects} · lê ${needs.join(", ")}${asks} · pesa no risco de ${concerns.map((kind) => concernNames[kind]).join(", ")}`;
  return renderFields(detector, { heading, params: detector.params, examples: detector.examples });
}

const concernNames: Record<Concern, string> = { contract: "contratos", supplier: "fornecedores", agency: "órgãos" };

type Fields = Pick<
  Detector,
  | "id"
  | "title"
  | "question"
  | "method"
  | "legalBasis"
  | "references"
  | "exclusions"
  | "assumptions"
  | "innocentExplanations"
>;

function renderFields(
  fields: Fields,
  {
    heading,
    params,
    examples,
  }: { heading: string; params: z.ZodObject | null; examples: readonly { title: string }[] },
): string {
  const laws = fields.legalBasis.map(
    ({ norm, article, validFrom, validTo }) =>
      `${norm}, ${article} (desde ${formatDate(validFrom)}${validTo === null ? "" : ` até ${formatDate(validTo)}`})`,
  );
  return [
    `<a id="${fields.id}"></a>\n\n## ${fields.title}`,
    heading,
    `**${fields.question}**`,
    fields.method,
    section("Base legal", laws),
    section("Fica de fora", fields.exclusions),
    section("Pressupostos", fields.assumptions),
    section("Explicações inocentes", fields.innocentExplanations),
    params === null ? "" : renderParams(params),
    section(
      "Exemplos verificados",
      examples.map(({ title }) => title),
    ),
    section("Referências", fields.references),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** Defaults as people would write them: a list by its members, a map by its pairs. */
function renderParams(params: z.ZodObject): string {
  const rows = Object.entries(params.shape).map(([name, schema]) => {
    const parsed = schema.safeParse(undefined);
    return `| \`${name}\` | ${parsed.success ? shown(parsed.data) : "calculado"} | ${schema.description ?? ""} |`;
  });
  if (rows.length === 0) return "";
  return ["### Parâmetros\n", "| nome | padrão | significado |", "|---|---|---|", ...rows].join("\n");
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return "calculado";
  if (value instanceof Set) return value.size === 0 ? "vazio" : [...value].join("\\|");
  if (value instanceof Map)
    return value.size === 0 ? "vazio" : [...value].map(([key, one]) => `${key} = ${one}`).join(", ");
  return JSON.stringify(value);
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
