import { z } from "zod";
import { quantile } from "../statistics.ts";
import { defineIndicator } from "./define-indicator.ts";
import { exampleBid, exampleContest } from "./example-releases.ts";
import { lowerFenceOf, quartilesOf } from "./fences.ts";
import { addFraction, mergeFractions, type Fractions } from "./fractions.ts";
import { UNUSABLE_FENCE } from "./second-lowest-ratio.ts";
import { countSetting, decimalSetting } from "./setting-types.ts";
import { soleOrganization, soleWinner } from "./submitted-bids.ts";

export const r025 = defineIndicator({
  code: "R025",
  name: "excessive-unsuccessful-bids",
  title: "Licitante frequente que quase nunca vence",
  question: "Um licitante assíduo vence uma parte excepcionalmente pequena das disputas em que entra?",
  subjects: "licitantes",
  method:
    "Para cada licitante, vitórias / processos com proposta válida sua. Dispara quando o número de processos é no " +
    "mínimo o percentil percentile desses números e a razão é no máximo Q1 − 1,5 · (Q3 − Q1) das razões, se Q1 e esse " +
    "limite são positivos; ou no máximo threshold. O valor é a razão.",
  legalBasis: [{ norm: "Lei 12.529/2011", article: "art. 36, §3º, I, d", validFrom: "2012-05-29", validTo: null }],
  references: ["OCP Red Flags R025", "Hyndman & Fan, Sample Quantiles in Statistical Packages, 1996 (tipo 8)"],
  exclusions: [
    "Processos sem exatamente uma adjudicação ativa de um só fornecedor, ou com adjudicação não concluída.",
    "Propostas de mais de um licitante.",
  ],
  assumptions: ["Um licitante conta uma vez por processo, por mais propostas que faça."],
  innocentExplanations: [
    "Empresa pequena que concorre com outras muito maiores.",
    "Estratégia de participar de muitas disputas com preço firme.",
    "Setor com muitos concorrentes por disputa.",
  ],
  settings: z.strictObject({
    percentile: countSetting.default(75).describe("percentil do número de processos a partir do qual se é frequente"),
    threshold: decimalSetting.optional().describe("razão até a qual o licitante é apontado; substitui o calculado"),
  }),
  fold: {
    name: "r025",
    start: (): Fractions => new Map(),
    merge: mergeFractions,
    add: (state, release) => {
      const contest = soleWinner(release);
      if (typeof contest === "string") return;
      const valid = contest.bids.filter(({ status }) => status === "valid");
      for (const id of new Set(valid.map(({ tenderers }) => soleOrganization(tenderers)))) {
        if (id !== null) addFraction(state, id, id === contest.winner ? 1 : 0, 1);
      }
    },
  },
  finish: (state, { settings: { percentile, threshold } }) => {
    const counts = [...state.values()].map(({ whole }) => whole);
    const countFence = (percentile > 100 ? null : quantile(counts, percentile / 100)) ?? Number.NaN;
    const quartiles = quartilesOf([...state.values()].map(({ part, whole }) => part / whole));
    const fence = threshold ?? lowerFenceOf(quartiles);
    const meta: [string, number][] = [
      ...(threshold === undefined ? Object.entries(quartiles) : []),
      ["upper_fence", countFence],
      ["lower_fence", fence],
    ];
    const isUsable = fence > 0 && (threshold !== undefined || quartiles.q1 > 0);
    if (!isUsable) {
      const notComputable = new Map(state.size > 0 ? [[UNUSABLE_FENCE, state.size]] : []);
      return { results: [], meta, tallies: { Tenderer: { tested: 0, notComputable, excluded: new Map() } } };
    }
    const flagged = [...state].filter(([, { part, whole }]) => whole >= countFence && part / whole <= fence);
    return {
      results: flagged.map(([id, { part, whole }]) => ({ group: "Tenderer" as const, id, value: part / whole })),
      meta,
      tallies: { Tenderer: { tested: state.size, notComputable: new Map(), excluded: new Map() } },
    };
  },
  examples: [
    {
      title: "aponta quem entra em todas e vence pouco",
      settings: "[R025]\npercentile = 100\n",
      releases: [
        ...["A", "B", "C", "D", "E", "F", "G"].map((winner) => exampleContest(`só ${winner}`, [exampleBid(winner, 1)])),
        ...["A", "B", "C", "D", "E", "F", "G"].map((winner) =>
          exampleContest(`contra ${winner}`, [exampleBid(winner, 1), exampleBid("Z", 2), exampleBid("Z", 3)]),
        ),
        exampleContest("vence uma", [exampleBid("Z", 1)]),
      ],
      expected: { Tenderer: { Z: { R025: 0.125 } } },
      meta: { q1: 1, q3: 1, upper_fence: 8, lower_fence: 1 },
    },
    {
      title: "com limite próprio compara inclusive a igualdade, entre os mais frequentes",
      settings: "[R025]\npercentile = 100\nthreshold = 0.5\n",
      releases: [
        exampleContest("1", [exampleBid("A", 1), exampleBid("B", 2)]),
        exampleContest("2", [exampleBid("B", 1), exampleBid("C", 2)]),
      ],
      expected: { Tenderer: { B: { R025: 0.5 } } },
      meta: { upper_fence: 2, lower_fence: 0.5 },
    },
    {
      title: "com Q1 igual a zero não calcula",
      releases: [exampleContest("1", [exampleBid("A", 1), exampleBid("B", 2), exampleBid("C", 3)])],
      expected: {},
      meta: { q1: 0, q3: 0.8333, upper_fence: 1, lower_fence: -1.25 },
    },
    { title: "sem processos não há quartis", releases: [], expected: {} },
  ],
});
