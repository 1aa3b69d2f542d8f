import { z } from "zod";
import { defineIndicator, type Fold, type Group } from "./define-indicator.ts";
import { exampleBid, exampleContest } from "./example-releases.ts";
import { quartilesOf, upperFenceOf } from "./fences.ts";
import { addFraction, mergeFractions, type Fractions } from "./fractions.ts";
import { UNUSABLE_FENCE } from "./second-lowest-ratio.ts";
import { countSetting, decimalSetting } from "./setting-types.ts";
import { idsOf, submittedBids } from "./submitted-bids.ts";
import { addCount, startTally } from "./tally.ts";

type State = {
  buyers: Fractions;
  procuringEntities: Fractions;
  tenderers: Fractions;
  /** Of processes with a disqualified bid; empty unless maps are kept. */
  buyerOf: Map<string, string>;
  procuringEntityOf: Map<string, string>;
};

const fold: Fold<State, unknown> = {
  name: "r038",
  start: () => ({
    buyers: new Map(),
    procuringEntities: new Map(),
    tenderers: new Map(),
    buyerOf: new Map(),
    procuringEntityOf: new Map(),
  }),
  add: (state, release, _settings, { keepsMaps }) => {
    const bids = submittedBids(release);
    if (bids.length === 0) return;
    for (const { status, tenderers } of bids) {
      for (const id of idsOf(tenderers)) addFraction(state.tenderers, id, status === "disqualified" ? 1 : 0, 1);
    }
    const disqualified = bids.filter(({ status }) => status === "disqualified").length;
    const { ocid, buyerId, procuringEntityId } = release;
    if (buyerId !== null) {
      addFraction(state.buyers, buyerId, disqualified, bids.length);
      if (keepsMaps && disqualified > 0) state.buyerOf.set(ocid, buyerId);
    }
    if (procuringEntityId !== null) {
      addFraction(state.procuringEntities, procuringEntityId, disqualified, bids.length);
      if (keepsMaps && disqualified > 0) state.procuringEntityOf.set(ocid, procuringEntityId);
    }
  },
  merge: (a, b) => ({
    buyers: mergeFractions(a.buyers, b.buyers),
    procuringEntities: mergeFractions(a.procuringEntities, b.procuringEntities),
    tenderers: mergeFractions(a.tenderers, b.tenderers),
    buyerOf: new Map([...a.buyerOf, ...b.buyerOf]),
    procuringEntityOf: new Map([...a.procuringEntityOf, ...b.procuringEntityOf]),
  }),
};

