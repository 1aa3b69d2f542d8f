import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { contractRecord, fact, firstContracts } from "./evidence.ts";
import { EXAMPLE_CNPJS, exampleContract, exampleDataset, exampleItem } from "./examples.ts";
import { type Contracts, supplierKindCodes, supplierText } from "./frame/contracts.ts";
import { NONE } from "./frame/dictionary.ts";
import { groupRows, rowsOf } from "./frame/group-rows.ts";
import { compareTexts, type Items } from "./frame/items.ts";
import { type ItemClasses, itemClassesOf } from "./item-class.ts";
import { firstPublicationsOf } from "./republications.ts";
import { quantileInPlace } from "./statistics.ts";
import { fold, formatDecimal } from "./text.ts";
import { answerGroup } from "./tally.ts";
import { excluded, fired, notComputable, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [{ norm: "Lei 14.133/2021", article: "arts. 62, 66 e 67", validFrom: "2021-04-01", validTo: null }];

export const unrelatedClasses = defineDetector({
  id: "unrelated-classes",
  version: 1,
  title: "Fornecedor que vende classes de itens sem relação entre si",
  question: "O fornecedor vende ao governo ramos de atividade demais, sem relação uns com os outros?",
  subjects: "fornecedores com itens",
  method:
    "Ramos do fornecedor: grupos das classes que vendeu, em que duas classes são do mesmo ramo quando o código do " +
    "catálogo começa pelos mesmos classDigits algarismos, quando os nomes têm uma palavra própria em comum, ou quando ao " +
    "menos dois outros fornecedores também vendem as duas. Conta como classe a do item de maior valor de cada contrato. Compara o número de " +
    "ramos com o dos fornecedores de ao menos contractsMin contratos: dispara a partir de Q3 + 1,5·IQR (quartis do tipo 8) " +
    "e de branchesMin ramos. A força da evidência é 0,3, e 0,45 a partir do dobro da cerca.",
  legalBasis,
  references: ["OCP Red Flags R048", "Cardinal R048"],
  exclusions: ["Fornecedor sem CNPJ publicado.", "O mesmo contrato publicado duas vezes conta uma só vez."],
  assumptions: ["Classes que vários fornecedores vendem juntas pertencem a um mesmo ramo."],
  innocentExplanations: [
    "Atacadista, cooperativa ou loja de departamentos.",
    "Integrador que vende soluções completas.",
    "Empresa pública ou fundação de atuação ampla.",
  ],
  needs: ["contracts", "items"],
  requires: ["supplierTaxId", "itemClass"],
  concerns: ["supplier"],
  params: z.strictObject({
    contractsMin: z.int().min(2).default(5).describe("mínimo de contratos do fornecedor"),
    branchesMin: z.int().min(2).default(4).describe("mínimo de ramos sem relação"),
    suppliersMin: z.int().min(4).default(8).describe("mínimo de fornecedores para calcular a cerca"),
    classDigits: z.int().min(1).max(8).default(2).describe("algarismos do código que fazem um ramo"),
  }),
  detect: ({ contracts, items }, params, tally) => {
    const sellers = sellersOf(contracts, items);
    const relation = relate(sellers, itemClassesOf(items), params.classDigits);
    const counted = sellers.map((seller) =>
      seller.contracts < params.contractsMin ? 0 : branchesOf(seller.classes, relation),
    );
    const tested = Float64Array.from(counted.filter((branches) => branches > 0));
    const [q1, q3] = [quantileInPlace(tested, 0.25), quantileInPlace(tested, 0.75)];
    const fence = Math.max(q3 + 1.5 * (q3 - q1), params.branchesMin);
    for (const [index, seller] of sellers.entries()) {
      const limits = { ...params, fence, tested: tested.length };
      const verdict = judge({ contracts, items }, { ...seller, branches: counted[index]! }, limits);
      answerGroup(tally, { id: () => seller.id, rows: seller.rows }, verdict);
    }
  },
  examples: [
    {
      title: "aponta quem vende seis ramos entre fornecedores de um só",
      dataset: exampleDataset(market(6)),
      flags: [EXAMPLE_CNPJS[0]],
    },
    {
      title: "não aponta quem vende dois ramos",
      dataset: exampleDataset(market(2)),
      flags: [],
    },
    {
      title: "não calcula com poucos contratos",
      dataset: exampleDataset({
        contracts: [exampleContract("c1")],
        items: [exampleItem("i1", "c1", { description: "PAPEL A4" })],
      }),
      flags: [],
      notComputable: [EXAMPLE_CNPJS[0]],
    },
  ],
});

type Seller = { id: string; rows: Int32Array; contracts: number; classes: number[]; isCompany: boolean };
type Limits = { contractsMin: number; suppliersMin: number; fence: number; tested: number };

const NO_CNPJ = excluded("fornecedor sem CNPJ publicado");
const CLASSES_MAX = 60;

function sellersOf(contracts: Contracts, items: Items): Seller[] {
  const isFirst = firstPublicationsOf(contracts);
  const { ofContract } = itemClassesOf(items);
  const groups = groupRows(
    contracts.supplier.map((supplier, row) =>
      isFirst[row] === 1 && items.start[row] !== items.start[row + 1] ? supplier : -1,
    ),
  );
  return Array.from({ length: groups.count }, (_, group) => {
    const rows = rowsOf(groups, group);
    const classes = new Set<number>();
    for (const row of rows) if (ofContract[row] !== NONE) classes.add(ofContract[row]!);
    return {
      id: supplierText(contracts, contracts.supplier[rows[0]!]!),
      rows,
      contracts: rows.length,
      classes: [...classes],
      isCompany: contracts.supplierKind[rows[0]!] === supplierKindCodes.company,
    };
  });
}

/** Marks of each class: two classes with a common mark are one branch. Pairs sold together are kept apart. */
type Relation = { marksOf: (itemClass: number) => readonly string[]; soldTogether: Map<number, number> };

function relate(sellers: readonly Seller[], classes: ItemClasses, classDigits: number): Relation {
  const marks = new Map<number, string[]>();
  const soldTogether = new Map<number, number>();
  for (const { classes: own } of sellers) {
    if (own.length < 2 || own.length > CLASSES_MAX) continue;
    for (const a of own) {
      for (const b of own) if (a < b) soldTogether.set(a * PAIR + b, (soldTogether.get(a * PAIR + b) ?? 0) + 1);
    }
  }
  return {
    soldTogether,
    marksOf(itemClass) {
      let known = marks.get(itemClass);
      if (known === undefined) {
        const name = classes.nameOf(itemClass);
        known = /^\d+$/.test(name)
          ? [name.slice(0, classDigits)]
          : (fold(name).match(/[a-z]{4,}/g) ?? [])
              .filter((word) => !COMMON_WORDS.has(word))
              .map((word) => word.slice(0, STEM));
        marks.set(itemClass, known);
      }
      return known;
    },
  };
}

const PAIR = 2 ** 26;
/** Letters that two forms of a word share: "manutencao", "manutencoes". */
const STEM = 6;
const COMMON_WORDS = new Set(
  (
    "servico servicos prestacao material materiais equipamento equipamentos outros outras diversos geral tipo para com sem " +
    "nome item produto uso area atividades fornecimento aquisicao conjunto sistema peca pecas acessorio acessorios necessidades"
  ).split(" "),
);

/** Classes sold together by this many other suppliers belong to one branch. */
const OTHERS_MIN = 2;

function branchesOf(classes: readonly number[], { marksOf, soldTogether }: Relation): number {
  const listed = classes.slice(0, CLASSES_MAX);
  const parent = listed.map((_, index) => index);
  const rootOf = (index: number): number => (parent[index] === index ? index : rootOf(parent[index]!));
  for (let b = 1; b < listed.length; b++) {
    for (let a = 0; a < b; a++) {
      const [low, high] = [Math.min(listed[a]!, listed[b]!), Math.max(listed[a]!, listed[b]!)];
      const others = (soldTogether.get(low * PAIR + high) ?? 1) - 1;
      const isRelated = others >= OTHERS_MIN || marksOf(low).some((mark) => marksOf(high).includes(mark));
      if (isRelated) parent[Math.max(rootOf(a), rootOf(b))] = Math.min(rootOf(a), rootOf(b));
    }
  }
  return new Set(listed.map((_, index) => rootOf(index))).size;
}

function judge(
  { contracts, items }: { contracts: Contracts; items: Items },
  seller: Seller & { branches: number },
  limits: Limits,
): Verdict {
  if (!seller.isCompany) return NO_CNPJ;
  if (seller.contracts < limits.contractsMin)
    return notComputable(`menos de ${limits.contractsMin} contratos com itens`);
  if (seller.branches === 0) return notComputable("nenhuma classe de item conhecida");
  if (limits.tested < limits.suppliersMin)
    return notComputable(`menos de ${limits.suppliersMin} fornecedores para comparar`);
  if (seller.branches < limits.fence) return NOT_FIRED;
  const amountCents = seller.rows.reduce((sum, row) => sum + Math.max(0, contracts.initialValue[row]! || 0), 0);
  return fired({
    strength: seller.branches >= 2 * limits.fence ? 0.45 : 0.3,
    amountAtRiskCents: amountCents,
    pValue: null,
    describe: () => {
      const classes = itemClassesOf(items);
      const names = seller.classes.map(classes.nameOf).toSorted(compareTexts);
      const named = firstContracts(contracts, seller.rows);
      const first = named[0]!;
      return {
        subject: { kind: "supplier", label: first.supplierName },
        reason:
          `O fornecedor vendeu ${seller.branches} ramos sem relação entre si em ${seller.contracts} contratos, contra a cerca de ` +
          `${formatDecimal(limits.fence)}: ${names.slice(0, 5).join("; ")}.`,
        agencyCode: null,
        agencyName: null,
        supplierTaxId: first.supplierTaxId,
        supplierName: first.supplierName,
        formula: "branches ≥ max(Q3 + 1.5 × IQR, branches_min)",
        facts: [
          fact("branches", "Ramos sem relação", seller.branches, "count"),
          fact("classes", "Classes vendidas", seller.classes.length, "count"),
          fact("contracts", "Contratos com itens", seller.contracts, "count"),
          fact("fence", "Cerca", limits.fence, "ratio"),
          fact("suppliers", "Fornecedores comparados", limits.tested, "count"),
        ],
        records: named.map(contractRecord),
        legalBasis,
      };
    },
  });
}

/** One supplier of `branches` lines among ten suppliers of one line each, six contracts a supplier. */
function market(branches: number) {
  const lines = [
    "PAPEL A4",
    "GASOLINA COMUM",
    "VIGILANCIA ARMADA",
    "MEDICAMENTO INJETAVEL",
    "TIJOLO CERAMICO",
    "PASSAGEM AEREA",
  ];
  const sellers = Array.from({ length: 11 }, (_, seller) =>
    seller === 0 ? EXAMPLE_CNPJS[0] : `9000000000${String(seller).padStart(4, "0")}`,
  );
  const sold = sellers.flatMap((cnpj, seller) =>
    Array.from({ length: 6 }, (_, index) => ({
      id: `c${seller}-${index}`,
      cnpj,
      line: lines[seller === 0 ? index % branches : seller % 6]!,
    })),
  );
  return {
    contracts: sold.map(({ id, cnpj }) => exampleContract(id, { supplierId: cnpj, supplierTaxId: cnpj })),
    items: sold.map(({ id, line }) => exampleItem(`i-${id}`, id, { description: line })),
  };
}
