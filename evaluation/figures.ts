import { amendmentFigures } from "./figures/amendments.ts";
import { directAwardFigures } from "./figures/direct-awards.ts";
import { failuresOf, figuresTable } from "./figures/figure.ts";
import { portalFigures } from "./figures/portal.ts";
import { type EvaluationData, NOT_MEASURED, type Section } from "./section.ts";

/** Published figures about known files, reproduced by our own code wherever it computes them. */
export async function figuresSection({ committed, folder }: EvaluationData): Promise<Section> {
  const blocks = [
    { title: "Compras federais publicadas em janeiro de 2024", figures: await portalFigures(committed) },
    {
      title: "Compras sem licitação de dois serviços, 1998 a 2018",
      figures: folder === null ? null : await directAwardFigures(folder),
    },
    {
      title: "Contratos de uma agência com a sua história",
      figures: folder === null ? null : await amendmentFigures(folder),
    },
  ];
  return {
    title: "Números conhecidos, reproduzidos",
    markdown: [
      INTRODUCTION,
      ...blocks.flatMap(({ title, figures }) => [
        `### ${title}`,
        figures === null ? NOT_MEASURED : figuresTable(figures),
      ]),
    ].join("\n\n"),
    failures: blocks.flatMap(({ title, figures }) => failuresOf(title, figures ?? [])),
  };
}

const INTRODUCTION =
  "Contagens são feitas sobre as linhas do arquivo, antes de o nosso leitor juntar as repetidas, e somas, quantis, dígitos e " +
  "índices pelo código dos detectores. “Explicado” é um valor diferente de propósito: a nota diz por quê, e outro valor que não esse " +
  "é uma falha.";
