import { z } from "zod";
import { defineIndicator } from "./define-indicator.ts";
import { exampleAward, exampleBid, exampleContest, exampleRelease } from "./example-releases.ts";
import { finishProcessFlags, flagProcess, mergeProcessFlags, startProcessFlags } from "./process-flags.ts";
import { comparesPrices, idsOf, NO_PRICE_COMPARISON, submittedBids } from "./submitted-bids.ts";
import { addCount } from "./tally.ts";

export const r028 = defineIndicator({
  code: "R028",
  name: "identical-bid-prices",
  title: "Propostas de licitantes diferentes com o mesmo preço",
  question: "Licitantes diferentes apresentaram propostas de valor exatamente igual?",
  subjects: "processos",
  method:
    "Entre as propostas apresentadas com valor e moeda, dispara quando duas têm valor e moeda iguais e conjuntos " +
    "diferentes de licitantes; cada proposta é comparada com a última de mesmo preço. O valor é 1, também para cada " +
    "licitante envolvido.",
  legalBasis: [{ norm: "Lei 12.529/2011", article: "art. 36, §3º, I, d", validFrom: "2012-05-29", validTo: null }],
  references: ["OCP Red Flags R028"],
  exclusions: [
    "Procedimentos em que preços não se comparam.",
    "Propostas convidadas ou retiradas, sem valor, ou sem identificação de licitante.",
  ],
  assumptions: ["As propostas de um processo disputam o mesmo objeto."],
  innocentExplanations: [
    "Preço tabelado, regulado ou igual ao máximo divulgado no edital.",
    "Proposta de mesmo valor com desempate por lei, como o das micro e pequenas empresas.",
    "Valor simbólico ou por unidade, com poucos algarismos.",
  ],
  settings: z.strictObject({}),
  fold: {
    name: "r028",
    start: startProcessFlags,
    merge: mergeProcessFlags,
    add: (state, release, _settings, common) => {
      if (!comparesPrices(release, common)) return addCount(state.tally.excluded, NO_PRICE_COMPARISON);
      const last = new Map<string, Set<string>>();
      let compared = 0;
      for (const { price, tenderers } of submittedBids(release)) {
        const ids = new Set(idsOf(tenderers));
        if (price === null || ids.size === 0) continue;
        compared += 1;
        const key = `${price.amount} ${price.currency}`;
        const other = last.get(key);
        if (other !== undefined && !areEqual(ids, other)) flagProcess(state, release.ocid, 1, [...ids, ...other]);
        last.set(key, ids);
      }
      if (compared < 2) return addCount(state.tally.notComputable, "menos de duas propostas com valor e licitante");
      state.tally.tested += 1;
    },
  },
  finish: (state) => finishProcessFlags(state, { value: 1, map: "ocid_tenderer_r028" }),
  examples: [
    {
      title: "aponta dois licitantes com o mesmo preço, ainda que um esteja desclassificado",
      releases: [
        exampleContest("igual", [exampleBid("A", 10), exampleBid("B", 10, "disqualified"), exampleBid("C", 11)]),
        exampleContest("mesmo", [exampleBid("A", 10), exampleBid("A", 10)]),
        exampleContest("moeda", [exampleBid("A", 10), exampleBid("B", 10, "valid", "USD")]),
        exampleContest("convite", [exampleBid("A", 10), exampleBid("B", 10, "invited")]),
        exampleContest("um", [exampleBid("A", 10)]),
      ],
      expected: { OCID: { igual: { R028: 1 } }, Tenderer: { A: { R028: 1 }, B: { R028: 1 } } },
    },
    {
      title: "compara conjuntos sem ordem, e cada proposta com a última de mesmo preço",
      releases: [
        exampleRelease("ordem", {
          bids: {
            details: [
              { status: "valid", tenderers: [{ id: "A" }, { id: "B" }], value: { amount: 1, currency: "BRL" } },
              { status: "valid", tenderers: [{ id: "B" }, { id: "A" }], value: { amount: 1.0, currency: "BRL" } },
            ],
          },
          awards: [exampleAward("A")],
        }),
        exampleContest("volta", [exampleBid("C", 5), exampleBid("D", 5), exampleBid("D", 5), exampleBid("C", 5)]),
      ],
      expected: { OCID: { volta: { R028: 1 } }, Tenderer: { C: { R028: 1 }, D: { R028: 1 } } },
    },
    {
      title: "não calcula com menos de duas propostas com valor e licitante identificado",
      releases: [
        exampleContest("sem-valor", [exampleBid("A", 1), exampleBid("B", null)]),
        exampleRelease("sem-licitante", {
          bids: { details: [exampleBid("A", 1), { status: "valid", value: { amount: 1, currency: "BRL" } }] },
        }),
      ],
      expected: {},
    },
    {
      title: "deixa de fora o procedimento que não está na lista dos que comparam preços",
      settings: "price_comparison_procurement_methods = Pregão\n[R028]\n",
      releases: [
        exampleContest("Pregão", [exampleBid("A", 1), exampleBid("B", 1)], { procurementMethodDetails: "Pregão" }),
        exampleContest("Sorteio", [exampleBid("C", 1), exampleBid("D", 1)], { procurementMethodDetails: "Sorteio" }),
        exampleContest("sem-nome", [exampleBid("E", 1), exampleBid("F", 1)]),
      ],
      expected: { OCID: { Pregão: { R028: 1 } }, Tenderer: { A: { R028: 1 }, B: { R028: 1 } } },
    },
  ],
});

function areEqual(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((id) => b.has(id));
}
