import { z } from "zod";
import { defineIndicator, type Fold } from "./define-indicator.ts";
import { exampleAward, exampleRelease } from "./example-releases.ts";
import { quartilesOf, upperFenceOf } from "./fences.ts";
import { countSetting } from "./setting-types.ts";
import { soleOrganization } from "./submitted-bids.ts";
import { addCount, startTally } from "./tally.ts";

const settings = z.strictObject({
  digits: countSetting.default(2).describe("primeiros caracteres do código de classificação que formam a classe"),
  threshold: countSetting.optional().describe("número de classes a partir do qual se aponta; substitui o calculado"),
  minimum_contracting_processes: countSetting.default(20).describe("mínimo de processos do fornecedor"),
});

type Variety = { processes: number; classes: Set<string> };

const fold: Fold<Map<string, Variety>, z.output<typeof settings>> = {
  name: "r048",
  start: () => new Map(),
  add: (state, release, { digits }) => {
    const seen = new Set<string>();
    for (const { status, suppliers, classifications } of release.awards ?? []) {
      const supplier = soleOrganization(suppliers);
      if (status !== "active" || supplier === null || classifications === null || classifications.length === 0)
        continue;
      const variety = state.get(supplier) ?? { processes: 0, classes: new Set() };
      state.set(supplier, variety);
      if (!seen.has(supplier)) variety.processes += 1;
      seen.add(supplier);
      for (const id of classifications) variety.classes.add(Array.from(id).slice(0, digits).join(""));
    }
  },
  merge: (a, b) => {
    const merged = new Map(a);
    for (const [supplier, later] of b) {
      const earlier = merged.get(supplier);
      merged.set(supplier, {
        processes: (earlier?.processes ?? 0) + later.processes,
        classes: new Set([...(earlier?.classes ?? []), ...later.classes]),
      });
    }
    return merged;
  },
};

export const r048 = defineIndicator({
  code: "R048",
  name: "heterogeneous-supplier",
  title: "Fornecedor de ramos excepcionalmente variados",
  question: "Um fornecedor vende muito mais tipos de bens e serviços que os outros?",
  subjects: "fornecedores",
  method:
    "Número de classes distintas, os primeiros digits caracteres do código de classificação dos itens adjudicados ao " +
    "fornecedor. Dispara quando é no mínimo Q3 + 1,5 · (Q3 − Q1) entre os fornecedores com ao menos " +
    "minimum_contracting_processes processos; ou no mínimo threshold. O valor é o número de classes.",
  legalBasis: [{ norm: "Lei 14.133/2021", article: "arts. 62 e 67", validFrom: "2021-04-01", validTo: null }],
  references: ["OCP Red Flags R048", "Hyndman & Fan, Sample Quantiles in Statistical Packages, 1996 (tipo 8)"],
  exclusions: ["Adjudicações não ativas ou com mais de um fornecedor.", "Fornecedor com menos processos que o mínimo."],
  assumptions: ["Todos os itens usam o mesmo catálogo, de códigos hierárquicos."],
  innocentExplanations: [
    "Atacadista, distribuidor ou cooperativa de catálogo amplo.",
    "Classificação dos itens feita sem cuidado pelo órgão.",
    "Grupo econômico que participa com um só CNPJ.",
  ],
  settings,
  fold,
  finish: (state, { settings: { threshold, minimum_contracting_processes: processesMin } }) => {
    const varieties = [...state].flatMap(([id, { processes, classes }]) =>
      processes >= processesMin ? [{ group: "Tenderer" as const, id, value: classes.size }] : [],
    );
    const quartiles = quartilesOf(varieties.map(({ value }) => value));
    const fence = threshold ?? upperFenceOf(quartiles);
    const tally = { ...startTally(), tested: varieties.length };
    addCount(tally.notComputable, "menos processos que o mínimo", state.size - varieties.length);
    return {
      results: varieties.filter(({ value }) => value >= fence),
      meta: [...(threshold === undefined ? Object.entries(quartiles) : []), ["upper_fence", fence]],
      tallies: { Tenderer: tally },
    };
  },
  examples: [
    {
      title: "com limite próprio compara inclusive a igualdade; a classe são os dois primeiros caracteres",
      settings: "[R048]\nthreshold = 2\nminimum_contracting_processes = 2\n",
      releases: [
        exampleSale("1", "A", "1011", "1099"),
        exampleSale("2", "A", "2011"),
        exampleSale("3", "B", "1011"),
        exampleSale("4", "B", "1012"),
        exampleSale("5", "C", "1011", "2011", "3011"),
      ],
      expected: { Tenderer: { A: { R048: 2 } } },
      meta: { upper_fence: 2 },
    },
    {
      title: "sem outra guarda, quem tem a variedade de todos está sobre a cerca",
      settings: "[R048]\nminimum_contracting_processes = 1\ndigits = 1\n",
      releases: [exampleSale("1", "A", "1011"), exampleSale("2", "B", "2011")],
      expected: { Tenderer: { A: { R048: 1 }, B: { R048: 1 } } },
      meta: { q1: 1, q3: 1, upper_fence: 1 },
    },
    {
      title: "não calcula abaixo do mínimo, nem sem código de classificação, nem com dois fornecedores",
      releases: [
        exampleSale("1", "A", "1011"),
        exampleSale("2", "A"),
        exampleRelease("3", {
          awards: [
            { ...exampleAward("A"), suppliers: [{ id: "A" }, { id: "B" }], items: [{ classification: { id: "1" } }] },
          ],
        }),
      ],
      expected: {},
      meta: { q1: null, q3: null, upper_fence: null },
    },
  ],
});

function exampleSale(ocid: string, supplier: string, ...classifications: string[]) {
  const items = classifications.map((id) => ({ classification: { id } }));
  return exampleRelease(ocid, { awards: [{ ...exampleAward(supplier), items }] });
}
