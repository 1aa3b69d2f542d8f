import { z } from "zod";
import { defineIndicator, type Fold } from "./define-indicator.ts";
import { exampleAward, exampleBid, exampleContest } from "./example-releases.ts";
import type { ReleaseFacts } from "./read-release.ts";
import { comparesPrices, NO_PRICE_COMPARISON, submittedBids } from "./submitted-bids.ts";
import { addCount, mergeTallies, startTally, type Tally } from "./tally.ts";

/** By currency, because the main one may be known only at the end. */
type InCurrency = { flagged: Set<string>; tested: number; bids: number };
type State = { byCurrency: Map<string, InCurrency>; candidates: number; tally: Tally };

const fold: Fold<State, unknown> = {
  name: "r036",
  start: () => ({ byCurrency: new Map(), candidates: 0, tally: startTally() }),
  add: (state, release, _settings, common) => {
    if (!comparesPrices(release, common)) return addCount(state.tally.excluded, NO_PRICE_COMPARISON);
    if (!hasActiveAward(release)) return addCount(state.tally.notComputable, "sem adjudicação ativa");
    state.candidates += 1;
    for (const [currency, bids] of Map.groupBy(pricedBids(release), (bid) => bid.currency)) {
      const own = state.byCurrency.get(currency) ?? { flagged: new Set(), tested: 0, bids: 0 };
      state.byCurrency.set(currency, own);
      own.bids += bids.length;
      if (common.currency !== null && common.currency !== currency) continue;
      if (!bids.some(({ status }) => status === "valid")) continue;
      own.tested += 1;
      // The earlier of equal bids counts as the lowest.
      const lowest = bids.reduce((lowest, bid) => (bid.amount < lowest.amount ? bid : lowest));
      if (lowest.status === "disqualified") own.flagged.add(release.ocid);
    }
  },
  merge: (a, b) => {
    const byCurrency = new Map(a.byCurrency);
    for (const [currency, { flagged, tested, bids }] of b.byCurrency) {
      const before = byCurrency.get(currency);
      byCurrency.set(currency, {
        flagged: new Set([...(before?.flagged ?? []), ...flagged]),
        tested: (before?.tested ?? 0) + tested,
        bids: (before?.bids ?? 0) + bids,
      });
    }
    return { byCurrency, candidates: a.candidates + b.candidates, tally: mergeTallies(a.tally, b.tally) };
  },
  firstCurrency: (release, common) =>
    comparesPrices(release, common) && hasActiveAward(release) ? (pricedBids(release)[0]?.currency ?? null) : null,
};

export const r036 = defineIndicator({
  code: "R036",
  name: "lowest-bid-disqualified",
  title: "Menor proposta desclassificada",
  question: "A menor proposta apresentada foi desclassificada em disputa só por preço?",
  subjects: "processos",
  method:
    "Dispara quando há adjudicação ativa, ao menos uma proposta válida com valor, e o menor valor apresentado na moeda " +
    "principal é de proposta desclassificada; entre valores iguais conta a que vem antes no arquivo. O valor é 1.",
  legalBasis: [{ norm: "Lei 14.133/2021", article: "arts. 33, I, e 59", validFrom: "2021-04-01", validTo: null }],
  references: ["OCP Red Flags R036"],
  exclusions: ["Procedimentos em que preços não se comparam.", "Propostas sem valor ou em outra moeda."],
  assumptions: ["O critério de julgamento é só o preço."],
  innocentExplanations: [
    "Proposta inexequível, abaixo do que a lei presume possível.",
    "Falha de habilitação do licitante de menor preço.",
    "Erro de digitação reconhecido no valor da proposta.",
  ],
  settings: z.strictObject({}),
  fold,
  finish: (state, { mainCurrency }) => {
    const own = state.byCurrency.get(mainCurrency ?? "");
    const bids = [...state.byCurrency.values()].reduce((sum, one) => sum + one.bids, 0);
    const tested = own?.tested ?? 0;
    const tally = mergeTallies(state.tally, { ...startTally(), tested });
    addCount(tally.notComputable, "sem proposta válida com valor na moeda principal", state.candidates - tested);
    return {
      results: [...(own?.flagged ?? [])].map((id) => ({ group: "OCID" as const, id, value: 1 })),
      meta: [],
      tallies: { OCID: tally },
      currencyMismatches: bids - (own?.bids ?? 0),
    };
  },
  examples: [
    {
      title: "aponta a menor proposta desclassificada; no empate vale a primeira do arquivo",
      releases: [
        exampleContest("menor", [exampleBid("V", 2), exampleBid("D", 1, "disqualified")]),
        exampleContest("empate-antes", [exampleBid("V", 1), exampleBid("D", 1, "disqualified")]),
        {
          ...exampleContest("empate-depois", [exampleBid("D", 1, "disqualified"), exampleBid("V", 1)]),
          awards: [exampleAward("V")],
        },
        exampleContest("pendente", [
          exampleBid("V", 3),
          exampleBid("D", 2, "disqualified"),
          exampleBid("P", 1, "pending"),
        ]),
        exampleContest("retirada", [exampleBid("V", 2), exampleBid("R", 1, "withdrawn")]),
      ],
      expected: { OCID: { menor: { R036: 1 }, "empate-depois": { R036: 1 } } },
    },
    {
      title: "não calcula sem adjudicação ativa, sem proposta válida com valor, ou em outra moeda",
      settings: "currency = BRL\n[R036]\n",
      releases: [
        { ...exampleContest("sem", [exampleBid("V", 2), exampleBid("D", 1, "disqualified")]), awards: [] },
        exampleContest("valor", [exampleBid("V", null), exampleBid("D", 1, "disqualified")]),
        exampleContest("moeda", [exampleBid("V", 2, "valid", "USD"), exampleBid("D", 1, "disqualified", "USD")]),
        exampleContest("mistura", [exampleBid("V", 2), exampleBid("D", 1, "disqualified", "USD")]),
      ],
      expected: {},
    },
  ],
});

function hasActiveAward(release: ReleaseFacts): boolean {
  return (release.awards ?? []).some(({ status }) => status === "active");
}

function pricedBids(release: ReleaseFacts) {
  return submittedBids(release).flatMap(({ status, price }) => (price === null ? [] : [{ status, ...price }]));
}
