import { z } from "zod";
import { defineIndicator } from "./define-indicator.ts";
import { exampleBid, exampleContest, exampleRatios } from "./example-releases.ts";
import { lowerFenceOf, quartilesOf } from "./fences.ts";
import { ratiosIn, secondLowestRatio, withoutFence } from "./second-lowest-ratio.ts";
import { decimalSetting } from "./setting-types.ts";

export const r024 = defineIndicator({
  code: "R024",
  name: "price-close-to-winning",
  title: "Segunda proposta muito próxima da vencedora",
  question: "A diferença entre a proposta vencedora e a segunda menor é excepcionalmente pequena?",
  subjects: "processos",
  method:
    "Razão = (segunda menor proposta válida − proposta vencedora) / proposta vencedora. Dispara quando a razão é no " +
    "máximo Q1 − 1,5 · (Q3 − Q1) das razões de todos os processos, se Q1 e esse limite são positivos; ou no máximo " +
    "threshold. O valor é a razão; vencedor e segundo colocado recebem 0.",
  legalBasis: [{ norm: "Lei 12.529/2011", article: "art. 36, §3º, I, d", validFrom: "2012-05-29", validTo: null }],
  references: ["OCP Red Flags R024", "Hyndman & Fan, Sample Quantiles in Statistical Packages, 1996 (tipo 8)"],
  exclusions: [
    "Procedimentos em que preços não se comparam.",
    "Propostas em outra moeda, sem valor ou de mais de um licitante: ignoradas uma a uma.",
    "Vencedor que não fez a menor proposta: o critério não era só preço.",
    "Proposta vencedora de valor zero: a razão não existe.",
  ],
  assumptions: [
    "Há uma só adjudicação ativa, de um só fornecedor, e todas as propostas disputam o mesmo objeto.",
    "Todas as adjudicações estão concluídas.",
  ],
  innocentExplanations: [
    "Pregão com lances sucessivos, em que as propostas finais convergem por desenho.",
    "Preço tabelado, ou item padronizado com margens estreitas.",
    "Estimativa de preço divulgada, que serve de referência a todos.",
  ],
  settings: z.strictObject({
    threshold: decimalSetting
      .optional()
      .describe("razão até a qual o processo é apontado; substitui o limite calculado"),
  }),
  fold: secondLowestRatio,
  finish: (state, { settings: { threshold }, mainCurrency }) => {
    const compared = ratiosIn(state, mainCurrency);
    const quartiles = quartilesOf([...compared.ratios.values()].map(({ ratio }) => ratio));
    const fence = threshold ?? lowerFenceOf(quartiles);
    const meta: [string, number][] = [
      ...(threshold === undefined ? Object.entries(quartiles) : []),
      ["lower_fence", fence],
    ];
    const isUsable = fence > 0 && (threshold !== undefined || quartiles.q1 > 0);
    if (!isUsable) return withoutFence(compared, meta);
    const flagged = [...compared.ratios].filter(([, { ratio }]) => ratio <= fence);
    const named = new Set(flagged.flatMap(([, { winner, runnerUp }]) => [winner, runnerUp]));
    return {
      results: [
        ...flagged.map(([id, { ratio }]) => ({ group: "OCID" as const, id, value: ratio })),
        ...[...named].map((id) => ({ group: "Tenderer" as const, id, value: 0 })),
      ],
      meta,
      tallies: { OCID: compared.tally },
      maps: {
        ocid_tenderer_r024: new Map(flagged.map(([ocid, one]) => [ocid, new Set([one.winner, one.runnerUp])])),
      },
      currencyMismatches: compared.currencyMismatches,
    };
  },
  examples: [
    {
      title: "aponta a razão que fica abaixo da cerca das demais",
      releases: exampleRatios(0.01, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6),
      expected: { OCID: { p1: { R024: 0.01 } }, Tenderer: { W: { R024: 0 }, L: { R024: 0 } } },
      meta: { q1: 1.0417, q3: 1.4583, lower_fence: 0.4167 },
    },
    {
      title: "com Q1 igual a zero não calcula",
      releases: exampleRatios(0, 0, 0, 1),
      expected: {},
    },
    {
      title: "com limite próprio compara inclusive a igualdade, e a maior das propostas do vencedor não conta",
      settings: "[R024]\nthreshold = 0.05\n",
      releases: [
        ...exampleRatios(0.05, 0.06),
        exampleContest("empate", [
          exampleBid("W", 300),
          exampleBid("W", 100),
          exampleBid("B", 104),
          exampleBid("A", 104),
        ]),
      ],
      expected: {
        OCID: { p1: { R024: 0.05 }, empate: { R024: 0.04 } },
        Tenderer: { W: { R024: 0 }, L: { R024: 0 }, B: { R024: 0 } },
      },
      meta: { lower_fence: 0.05 },
    },
    {
      title: "um limite de zero não aponta nada",
      settings: "[R024]\nthreshold = 0\n",
      releases: exampleRatios(0),
      expected: {},
    },
    {
      title: "ignora outra moeda, vencedor de valor zero e procedimento sem comparação de preços",
      settings: "currency = BRL\nno_price_comparison_procurement_methods = Sorteio\n[R024]\nthreshold = 0.5\n",
      releases: [
        exampleContest("moeda", [exampleBid("W", 100), exampleBid("L", 101, "valid", "USD")]),
        exampleContest("zero", [exampleBid("W", 0), exampleBid("L", 0)]),
        exampleContest("sorteio", [exampleBid("W", 100), exampleBid("L", 100)], {
          procurementMethodDetails: "Sorteio",
        }),
      ],
      expected: {},
    },
  ],
});
