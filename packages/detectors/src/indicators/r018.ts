import { z } from "zod";
import { defineIndicator } from "./define-indicator.ts";
import { exampleRelease } from "./example-releases.ts";
import { finishProcessFlags, flagProcess, mergeProcessFlags, startProcessFlags } from "./process-flags.ts";
import { listSetting } from "./setting-types.ts";
import { matchesMethod } from "./submitted-bids.ts";
import { addCount } from "./tally.ts";

export const r018 = defineIndicator({
  code: "R018",
  name: "single-bid",
  title: "Um só licitante em disputa aberta",
  question: "Uma licitação que devia atrair concorrentes teve um único licitante?",
  subjects: "processos",
  method: "Dispara quando /tender/numberOfTenderers é o inteiro 1 e a modalidade está na lista. O valor é sempre 1.",
  legalBasis: [{ norm: "Lei 14.133/2021", article: "arts. 5º e 11, II", validFrom: "2021-04-01", validTo: null }],
  references: ["OCP Red Flags R018"],
  exclusions: ["Modalidade ausente ou fora de procurement_methods; uma lista vazia aceita todas."],
  assumptions: ["O número de licitantes foi publicado pelo órgão; ele nunca é deduzido dos vencedores."],
  innocentExplanations: [
    "Mercado com um só fornecedor na região.",
    "Lote pequeno ou de baixo valor, pouco atraente.",
    "Contagem feita depois da habilitação, e não na abertura.",
  ],
  settings: z.strictObject({
    procurement_methods: listSetting
      .default(new Set(["open", "selective"]))
      .describe("modalidades em que se espera disputa"),
  }),
  fold: {
    name: "r018",
    start: startProcessFlags,
    merge: mergeProcessFlags,
    add: (state, release, { procurement_methods: methods }) => {
      if (!matchesMethod(release, methods)) {
        return addCount(state.tally.excluded, "modalidade fora da lista");
      }
      if (release.numberOfTenderers === null) return addCount(state.tally.notComputable, "sem número de licitantes");
      state.tally.tested += 1;
      if (release.numberOfTenderers === 1) flagProcess(state, release.ocid, 1);
    },
  },
  finish: (state) => finishProcessFlags(state),
  examples: [
    {
      title: "aponta um licitante em modalidade aberta ou seletiva",
      releases: [
        ...["open", "selective", "limited", "direct"].map((procurementMethod) =>
          exampleRelease(procurementMethod, { tender: { procurementMethod, numberOfTenderers: 1 } }),
        ),
        exampleRelease("dois", { tender: { procurementMethod: "open", numberOfTenderers: 2 } }),
        exampleRelease("texto", { tender: { procurementMethod: "open", numberOfTenderers: "1" } }),
        exampleRelease("sem-modalidade", { tender: { numberOfTenderers: 1 } }),
        exampleRelease("sem-número", { tender: { procurementMethod: "open" } }),
      ],
      expected: { OCID: { open: { R018: 1 }, selective: { R018: 1 } } },
    },
    {
      title: "não aponta contratação direta, em que um só participante é o esperado",
      releases: [exampleRelease("direta", { tender: { procurementMethod: "direct", numberOfTenderers: 1 } })],
      expected: {},
    },
    {
      title: "com a lista vazia aceita qualquer modalidade, e também nenhuma",
      settings: "[R018]\nprocurement_methods =\n",
      releases: [exampleRelease("sem-modalidade", { tender: { numberOfTenderers: 1 } })],
      expected: { OCID: { "sem-modalidade": { R018: 1 } } },
    },
  ],
});
