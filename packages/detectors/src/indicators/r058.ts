import { z } from "zod";
import { defineIndicator } from "./define-indicator.ts";
import { exampleBid, exampleContest, exampleRatios } from "./example-releases.ts";
import { quartilesOf, upperFenceOf } from "./fences.ts";
import { ratiosIn, secondLowestRatio, withoutFence } from "./second-lowest-ratio.ts";
import { decimalSetting } from "./setting-types.ts";

export const r058 = defineIndicator({
  code: "R058",
  name: "heavily-discounted-bid",
  title: "Proposta vencedora muito abaixo da segunda",
  question: "A proposta vencedora está excepcionalmente abaixo da segunda menor?",
  subjects: "processos",
  method:
    "A mesma razão do R024. Dispara quando ela é no mínimo Q3 + 1,5 · (Q3 − Q1) das razões de todos os processos, se " +
    "esse limite é positivo; ou no mínimo threshold. O valor é a razão; o vencedor recebe 0.",
  legalBasis: [{ norm: "Lei 14.133/2021", article: "art. 59, III e §4º", validFrom: "2021-04-01", validTo: null }],
  references: ["OCP Red Flags R058", "Hyndman & Fan, Sample Quantiles in Statistical Packages, 1996 (tipo 8)"],
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
    "Fornecedor com custo realmente menor: estoque, escala, proximidade.",
    "Segunda proposta de quem participa sem interesse em vencer.",
    "Entrada de empresa nova que aceita margem menor.",
  ],
  settings: z.strictObject({
    threshold: decimalSetting
      .optional()
      .describe("razão a partir da qual o processo é apontado; substitui o calculado"),
  }),
  fold: secondLowestRatio,
  finish: (state, { settings: { threshold }, mainCurrency }) => {
    const compared = ratiosIn(state, mainCurrency);
    const quartiles = quartilesOf([...compared.ratios.values()].map(({ ratio }) => ratio));
    const fence = threshold ?? upperFenceOf(quartiles);
    const meta: [string, number][] = [
      ...(threshold === undefined ? Object.entries(quartiles) : []),
      ["upper_fence", fence],
    ];
    const isUsable = fence > 0;
    if (!isUsable) return withoutFence(compared, meta);
    const flagged = [...compared.ratios].filter(([, { ratio }]) => ratio >= fence);
    const winners = new Set(flagged.map(([, { winner }]) => winner));
    return {
      results: [
        ...flagged.map(([id, { ratio }]) => ({ group: "OCID" as const, id, value: ratio })),
        ...[...winners].map((id) => ({ group: "Tenderer" as const, id, value: 0 })),
      ],
      meta,
      tallies: { OCID: compared.tally },
      maps: { ocid_tenderer_r058: new Map(flagged.map(([ocid, { winner }]) => [ocid, new Set([winner])])) },
      currencyMismatches: compared.currencyMismatches,
    };
  },
  examples: [
    {
      title: "aponta a razão que passa da cerca das demais",
      releases: exampleRatios(0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 5),
      expected: { OCID: { p7: { R058: 5 } }, Tenderer: { W: { R058: 0 } } },
      meta: { q1: 0.1, q3: 0.2, upper_fence: 0.35 },
    },
    {
      title: "com todas as razões iguais todas estão sobre a cerca, que é inclusiva",
      releases: exampleRatios(1, 1),
      expected: { OCID: { p1: { R058: 1 }, p2: { R058: 1 } }, Tenderer: { W: { R058: 0 } } },
      meta: { q1: 1, q3: 1, upper_fence: 1 },
    },
    { title: "com todas as razões iguais a zero não calcula", releases: exampleRatios(0, 0), expected: {} },
    {
      title: "com limite próprio compara inclusive a igualdade",
      settings: "[R058]\nthreshold = 0.5\n",
      releases: exampleRatios(0.5, 0.25),
      expected: { OCID: { p1: { R058: 0.5 } }, Tenderer: { W: { R058: 0 } } },
      meta: { upper_fence: 0.5 },
    },
    {
      title: "a moeda principal é a da primeira proposta comparada",
      settings: "[R058]\nthreshold = 0.5\n",
      releases: [
        exampleContest("real", [exampleBid("W", 100), exampleBid("L", 200)]),
        exampleContest("dólar", [exampleBid("X", 100, "valid", "USD"), exampleBid("L", 900, "valid", "USD")]),
      ],
      expected: { OCID: { real: { R058: 1 } }, Tenderer: { W: { R058: 0 } } },
    },
    {
      title: "sem propostas não há quartis",
      releases: [],
      expected: {},
      meta: { q1: null, q3: null, upper_fence: null },
    },
  ],
});
