import { z } from "zod";
import { defineIndicator } from "./define-indicator.ts";
import { exampleAward, exampleBid, exampleContest } from "./example-releases.ts";
import { finishProcessFlags, flagProcess, mergeProcessFlags, startProcessFlags } from "./process-flags.ts";
import { countSetting } from "./setting-types.ts";
import { finalAwards, idsOf } from "./submitted-bids.ts";
import { addCount } from "./tally.ts";

export const r035 = defineIndicator({
  code: "R035",
  name: "all-but-winner-disqualified",
  title: "Todos os licitantes desclassificados, menos o vencedor",
  question: "Só restou o vencedor porque os demais licitantes foram desclassificados?",
  subjects: "processos",
  method:
    "Dispara quando um único licitante tem propostas válidas, ele é o único fornecedor das adjudicações ativas e ao " +
    "menos threshold outros licitantes têm propostas desclassificadas. O valor é o número destes; o vencedor recebe 0.",
  legalBasis: [{ norm: "Lei 14.133/2021", article: "arts. 59 e 64", validFrom: "2021-04-01", validTo: null }],
  references: ["OCP Red Flags R035"],
  exclusions: ["Processos com adjudicação ainda não concluída.", "Propostas convidadas, pendentes ou retiradas."],
  assumptions: ["Vários licitantes com propostas válidas, ou vários vencedores, não são este padrão."],
  innocentExplanations: [
    "Exigência técnica que só um licitante comprovou.",
    "Documentação incompleta dos demais, sem relação com o vencedor.",
    "Propostas acima do preço máximo aceitável.",
  ],
  settings: z.strictObject({
    threshold: countSetting
      .transform((count) => Math.max(count, 1))
      .default(1)
      .describe("mínimo de outros licitantes desclassificados"),
  }),
  fold: {
    name: "r035",
    start: startProcessFlags,
    merge: mergeProcessFlags,
    add: (state, release, { threshold }) => {
      const final = finalAwards(release);
      if (typeof final === "string") return addCount(state.tally.notComputable, final);
      const suppliers = new Set(final.active.flatMap((award) => idsOf(award.suppliers)));
      const tenderersOf = (status: string) =>
        new Set(final.bids.flatMap((bid) => (bid.status === status ? idsOf(bid.tenderers) : [])));
      const valid = tenderersOf("valid");
      if (valid.size === 0 || suppliers.size === 0) {
        return addCount(state.tally.notComputable, "sem licitante com proposta válida ou sem fornecedor identificado");
      }
      state.tally.tested += 1;
      const [winner] = valid;
      if (winner === undefined || valid.size !== 1 || suppliers.size !== 1 || !suppliers.has(winner)) return;
      const others = [...tenderersOf("disqualified")].filter((id) => id !== winner).length;
      if (others >= threshold) flagProcess(state, release.ocid, others, [winner]);
    },
  },
  finish: (state) => finishProcessFlags(state, { value: 0, map: "ocid_tenderer_r035" }),
  examples: [
    {
      title: "conta os outros licitantes desclassificados, cada um uma vez",
      releases: [
        exampleContest("dois", [
          exampleBid("V", 1),
          exampleBid("V", 2, "disqualified"),
          exampleBid("D", 3, "disqualified"),
          exampleBid("D", 4, "disqualified"),
          exampleBid("E", null, "disqualified"),
          exampleBid("F", 5, "withdrawn"),
        ]),
        exampleContest("só ele", [exampleBid("V", 1), exampleBid("V", 2, "disqualified")]),
        exampleContest("outro válido", [exampleBid("V", 1), exampleBid("X", 2), exampleBid("D", 3, "disqualified")]),
        {
          ...exampleContest("outro vencedor", [exampleBid("V", 1), exampleBid("D", 3, "disqualified")]),
          awards: [exampleAward("W")],
        },
        {
          ...exampleContest("pendente", [exampleBid("V", 1), exampleBid("D", 3, "disqualified")]),
          awards: [exampleAward("V"), exampleAward("V", "pending")],
        },
      ],
      expected: { OCID: { dois: { R035: 2 } }, Tenderer: { V: { R035: 0 } } },
    },
    {
      title: "um mínimo de dois deixa de fora quem tem um, e um mínimo de zero vale um",
      settings: "[R035]\nthreshold = 2\n",
      releases: [exampleContest("um", [exampleBid("V", 1), exampleBid("D", 3, "disqualified")])],
      expected: {},
    },
    {
      title: "um mínimo de zero vale um",
      settings: "[R035]\nthreshold = 0\n",
      releases: [exampleContest("nenhum", [exampleBid("V", 1)])],
      expected: {},
    },
  ],
});
