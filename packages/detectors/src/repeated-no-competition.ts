import { formatBrl, type Cents } from "@cidadao/domain/money";
import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { byRecordKey, contractRecord, fact, inForceOn, objectFacts, RECORDS_MAX } from "./evidence.ts";
import { EXAMPLE_CNPJS, exampleContract, exampleDataset, exampleItem } from "./examples.ts";
import {
  awardKindCodes,
  codeText,
  contractAt,
  type Contracts,
  objectText,
  supplierKindCodes,
  supplierText,
} from "./frame/contracts.ts";
import { yearOf } from "./frame/days.ts";
import { NONE } from "./frame/dictionary.ts";
import { firstRow, groupSize, type RowGroups, rowsOf, splitGroups } from "./frame/group-rows.ts";
import type { Items } from "./frame/items.ts";
import { type ItemClasses, itemClassesOf } from "./item-class.ts";
import { sellerGroupsOf, yearsSignedOf } from "./market-groups.ts";
import { isWithSupportFoundation } from "./support-foundation.ts";
import { fold, plural } from "./text.ts";
import { answerOneOf } from "./tally.ts";
import { excluded, fired, notComputable, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [
  { norm: "Lei 14.133/2021", article: "art. 74", validFrom: "2021-04-01", validTo: null },
  { norm: "Lei 8.666/1993", article: "art. 25", validFrom: "1993-06-22", validTo: "2023-12-30" },
];

export const repeatedNoCompetition = defineDetector({
  id: "repeated-no-competition",
  version: 1,
  title: "Inexigibilidades repetidas com o mesmo fornecedor",
  question: "A unidade declarou várias vezes no ano que só este fornecedor podia atender, embora haja outros?",
  subjects: "trios unidade gestora, fornecedor e ano com inexigibilidade",
  method:
    "Conta as inexigibilidades de ao menos valueMinCents da mesma unidade com o mesmo fornecedor no ano de assinatura. " +
    "Dispara a partir de awardsMin. O índice de competição é o número de fornecedores diferentes que venderam a mesma " +
    "classe de item nos dados lidos: com competitionMin ou mais, a força da evidência é 0,55; sem classe conhecida, ou " +
    "com menos fornecedores, a repetição é contexto, força 0,2.",
  legalBasis,
  references: ["OCP Red Flags R010 e R013"],
  exclusions: [
    "Fornecedor sem CNPJ publicado.",
    "Fundação de apoio e serviços públicos de fornecedor único: energia, água, correios, imprensa oficial.",
    "O mesmo contrato publicado duas vezes conta uma só vez.",
  ],
  assumptions: ["A classe do catálogo reúne objetos que outros fornecedores também poderiam atender."],
  innocentExplanations: [
    "Fornecedor ou representante exclusivo: editoras, peças do fabricante, renovação de licenças de software.",
    "Credenciamento, em que todos os interessados são contratados.",
    "Inscrições em cursos e eventos de um mesmo promotor.",
  ],
  needs: ["contracts", "items"],
  requires: ["initialValue", "signedOn", "supplierTaxId", "awardKind"],
  concerns: ["supplier", "agency"],
  params: z.strictObject({
    awardsMin: z.int().min(2).default(3).describe("mínimo de inexigibilidades no ano"),
    valueMinCents: z.int().min(0).default(100_000).describe("menor inexigibilidade que conta, em centavos"),
    competitionMin: z.int().min(2).default(3).describe("fornecedores da mesma classe que mostram competição"),
  }),
  detect: ({ contracts, items }, params, tally) => {
    const classes = itemClassesOf(items);
    const suppliers = suppliersByClass(contracts, items, classes);
    const years = yearsSignedOf(contracts);
    const groups = splitGroups(
      sellerGroupsOf(contracts),
      years.map((year, row) => (contracts.awardKind[row] === awardKindCodes.no_competition ? year : -1)),
    );
    const idOf = (group: number) => {
      const first = firstRow(groups, group);
      const day = contracts.signedOn[first]!;
      return [
        codeText(contracts, contracts.unit[first]!),
        supplierText(contracts, contracts.supplier[first]!),
        day === NONE ? "sem-data" : String(yearOf(day)),
      ].join("/");
    };
    for (let group = 0; group < groups.count; group++) {
      const verdict = judge({ contracts, classes, suppliers }, { groups, group }, params);
      answerOneOf(tally, { groups, idOf }, group, verdict);
    }
  },
  examples: [
    {
      title: "aponta três inexigibilidades de uma classe que quatro fornecedores vendem",
      dataset: exampleDataset({
        contracts: [
          ...["a1", "a2", "a3"].map((id) => award(id, EXAMPLE_CNPJS[0])),
          ...[2, 3, 4].map((index) =>
            exampleContract(`o${index}`, { supplierId: EXAMPLE_CNPJS[index]!, supplierTaxId: EXAMPLE_CNPJS[index]! }),
          ),
        ],
        items: ["a1", "a2", "a3", "o2", "o3", "o4"].map((id) =>
          exampleItem(`i-${id}`, id, { description: "CURSO DE INFORMATICA" }),
        ),
      }),
      flags: [`150000/${EXAMPLE_CNPJS[0]}/2024`],
    },
    {
      title: "não aponta duas, e exclui a energia elétrica",
      dataset: exampleDataset({
        contracts: [
          award("a1", EXAMPLE_CNPJS[0]),
          award("a2", EXAMPLE_CNPJS[0]),
          ...["e1", "e2", "e3"].map((id) => ({
            ...award(id, EXAMPLE_CNPJS[2]),
            object: "Fornecimento de energia elétrica",
          })),
        ],
      }),
      flags: [],
      excluded: [`150000/${EXAMPLE_CNPJS[2]}/2024`],
    },
    {
      title: "não calcula sem data",
      dataset: exampleDataset({
        contracts: ["a1", "a2", "a3"].map((id) => ({ ...award(id, EXAMPLE_CNPJS[0]), signedOn: null })),
      }),
      flags: [],
      notComputable: [`150000/${EXAMPLE_CNPJS[0]}/sem-data`],
    },
  ],
});

const SOLE_SERVICE =
  /energia eletrica|abastecimento de agua|esgoto|saneamento|correios|servicos postais|imprensa (nacional|oficial)|diario oficial/;
const NO_CNPJ = excluded("fornecedor sem CNPJ publicado");
const SOLE = excluded("serviço público de fornecedor único, ou fundação de apoio");
const NO_DATE = notComputable("inexigibilidade sem data de assinatura");

type Data = { contracts: Contracts; classes: ItemClasses; suppliers: Map<number, Set<number>> };
type Limits = { awardsMin: number; valueMinCents: Cents; competitionMin: number };

function judge(
  { contracts, classes, suppliers }: Data,
  { groups, group }: { groups: RowGroups; group: number },
  limits: Limits,
): Verdict {
  const first = firstRow(groups, group);
  if (contracts.supplierKind[first] !== supplierKindCodes.company) return NO_CNPJ;
  if (contracts.signedOn[first] === NONE) return NO_DATE;
  if (groupSize(groups, group) < limits.awardsMin) return NOT_FIRED;
  const counted = rowsOf(groups, group).filter((row) => contracts.initialValue[row]! >= limits.valueMinCents);
  if (counted.length < limits.awardsMin) return NOT_FIRED;
  const isSole = (row: number) =>
    isWithSupportFoundation(contracts, row) || SOLE_SERVICE.test(fold(objectText(contracts, row) ?? ""));
  if (counted.some(isSole)) return SOLE;
  const known = [...new Set(Array.from(counted, (row) => classes.ofContract[row]!))].filter((one) => one !== NONE);
  const competition = Math.max(0, ...known.map((one) => suppliers.get(one)!.size));
  const isContested = competition >= limits.competitionMin;
  const totalCents = counted.reduce((sum, row) => sum + contracts.initialValue[row]!, 0);
  return fired({
    strength: isContested ? 0.55 : 0.2,
    amountAtRiskCents: totalCents,
    pValue: null,
    describe: () => {
      const awards = Array.from(counted, (row) => contractAt(contracts, row)).sort(byRecordKey);
      const first = awards[0]!;
      const year = first.signedOn!.slice(0, 4);
      return {
        subject: { kind: "unit", label: `${first.unitName}: ${first.supplierName}, ${year}` },
        reason:
          `${plural(awards.length, "inexigibilidade", "inexigibilidades")} com o mesmo fornecedor em ${year} somam ${formatBrl(totalCents)}; ` +
          (known.length === 0
            ? "a classe do objeto não é conhecida."
            : `${plural(competition, "fornecedor vende", "fornecedores vendem")} a mesma classe de item nos dados lidos.`),
        agencyCode: first.agencyCode,
        agencyName: first.agencyName,
        supplierTaxId: first.supplierTaxId,
        supplierName: first.supplierName,
        formula: "awards ≥ awards_min; competition = suppliers of the same class",
        facts: [
          fact("awards", "Inexigibilidades no ano", awards.length, "count"),
          fact("total", "Soma", totalCents, "cents"),
          fact("competition", "Fornecedores da mesma classe", competition, "count"),
          fact("competition_min", "Fornecedores que mostram competição", limits.competitionMin, "count"),
          ...known
            .slice(0, 3)
            .map((one, index) => fact(`class_${index + 1}`, "Classe do item", classes.nameOf(one), "text")),
          ...objectFacts(first),
        ],
        records: awards.slice(0, RECORDS_MAX).map(contractRecord),
        legalBasis: inForceOn(legalBasis, first.signedOn),
      };
    },
  });
}

function suppliersByClass(contracts: Contracts, items: Items, classes: ItemClasses): Map<number, Set<number>> {
  const suppliers = new Map<number, Set<number>>();
  for (let index = 0; index < items.size; index++) {
    const one = classes.ofItem[index]!;
    if (one === NONE) continue;
    let sellers = suppliers.get(one);
    if (sellers === undefined) suppliers.set(one, (sellers = new Set()));
    sellers.add(contracts.supplier[items.contract[index]!]!);
  }
  return suppliers;
}

function award(id: string, cnpj: string) {
  return exampleContract(id, {
    supplierId: cnpj,
    supplierTaxId: cnpj,
    procurementMethod: "direct",
    procurementMethodDetails: "Inexigibilidade de Licitação",
    directAwardKind: "no_competition",
  });
}