export const r038 = defineIndicator({
  code: "R038",
  name: "excessive-disqualified-bids",
  title: "Parcela excepcional de propostas desclassificadas",
  question: "Um comprador desclassifica, ou um licitante tem desclassificadas, propostas muito mais que os outros?",
  subjects: "compradores, entidades contratantes e licitantes",
  method:
    "Razão = propostas desclassificadas / propostas apresentadas, para cada comprador, entidade contratante e " +
    "licitante. Dispara, em cada um dos três grupos, quando a razão é no mínimo Q3 + 1,5 · (Q3 − Q1) do grupo, se esse " +
    "limite é positivo; ou no mínimo threshold. O valor é a razão.",
  legalBasis: [{ norm: "Lei 14.133/2021", article: "arts. 5º, 59 e 64", validFrom: "2021-04-01", validTo: null }],
  references: ["OCP Red Flags R038", "Hyndman & Fan, Sample Quantiles in Statistical Packages, 1996 (tipo 8)"],
  exclusions: [
    "Licitante com menos de minimum_submitted_bids propostas apresentadas.",
    "Comprador ou entidade com menos propostas apresentadas que minimum_contracting_processes: a referência compara " +
      "esse mínimo com o número de propostas, e não de processos.",
  ],
  assumptions: ["O motivo da desclassificação não é olhado."],
  innocentExplanations: [
    "Objeto com exigências técnicas ou sanitárias rigorosas.",
    "Licitante novo, ainda sem prática de habilitação.",
    "Órgão que registra como desclassificação o que outros registram como desistência.",
  ],
  settings: z.strictObject({
    threshold: decimalSetting.optional().describe("razão a partir da qual se aponta; substitui o limite calculado"),
    minimum_submitted_bids: countSetting.default(2).describe("mínimo de propostas de um licitante"),
    minimum_contracting_processes: countSetting.default(2).describe("mínimo de propostas recebidas por um comprador"),
  }),
  fold,
  finish: (state, { settings }) => {
    const { threshold, minimum_submitted_bids: bidsMin, minimum_contracting_processes: processesMin } = settings;
    const parts = [
      judge("Buyer", state.buyers, processesMin, threshold),
      judge("ProcuringEntity", state.procuringEntities, processesMin, threshold),
      judge("Tenderer", state.tenderers, bidsMin, threshold),
    ];
    return {
      results: parts.flatMap(({ results }) => results),
      meta: parts.flatMap(({ meta }) => meta),
      tallies: Object.fromEntries(parts.map(({ group, tally }) => [group, tally])),
      maps: {
        ocid_buyer_r038: state.buyerOf,
        ocid_procuringentity_r038: state.procuringEntityOf,
      },
    };
  },
  examples: [
    {
      title: "com limite próprio compara inclusive a igualdade, em cada grupo",
      releases: [
        ...exampleBuyer("comum", ["valid", "valid"]),
        ...exampleBuyer("outro", ["valid", "disqualified", "valid", "valid"]),
        ...exampleBuyer("mais um", ["valid", "disqualified", "valid", "valid"]),
        ...exampleBuyer("rigoroso", ["disqualified", "disqualified", "valid", "disqualified"]),
      ],
      settings: "[R038]\nthreshold = 0.75\n",
      expected: {
        Buyer: { rigoroso: { R038: 0.75 } },
        ProcuringEntity: { "UG rigoroso": { R038: 0.75 } },
        Tenderer: { "rigoroso 1": { R038: 1 } },
      },
      meta: { Buyer_upper_fence: 0.75, ProcuringEntity_upper_fence: 0.75, Tenderer_upper_fence: 0.75 },
    },
    {
      title: "aponta a razão que fica além da cerca do grupo",
      releases: [
        ...["a", "b", "c", "d", "e"].flatMap((buyer) => exampleBuyer(buyer, ["valid", "valid", "valid"])),
        ...["f", "g"].flatMap((buyer) => exampleBuyer(buyer, ["valid", "valid", "valid", "disqualified"])),
        ...exampleBuyer("rigoroso", ["disqualified", "disqualified"]),
      ],
      settings: "[R038]\nminimum_submitted_bids = 9\n",
      expected: { Buyer: { rigoroso: { R038: 1 } }, ProcuringEntity: { "UG rigoroso": { R038: 1 } } },
      meta: {
        Buyer_q1: 0,
        Buyer_q3: 0.25,
        Buyer_upper_fence: 0.625,
        ProcuringEntity_q1: 0,
        ProcuringEntity_q3: 0.25,
        ProcuringEntity_upper_fence: 0.625,
      },
    },
    {
      title: "sem nenhuma desclassificação a cerca é zero e nada é apontado",
      releases: exampleBuyer("comum", ["valid", "valid", "valid", "valid"]),
      expected: {},
      meta: {
        Buyer_q1: 0,
        Buyer_q3: 0,
        Buyer_upper_fence: 0,
        ProcuringEntity_q1: 0,
        ProcuringEntity_q3: 0,
        ProcuringEntity_upper_fence: 0,
        Tenderer_q1: 0,
        Tenderer_q3: 0,
        Tenderer_upper_fence: 0,
      },
    },
    {
      title: "um único comprador está sobre a própria cerca; com uma só proposta ele não é calculado",
      settings: "[R038]\nminimum_submitted_bids = 9\n",
      releases: [...exampleBuyer("dois", ["valid", "disqualified"]), ...exampleBuyer("um", ["disqualified"])],
      expected: { Buyer: { dois: { R038: 0.5 } }, ProcuringEntity: { "UG dois": { R038: 0.5 } } },
    },
  ],
});

function judge(group: Exclude<Group, "OCID">, fractions: Fractions, minimum: number, threshold: number | undefined) {
  const tally = startTally();
  const ratios = [...fractions].flatMap(([id, { part, whole }]) =>
    whole >= minimum ? [[id, part / whole] as const] : [],
  );
  addCount(tally.notComputable, "menos propostas que o mínimo", fractions.size - ratios.length);
  if (ratios.length === 0) return { group, tally, results: [], meta: [] };
  const quartiles = quartilesOf(ratios.map(([, ratio]) => ratio));
  const fence = threshold ?? upperFenceOf(quartiles);
  const meta: [string, number][] = [
    ...(threshold === undefined ? Object.entries(quartiles) : []),
    ["upper_fence" as const, fence],
  ].map(([key, value]) => [`${group}_${key}`, value as number]);
  const isUsable = fence > 0;
  if (isUsable) tally.tested = ratios.length;
  else addCount(tally.notComputable, UNUSABLE_FENCE, ratios.length);
  const flagged = isUsable ? ratios.filter(([, ratio]) => ratio >= fence) : [];
  return { group, tally, meta, results: flagged.map(([id, value]) => ({ group, id, value })) };
}

/** One process with bids of these states, each of a tenderer of its own who bids twice. */
function exampleBuyer(buyer: string, statuses: string[]) {
  const bids = statuses.map((status, index) => exampleBid(`${buyer} ${index % 2}`, index + 1, status));
  const contest = exampleContest(buyer, bids, { procuringEntity: { id: `UG ${buyer}` } });
  return [{ ...contest, buyer: { id: buyer } }];
}
