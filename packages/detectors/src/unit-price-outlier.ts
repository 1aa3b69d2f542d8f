import { formatBrl } from "@cidadao/domain/money";
import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { contractRecord, contractSubject, fact, inForceOn, itemRecord, partiesOf } from "./evidence.ts";
import { exampleContract, exampleDataset, exampleItem, exampleKey } from "./examples.ts";
import { contractAt, type Contracts, supplierKindCodes } from "./frame/contracts.ts";
import { NONE } from "./frame/dictionary.ts";
import { groupOfRows, groupRows, groupSize, overValues, pairKeys, type RowGroups, rowsOf } from "./frame/group-rows.ts";
import type { Items } from "./frame/items.ts";
import { type ItemClasses, itemClassesOf } from "./item-class.ts";
import { clamp } from "./score.ts";
import { jaccardOfSets, wordSetOf } from "./similar-texts.ts";
import { robustSpread, medianInPlace, studentUpperTail } from "./statistics.ts";
import { fold, formatDecimal } from "./text.ts";
import { answerContract } from "./tally.ts";
import { excluded, fired, notComputable, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [
  { norm: "Lei 14.133/2021", article: "arts. 6º, LVI, e 23", validFrom: "2021-04-01", validTo: null },
  { norm: "Lei 8.666/1993", article: "arts. 15, V, e 43, IV", validFrom: "1993-06-22", validTo: "2023-12-30" },
];

export const unitPriceOutlier = defineDetector({
  id: "unit-price-outlier",
  version: 1,
  title: "Preço unitário muito acima do pago pela mesma classe de item",
  question: "O preço unitário de um item está muito acima do que outros contratos pagam pela mesma classe?",
  subjects: "contratos com itens",
  method:
    "Grupo: mesma classe do catálogo e mesma unidade de medida; onde a fonte não traz a unidade, as quantidades do grupo " +
    "precisam estar dentro de um fator quantityFactor da quantidade do item, e quantidades de meses (12, 24, 60…) ficam à " +
    "parte. Com peersMin preços de ao menos " +
    "contractsMin contratos, dispara o preço que passa da mediana em ratioMin e tem z = (ln p − mediana) ÷ S acima de " +
    "threshold; S é o maior entre 1,4826 × MAD de ln p, (percentil 80 − mediana) ÷ 0,8416 e spreadMin, e nunca menor que a " +
    "sua média com a dispersão mediana de todas as classes, que pesa spreadShrinkage preços. A chance de tal " +
    "diferença (t de Student, graus de liberdade 0,37 × (n + spreadShrinkage)² ÷ n, no máximo 25, com n preços no grupo) passa ainda pelo controle de falsas descobertas. " +
    "O contrato vale pelo item de maior excesso, (p − mediana) × quantidade. A força da evidência vai de 0,45 no " +
    "limiar a 0,8; é um terço menor quando a fonte não traz a unidade de medida, e metade quando a razão fica perto de " +
    "10, 12, 50, 100 ou 1.000, o que costuma ser caixa contra peça, ou quando a descrição complementar se parece com a de " +
    "menos de um quinto dos pares (Jaccard das palavras que não são da classe a partir de 0,3): outro produto da mesma classe.",
  legalBasis,
  references: ["OCP Red Flags R017", "IN SEGES 65/2021", "Iglewicz & Hoaglin, How to Detect and Handle Outliers, 1993"],
  exclusions: [
    "Item sem preço ou quantidade, com preço abaixo de R$ 0,10, ou sob sigilo.",
    "Item de quantidade 1 sem unidade de medida: o preço é o do contrato inteiro, e quem olha é o detector de valor.",
    "Serviço sem unidade de medida: a unidade pode ser o mês, o posto ou o contrato inteiro.",
  ],
  assumptions: [
    "O catálogo descreve a classe, não o produto: dentro dela há marcas e qualidades diferentes.",
    "Preços de um ano antes ou depois são comparáveis.",
  ],
  innocentExplanations: [
    "Unidade de fornecimento diferente: caixa, pacote, litro, mês.",
    "Marca, garantia ou especificação superior dentro da mesma classe.",
    "Frete para local remoto, quantidade pequena, entrega urgente.",
  ],
  needs: ["contracts", "items"],
  requires: ["itemClass", "itemPrice"],
  concerns: ["contract", "supplier", "agency"],
  params: z.strictObject({
    threshold: z.number().positive().default(3.5).describe("z robusto acima do qual o preço é apontado"),
    ratioMin: z.number().min(1).default(1.3).describe("quantas vezes a mediana o preço precisa ser"),
    peersMin: z.int().min(3).default(10).describe("mínimo de preços no grupo"),
    contractsMin: z.int().min(2).default(5).describe("mínimo de contratos diferentes no grupo"),
    quantityFactor: z.number().min(1).default(10).describe("fator de quantidade sem unidade de medida"),
    spreadShrinkage: z.number().min(0).default(20).describe("preços que a dispersão comum vale contra a do grupo"),
    spreadMin: z.number().positive().default(0.1).describe("menor dispersão do logaritmo que se admite"),
  }),
  detect: ({ contracts, items }, params, tally) => {
    const classes = itemClassesOf(items);
    const prices = comparePrices(contracts, items, classes, params);
    for (let row = 0; row < contracts.size; row++) {
      if (items.start[row] !== items.start[row + 1]) answerContract(tally, row, judge(row, prices, params));
    }
  },
  examples: [
    {
      title: "aponta o contrato que paga dez vezes a resma dos outros",
      dataset: exampleDataset({
        contracts: Array.from({ length: 16 }, (_, index) => exampleContract(`c${index}`)),
        items: [
          ...Array.from({ length: 15 }, (_, index) =>
            exampleItem(`i${index}`, `c${index}`, {
              description: "PAPEL A4",
              unitOfMeasure: "RESMA",
              quantity: 100,
              unitPriceCents: 2_500 + 40 * index,
            }),
          ),
          exampleItem("caro", "c15", {
            description: "PAPEL A4",
            unitOfMeasure: "RESMA",
            quantity: 1_000,
            unitPriceCents: 21_000,
          }),
        ],
      }),
      flags: [exampleKey("c15")],
    },
    {
      title: "não calcula com poucos preços",
      dataset: exampleDataset({
        contracts: [exampleContract("c1"), exampleContract("c2")],
        items: [
          exampleItem("i1", "c1", { description: "PAPEL A4", quantity: 10, unitPriceCents: 2_500 }),
          exampleItem("i2", "c2", { description: "PAPEL A4", quantity: 10, unitPriceCents: 250_000 }),
        ],
      }),
      flags: [],
      notComputable: [exampleKey("c1"), exampleKey("c2")],
    },
    {
      title: "não compara a resma com a caixa, e exclui item sem preço",
      dataset: exampleDataset({
        contracts: Array.from({ length: 13 }, (_, index) => exampleContract(`c${index}`)),
        items: [
          ...Array.from({ length: 11 }, (_, index) =>
            exampleItem(`i${index}`, `c${index}`, {
              description: "PAPEL A4",
              unitOfMeasure: "RESMA",
              quantity: 100,
              unitPriceCents: 2_500 + 40 * index,
            }),
          ),
          exampleItem("caixa", "c11", {
            description: "PAPEL A4",
            unitOfMeasure: "CAIXA",
            quantity: 100,
            unitPriceCents: 26_000,
          }),
          exampleItem("sem-preco", "c12", { description: "PAPEL A4", unitOfMeasure: "RESMA", unitPriceCents: null }),
        ],
      }),
      flags: [],
      notComputable: [exampleKey("c11")],
      excluded: [exampleKey("c12")],
    },
  ],
});

const PRICE_MIN_CENTS = 10;
const MAD_EFFICIENCY = 0.37;
/** Prices of a class are only about log-normal: the tail is always taken to be heavier than a normal's. */
const FREEDOM_MAX = 25;
/** Ratios between a package and a piece; a price within 5 % of one is more likely a unit than a price. */
const PACKAGES = [10, 12, 20, 24, 50, 100, 500, 1_000];
const PACKAGE_TOLERANCE = 0.05;

const NO_PRICE = excluded("nenhum item com preço e quantidade");
const FEW = notComputable("nenhuma classe de item com preços bastantes para comparar");

type Limits = {
  threshold: number;
  ratioMin: number;
  peersMin: number;
  contractsMin: number;
  spreadMin: number;
  spreadShrinkage: number;
};

type Prices = {
  contracts: Contracts;
  items: Items;
  classes: ItemClasses;
  groups: RowGroups;
  hasUnit: boolean[];
  medians: Float64Array;
  spreads: Float64Array;
  contractsOf: Int32Array;
};

/** Prices by class and unit; without a unit by decade of quantity, so that a piece is not held against a thousand, nor a month against a piece. */
function comparePrices(
  contracts: Contracts,
  items: Items,
  classes: ItemClasses,
  limits: Limits & { quantityFactor: number },
): Prices {
  const { quantityFactor, spreadMin, spreadShrinkage, peersMin } = limits;
  const { unitPrice, quantity, unitOfMeasure } = items;
  const logarithms = Float64Array.from(unitPrice, Math.log);
  const perDecade = Math.log(quantityFactor);
  const isService = serviceReader(classes);
  const byClass = groupRows(
    classes.ofItem.map((itemClass, index) => {
      const isUsable = unitPrice[index]! >= PRICE_MIN_CENTS && quantity[index]! > 0 && itemClass !== NONE;
      const row = items.contract[index]!;
      // One of something without a unit is the whole fleet; a service without one is a month, a post or the whole contract.
      const isWhole = unitOfMeasure[index] === NONE && (quantity[index] === 1 || isService(itemClass));
      const isSecret = contracts.supplierKind[row] === supplierKindCodes.secret;
      return isUsable && !isSecret && !isWhole ? itemClass : -1;
    }),
  );
  const variants = unitOfMeasure.map((unit, index) => {
    if (unit !== NONE) return unit;
    const decade = Math.floor(Math.log(quantity[index]!) / perDecade) + QUANTITY_DECADES;
    return UNITS_MAX - (MONTHS.has(quantity[index]!) ? PER_MONTH : decade);
  });
  const groups = groupRows(
    pairKeys(groupOfRows(byClass), variants).map((key, index) => (groupOfRows(byClass)[index]! < 0 ? -1 : key)),
  );
  const hasUnit = Array.from({ length: groups.count }, (_, group) => unitOfMeasure[rowsOf(groups, group)[0]!] !== NONE);
  const spreadOf = (values: Float64Array, scratch: Float64Array) => Math.max(robustSpread(values, scratch), spreadMin);
  return {
    contracts,
    items,
    classes,
    groups,
    hasUnit,
    medians: overValues(groups, logarithms, medianInPlace),
    spreads: moderated(overValues(groups, logarithms, spreadOf), groups, { peersMin, spreadShrinkage }),
    contractsOf: countContracts(items, groups),
  };
}

/** Each spread, raised to its mean with the median spread of all groups that are large enough to be compared. */
function moderated(
  spreads: Float64Array,
  groups: RowGroups,
  { peersMin, spreadShrinkage }: { peersMin: number; spreadShrinkage: number },
): Float64Array {
  const common = medianInPlace(spreads.filter((_, group) => groupSize(groups, group) >= peersMin));
  return spreads.map((spread, group) => {
    const n = groupSize(groups, group);
    return n < peersMin ? spread : Math.max(spread, (n * spread + spreadShrinkage * common) / (n + spreadShrinkage));
  });
}

const SERVICE = new RegExp(
  [
    "servico",
    "prestac",
    "manutenc",
    "locac",
    "assistencia",
    "segur[oa]",
    "limpeza",
    "vigilancia",
    "curso|treinament|capacita",
    "transporte",
    "pagamento",
    "cessao",
    "projeto",
    "administrac",
    "instalac",
    "consult",
    "obras? ",
    "hosped|passage",
    "reabilitac",
    "impress|reprograf",
    "fornecimento de (refeic|aliment)",
  ].join("|"),
);

/** Whether a class is of services, by its name. */
function serviceReader(classes: ItemClasses): (itemClass: number) => boolean {
  const known = new Map<number, boolean>();
  return (itemClass) => {
    let answer = known.get(itemClass);
    if (answer === undefined) known.set(itemClass, (answer = SERVICE.test(fold(classes.nameOf(itemClass)))));
    return answer;
  };
}

/** A service of so many of something is mostly one of so many months. */
const MONTHS = new Set([12, 20, 24, 30, 36, 48, 60]);
const PER_MONTH = 1_000;
const QUANTITY_DECADES = 64;
const UNITS_MAX = 2 ** 25;

type Excess = { index: number; z: number; ratio: number; excess: number; strength: number; pValue: number };

function judge(row: number, prices: Prices, limits: Limits): Verdict {
  const { items, groups } = prices;
  let priced = 0;
  let compared = 0;
  let worst: Excess | null = null;
  for (let index = items.start[row]!; index < items.start[row + 1]!; index++) {
    const group = groupOfRows(groups)[index]!;
    if (group < 0) continue;
    priced++;
    if (groupSize(groups, group) < limits.peersMin || prices.contractsOf[group]! < limits.contractsMin) continue;
    compared++;
    const found = excessOf(index, prices, limits);
    if (found && (worst === null || found.excess > worst.excess)) worst = found;
  }
  if (priced === 0) return NO_PRICE;
  if (compared === 0) return FEW;
  if (worst === null) return NOT_FIRED;
  const strength = worst.strength * (isAnotherProduct(prices, worst.index) ? 0.5 : 1);
  return raise(row, prices, { ...worst, strength }, { ...limits, compared });
}

const ALIKE_COMPLEMENT_MIN = 0.3;
const ALIKE_SHARE_MIN = 0.2;
/** So many peers say what a class usually is. */
const PEERS_READ_MAX = 60;

/** True when the item's own description resembles that of few of its peers: a class holds more than one product. */
function isAnotherProduct({ items, classes, groups }: Prices, index: number): boolean {
  const ofClass = new Set(wordSetOf(classes.nameOf(classes.ofItem[index]!)));
  const wordsOf = (item: number) => wordSetOf(items.complementText(item) ?? "").filter((word) => !ofClass.has(word));
  const own = wordsOf(index);
  const peers = rowsOf(groups, groupOfRows(groups)[index]!).filter(
    (peer) => items.contract[peer] !== items.contract[index],
  );
  const step = Math.max(1, Math.floor(peers.length / PEERS_READ_MAX));
  // Of many peers a part chosen by price: which it is must not depend on the order of the records.
  const read = peers.filter((peer) => items.unitPrice[peer]! % step === 0);
  const described = Array.from(read, wordsOf).filter((words) => words.length > 0);
  // Where the source describes no products, nothing can be told.
  if (described.length * 2 < read.length || described.length === 0) return false;
  const alike = described.filter((words) => jaccardOfSets(own, words) >= ALIKE_COMPLEMENT_MIN);
  return alike.length / described.length < ALIKE_SHARE_MIN;
}

function excessOf(index: number, { items, groups, medians, spreads, hasUnit }: Prices, limits: Limits): Excess | null {
  const group = groupOfRows(groups)[index]!;
  const n = groupSize(groups, group);
  const price = items.unitPrice[index]!;
  const ratio = price / Math.exp(medians[group]!);
  const z = (Math.log(price) - medians[group]!) / spreads[group]!;
  if (z <= limits.threshold || ratio < limits.ratioMin) return null;
  const isPackage = PACKAGES.some((pieces) => Math.abs(ratio / pieces - 1) <= PACKAGE_TOLERANCE);
  const base = clamp(0.45 + 0.08 * (z - limits.threshold), 0.45, 0.8);
  return {
    index,
    z,
    ratio,
    excess: Math.round((price - Math.exp(medians[group]!)) * items.quantity[index]!),
    strength: base * (hasUnit[group] ? 1 : 2 / 3) * (isPackage ? 0.5 : 1),
    pValue: studentUpperTail(z, Math.min(FREEDOM_MAX, (MAD_EFFICIENCY * (n + limits.spreadShrinkage) ** 2) / n)),
  };
}

function raise(row: number, prices: Prices, worst: Excess, limits: Limits & { compared: number }): Verdict {
  const { contracts, items, classes, groups, medians, spreads, hasUnit } = prices;
  const { index, z, ratio, excess, strength } = worst;
  return fired({
    strength,
    amountAtRiskCents: excess,
    // The worst of several prices of one contract: Bonferroni within it.
    pValue: Math.min(1, worst.pValue * limits.compared),
    describe: () => {
      const contract = contractAt(contracts, row);
      const item = items.at(index);
      const group = groupOfRows(groups)[index]!;
      const medianCents = Math.round(Math.exp(medians[group]!));
      const name = classes.nameOf(classes.ofItem[index]!);
      const unit = hasUnit[group] ? item.unitOfMeasure! : "sem unidade publicada";
      return {
        subject: contractSubject(contract),
        reason:
          `O item “${name}” custa ${formatBrl(item.unitPriceCents!)} a unidade (${unit}), ${formatDecimal(ratio)} vezes a ` +
          `mediana de ${formatBrl(medianCents)} de ${groupSize(groups, group)} preços comparáveis; excesso de ` +
          `${formatBrl(excess)} em ${formatDecimal(item.quantity!)} unidades.`,
        ...partiesOf(contract),
        formula:
          "z = (ln(price) − ln_median) / spread; z > threshold; ratio = price / median; excess = (price − median) × quantity",
        facts: [
          fact("price", "Preço unitário", item.unitPriceCents!, "cents"),
          fact("quantity", "Quantidade", item.quantity!, "count"),
          fact("median", "Mediana dos preços comparáveis", medianCents, "cents"),
          fact("ratio", "Preço ÷ mediana", ratio, "ratio"),
          fact("excess", "Excesso sobre a mediana", excess, "cents"),
          fact("item_class", "Classe do item", name, "text"),
          fact("unit_of_measure", "Unidade de medida", unit, "text"),
          fact("prices", "Preços comparados", groupSize(groups, group), "count"),
          fact("contracts", "Contratos comparados", prices.contractsOf[group]!, "count"),
          fact("spread", "Dispersão robusta do logaritmo", spreads[group]!, "score"),
          fact("z", "Escore z robusto", z, "score"),
          fact("threshold", "Limiar", limits.threshold, "score"),
          ...(item.complement
            ? [fact("complement", "Descrição complementar", item.complement.slice(0, 300), "text")]
            : []),
        ],
        records: [contractRecord(contract), itemRecord(item)],
        legalBasis: inForceOn(legalBasis, contract.signedOn),
      };
    },
  });
}

function countContracts(items: Items, groups: RowGroups): Int32Array {
  const counts = new Int32Array(groups.count);
  for (let group = 0; group < groups.count; group++) {
    // Rows of a group ascend, and the items of a contract lie together.
    let last = -1;
    for (const index of rowsOf(groups, group)) {
      if (items.contract[index] !== last) counts[group]!++;
      last = items.contract[index]!;
    }
  }
  return counts;
}
