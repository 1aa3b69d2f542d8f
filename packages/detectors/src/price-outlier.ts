import { formatBrl } from "@cidadao/domain/money";
import { z } from "zod";
import { agencyTypeNames, agencyTypes, agencyTypesOf } from "./agency-type.ts";
import { defineDetector } from "./define-detector.ts";
import { contractRecord, contractSubject, fact, inForceOn, itemRecord, objectFacts, partiesOf } from "./evidence.ts";
import { exampleContract, exampleDataset, exampleItem, exampleKey, examplePeers } from "./examples.ts";
import { codeText, contractAt, type Contracts, methodCodes, supplierKindCodes } from "./frame/contracts.ts";
import { NONE } from "./frame/dictionary.ts";
import {
  firstRow,
  groupOfRows,
  groupRows,
  groupRowsByTable,
  groupSize,
  overValues,
  pairKey,
  type RowGroups,
} from "./frame/group-rows.ts";
import type { Items } from "./frame/items.ts";
import { itemClassesOf, lineValue } from "./item-class.ts";
import { clamp } from "./score.ts";
import { robustSpread, medianInPlace, studentUpperTail } from "./statistics.ts";
import { fold, formatDecimal } from "./text.ts";
import { answerContract } from "./tally.ts";
import { excluded, fired, notComputable, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [
  { norm: "Lei 14.133/2021", article: "arts. 11, III, e 23", validFrom: "2021-04-01", validTo: null },
  { norm: "Lei 8.666/1993", article: "arts. 15, V, e 43, IV", validFrom: "1993-06-22", validTo: "2023-12-30" },
];

export const priceOutlier = defineDetector({
  id: "price-outlier",
  version: 2,
  title: "Valor muito acima dos contratos comparáveis",
  question: "O valor inicial do contrato está muito acima do que o mesmo tipo de contratação costuma custar?",
  subjects: "contratos",
  method:
    "z = (ln V − M) ÷ S. M é a mediana de ln V no grupo de comparação: mesma modalidade, mesma classe do item de maior " +
    "valor e mesmo tipo de órgão. Cada grupo de ao menos classMin contratos encolhe para o mais largo que o contém: " +
    "M = (n·mediana + k·M do grupo mais largo) ÷ (n + k), com k = shrinkage, da modalidade à classe e da classe ao " +
    "tipo de órgão. S é a dispersão das diferenças ln V − M: o maior entre 1,4826 × MAD e (percentil 80) ÷ 0,8416. Com " +
    "ao menos classMin contratos, é a da classe, encolhida com peso spreadShrinkage para a dispersão comum às classes da " +
    "modalidade e nunca menor que a própria; as classes menores são comparadas juntas, como o resto da modalidade. S cresce " +
    "ainda com a incerteza de M, por √(1 + 1 ÷ (contratos do grupo + k)). Dispara só para cima, com z acima de threshold, valor de ao menos " +
    "ratioMin vezes a mediana, e se a chance de tal diferença (t de Student, no máximo 25 graus de liberdade: 0,37 × n, ou " +
    "0,37 × (n + spreadShrinkage)² ÷ n com a dispersão encolhida de n contratos) passa no controle de falsas descobertas. A força da evidência começa em 0,35 no limiar, cresce 0,1 " +
    "por unidade de z e não passa de 0,75, porque o valor total não é preço unitário; sem classe de item, vale " +
    "quatro quintos disso.",
  legalBasis,
  references: [
    "OCP Red Flags R016",
    "Iglewicz & Hoaglin, How to Detect and Handle Outliers, 1993",
    "Benjamini & Hochberg, Controlling the False Discovery Rate, 1995",
  ],
  exclusions: [
    "Fornecedor ou objeto sob sigilo.",
    "Valor inicial ausente, zero ou abaixo de R$ 10: qualidade do dado.",
    "Soma dos itens igual ao valor inicial vezes uma potência exata de dez: provável erro de digitação.",
  ],
  assumptions: [
    "Valores de contrato são aproximadamente log-normais dentro de um grupo de comparação.",
    "Modalidade não informada mistura contratações sem relação entre si e por isso não é grupo de comparação.",
    "Registro de preços é modalidade à parte e nunca se mistura com as outras.",
    "Os contratos lidos na análise são a população de comparação.",
  ],
  innocentExplanations: [
    "Objeto maior ou mais longo que o usual: obra de grande porte, contrato plurianual, compra centralizada.",
    "O órgão concentra compras de alto custo, como medicamentos, energia ou tecnologia.",
    "Valor global estimado, ainda não executado.",
  ],
  needs: ["contracts", "items"],
  requires: ["initialValue", "methodDetails"],
  concerns: ["contract", "supplier", "agency"],
  params: z.strictObject({
    threshold: z.number().positive().default(3.5).describe("z robusto acima do qual o contrato é apontado"),
    ratioMin: z.number().min(1).default(3).describe("quantas vezes a mediana o valor precisa ser"),
    peersMin: z.int().min(10).default(30).describe("mínimo de contratos da modalidade"),
    shrinkage: z.number().min(0).default(5).describe("contratos que o grupo mais largo vale contra o mais estreito"),
    classMin: z.int().min(3).default(8).describe("contratos da classe a partir dos quais ela tem dispersão própria"),
    spreadShrinkage: z.number().min(0).default(10).describe("contratos que a dispersão comum vale contra a da classe"),
    valueMinCents: z.int().positive().default(1_000).describe("valor inicial mínimo, em centavos"),
  }),
  detect: ({ contracts, items }, params, tally) => {
    const answers = checkAll(contracts, items, params.valueMinCents);
    const tooSmall = excluded(`qualidade do dado: valor inicial abaixo de ${formatBrl(params.valueMinCents)}`);
    const verdicts = [null, SECRET, NO_VALUE, tooSmall, SHIFTED, NO_METHOD];
    const peers = comparePeers(contracts, items, answers, params);
    for (let row = 0; row < contracts.size; row++) {
      answerContract(tally, row, verdicts[answers[row]!] ?? judge(row, peers, params));
    }
  },
  examples: [
    {
      title: "aponta o único contrato cem vezes acima dos pares e nenhum dos pares",
      dataset: exampleDataset({
        contracts: [
          ...examplePeers(40, 10_000_000),
          exampleContract("alto", { initialValueCents: 100_000_000_000, currentValueCents: 100_000_000_000 }),
        ],
        items: [exampleItem("i1", "alto", { quantity: 1000, unitPriceCents: 100_000_000 })],
      }),
      flags: [exampleKey("alto")],
    },
    {
      title: "não calcula com menos pares que o mínimo, nem com modalidade desconhecida",
      dataset: exampleDataset({
        contracts: [
          ...examplePeers(2, 10_000_000),
          exampleContract("sem-modalidade", {
            procurementMethod: "unknown",
            procurementMethodDetails: "Sem Informação",
          }),
        ],
      }),
      flags: [],
      notComputable: [exampleKey("p1"), exampleKey("p2"), exampleKey("sem-modalidade")],
    },
    {
      title: "trata como erro de dado o valor que difere dos itens por potência exata de dez",
      dataset: exampleDataset({
        contracts: [
          ...examplePeers(40, 10_000_000),
          exampleContract("erro", { initialValueCents: 100_000_000_000 }),
          exampleContract("centavos", { initialValueCents: 100 }),
          exampleContract("sigilo", { supplierId: "-11", supplierKind: "secret", supplierTaxId: null }),
        ],
        items: [exampleItem("i1", "erro", { quantity: 10, unitPriceCents: 10_000_000 })],
      }),
      flags: [],
      excluded: [exampleKey("erro"), exampleKey("centavos"), exampleKey("sigilo")],
    },
    {
      title: "não calcula quando todos os pares têm o mesmo valor",
      dataset: exampleDataset({
        contracts: Array.from({ length: 30 }, (_, index) => exampleContract(`c${index}`)),
      }),
      flags: [],
      notComputable: Array.from({ length: 30 }, (_, index) => exampleKey(`c${index}`)),
    },
    {
      title: "compara a obra cara com as obras, e não com a compra de canetas da mesma modalidade",
      dataset: exampleDataset({
        contracts: [
          ...examplePeers(60, 1_000_000),
          ...examplePeers(60, 5_000_000_000).map((contract, index) =>
            exampleContract(`obra${index}`, {
              initialValueCents: contract.initialValueCents,
              currentValueCents: contract.currentValueCents,
            }),
          ),
        ],
        items: Array.from({ length: 60 }, (_, index) =>
          exampleItem(`i${index}`, `obra${index}`, { description: "OBRAS CIVIS", unitPriceCents: 3 }),
        ),
      }),
      flags: [],
    },
  ],
});

const SECRET = excluded("fornecedor ou objeto sob sigilo");
const NO_VALUE = excluded("qualidade do dado: sem valor inicial");
const SHIFTED = excluded("erro de dado: valor inicial e soma dos itens diferem por potência exata de dez");
const NO_METHOD = notComputable("modalidade não informada: não há grupo de comparação");
const NO_SPREAD = notComputable("mais da metade dos contratos comparáveis tem o mesmo valor");

/** Why a contract cannot be compared; `comparable` for the others. */
const checks = { comparable: 0, secret: 1, noValue: 2, tooSmall: 3, shifted: 4, noMethod: 5 };

function checkAll(contracts: Contracts, items: Items, valueMinCents: number): Uint8Array {
  const answers = new Uint8Array(contracts.size);
  for (let row = 0; row < contracts.size; row++) answers[row] = check(contracts, items, row, valueMinCents);
  return answers;
}

function check(contracts: Contracts, items: Items, row: number, valueMinCents: number): number {
  const value = contracts.initialValue[row]!;
  if (contracts.supplierKind[row] === supplierKindCodes.secret || contracts.isWithheld[row] === 1) {
    return checks.secret;
  }
  if (Number.isNaN(value)) return checks.noValue;
  if (value < valueMinCents) return checks.tooSmall;
  const total = itemsTotal(items, row);
  if (total !== null && isPowerOfTenApart(total / value)) return checks.shifted;
  const isUnknown = contracts.method[row] === methodCodes.unknown || contracts.methodDetails[row] === NONE;
  return isUnknown ? checks.noMethod : checks.comparable;
}

type Peers = {
  contracts: Contracts;
  items: Items;
  logarithms: Float64Array;
  byMethod: RowGroups;
  byClass: RowGroups;
  byType: RowGroups;
  center: Float64Array;
  /** 1 where the class has enough contracts to be compared by itself. */
  hasOwnClass: Uint8Array;
  spreadByClass: Float64Array;
  /** By method: the spread within its classes of enough contracts, all together. */
  spreadWithin: Float64Array;
  types: Uint8Array;
};

/*
 * One short function a column: each is compiled by itself, and for good, for it is given nothing but columns. In one
 * long function the compiler would begin anew with every frame.
 */

function comparePeers(
  contracts: Contracts,
  items: Items,
  answers: Uint8Array,
  { shrinkage, classMin }: { shrinkage: number; classMin: number },
): Peers {
  const types = agencyTypesOf(contracts);
  const classes = itemClassesOf(items).ofContract;
  const logarithms = logarithmsOf(contracts.initialValue);
  const byMethod = groupRowsByTable(
    onlyWhere(answers, checks.comparable, foldedMethods(contracts)),
    contracts.codesSize,
  );
  const methodOf = groupOfRows(byMethod);
  const anyClass = groupRows(classKeysOf(methodOf, classes));
  const hasOwnClass = inLargeGroups(anyClass, classMin);
  // Classes with few contracts are compared together, as the rest of their method.
  const byClass = groupRowsByTable(ownClassOrRest(hasOwnClass, anyClass, methodOf), anyClass.count + byMethod.count);
  const byType = groupRowsByTable(typeKeysOf(groupOfRows(byClass), types), byClass.count * agencyTypes.length);
  const center = new Float64Array(contracts.size);
  for (const groups of [byMethod, byClass, byType]) {
    drawTowards(center, overValues(groups, logarithms, medianInPlace), {
      groups,
      classMin,
      weight: groups === byMethod ? 0 : shrinkage,
    });
  }
  const residuals = differencesOf(logarithms, center);
  const withinClasses = groupRowsByTable(onlyWhere(hasOwnClass, 1, methodOf), byMethod.count);
  const spreadWithin = new Float64Array(byMethod.count);
  for (const [group, spread] of overValues(withinClasses, residuals, spreadOf).entries()) {
    spreadWithin[methodOf[firstRow(withinClasses, group)]!] = spread;
  }
  return {
    contracts,
    items,
    logarithms,
    byMethod,
    byClass,
    byType,
    center,
    types,
    hasOwnClass,
    spreadByClass: overValues(byClass, residuals, spreadOf),
    spreadWithin,
  };
}

function logarithmsOf(values: Float64Array): Float64Array {
  const logarithms = new Float64Array(values.length);
  for (let row = 0; row < values.length; row++) logarithms[row] = Math.log(values[row]!);
  return logarithms;
}

function onlyWhere(marks: Uint8Array, mark: number, keys: Int32Array): Int32Array {
  const own = keys.slice();
  for (let row = 0; row < own.length; row++) if (marks[row] !== mark) own[row] = NONE;
  return own;
}

function classKeysOf(methodOf: Int32Array, classes: Int32Array): Float64Array {
  const keys = new Float64Array(methodOf.length);
  for (let row = 0; row < methodOf.length; row++) {
    const [method, itemClass] = [methodOf[row]!, classes[row]!];
    keys[row] = method < 0 || itemClass === NONE ? NONE : pairKey(method, itemClass);
  }
  return keys;
}

function inLargeGroups(groups: RowGroups, sizeMin: number): Uint8Array {
  const isLarge = new Uint8Array(groups.size);
  for (let group = 0; group < groups.count; group++) {
    const [from, to] = [groups.start[group]!, groups.start[group + 1]!];
    if (to - from >= sizeMin) for (let index = from; index < to; index++) isLarge[groups.rows[index]!] = 1;
  }
  return isLarge;
}

function ownClassOrRest(hasOwnClass: Uint8Array, classes: RowGroups, methodOf: Int32Array): Int32Array {
  const [count, groupOf] = [classes.count, groupOfRows(classes)];
  const keys = new Int32Array(methodOf.length);
  for (let row = 0; row < methodOf.length; row++) {
    const method = methodOf[row]!;
    keys[row] = method < 0 ? NONE : hasOwnClass[row] === 1 ? groupOf[row]! : count + method;
  }
  return keys;
}

function typeKeysOf(classOf: Int32Array, types: Uint8Array): Int32Array {
  const keys = new Int32Array(classOf.length);
  for (let row = 0; row < classOf.length; row++) {
    const group = classOf[row]!;
    keys[row] = group < 0 ? NONE : group * agencyTypes.length + types[row]!;
  }
  return keys;
}

/** Each row's center as the mean of its group's median, by its size, and the center so far, by `weight`. */
function drawTowards(
  center: Float64Array,
  medians: Float64Array,
  { groups, classMin, weight }: { groups: RowGroups; classMin: number; weight: number },
): void {
  for (let group = 0; group < groups.count; group++) {
    const n = groupSize(groups, group);
    // A median of few is mostly the contract itself.
    if (n < classMin) continue;
    const own = n * medians[group]!;
    for (let index = groups.start[group]!; index < groups.start[group + 1]!; index++) {
      const row = groups.rows[index]!;
      center[row] = (own + weight * center[row]!) / (n + weight);
    }
  }
}

function differencesOf(values: Float64Array, centers: Float64Array): Float64Array {
  const differences = new Float64Array(values.length);
  for (let row = 0; row < values.length; row++) differences[row] = values[row]! - centers[row]!;
  return differences;
}

/** The median absolute deviation uses 37 % of what a sample says about its spread. */
const MAD_EFFICIENCY = 0.37;
/** Values are only about log-normal: however many contracts there are, the tail is taken to be heavier than a normal's. */
const FREEDOM_MAX = 25;

type Limits = {
  threshold: number;
  ratioMin: number;
  peersMin: number;
  classMin: number;
  shrinkage: number;
  spreadShrinkage: number;
};

function judge(row: number, peers: Peers, limits: Limits): Verdict {
  const { threshold, ratioMin, peersMin, classMin, shrinkage, spreadShrinkage } = limits;
  const method = groupOfRows(peers.byMethod)[row]!;
  const methodSize = groupSize(peers.byMethod, method);
  if (methodSize < peersMin) return notComputable(`menos de ${peersMin} contratos comparáveis`);
  const itemClass = groupOfRows(peers.byClass)[row]!;
  const classSize = groupSize(peers.byClass, itemClass);
  const isOwn = peers.hasOwnClass[row] === 1;
  const [narrow, within] = [peers.spreadByClass[itemClass]!, peers.spreadWithin[method]!];
  if (narrow === 0 && classSize >= peersMin) return NO_SPREAD;
  const moderated = (classSize * narrow + spreadShrinkage * within) / (classSize + spreadShrinkage);
  const typeSize = groupSize(peers.byType, groupOfRows(peers.byType)[row]!);
  const centered = typeSize >= classMin ? typeSize : classSize;
  // The center is an estimate too: a prediction from few contracts is less certain.
  const spread = (isOwn ? Math.max(narrow, moderated) : narrow) * Math.sqrt(1 + 1 / (centered + shrinkage));
  if (spread === 0) return NO_SPREAD;
  const distance = peers.logarithms[row]! - peers.center[row]!;
  const z = distance / spread;
  if (z <= threshold || distance < Math.log(ratioMin)) return NOT_FIRED;
  // The common spread is known so well that only the class's own part of the blend is uncertain.
  const support = isOwn ? (classSize + spreadShrinkage) ** 2 / classSize : classSize;
  const value = peers.contracts.initialValue[row]!;
  const medianCents = Math.round(Math.exp(peers.center[row]!));
  return fired({
    strength: clamp(0.35 + 0.1 * (z - threshold), 0.35, 0.75) * (isOwn ? 1 : 0.8),
    amountAtRiskCents: value - medianCents,
    pValue: studentUpperTail(z, Math.min(FREEDOM_MAX, MAD_EFFICIENCY * support)),
    describe: () => describe(row, peers, { z, spread, medianCents, classSize, methodSize, threshold }),
  });
}

function describe(
  row: number,
  { contracts, items, center, types, byType, hasOwnClass }: Peers,
  numbers: {
    z: number;
    spread: number;
    medianCents: number;
    classSize: number;
    methodSize: number;
    threshold: number;
  },
) {
  const contract = contractAt(contracts, row);
  const { z, spread, medianCents, classSize, methodSize, threshold } = numbers;
  const value = contracts.initialValue[row]!;
  const itemClass = hasOwnClass[row] === 1 ? itemClassesOf(items).ofContract[row]! : NONE;
  const typeSize = groupSize(byType, groupOfRows(byType)[row]!);
  const largest = largestItem(items, row);
  const total = itemsTotal(items, row);
  const className = itemClass === NONE ? null : itemClassesOf(items).nameOf(itemClass);
  const group = [contract.procurementMethodDetails, ...(className ? [className] : [])].join(" — ");
  return {
    subject: contractSubject(contract),
    reason:
      `O valor inicial, ${formatBrl(value)}, é ${formatDecimal(value / medianCents)} vezes o que custam contratos ` +
      `comparáveis, ${formatBrl(medianCents)} (${group}: ${classSize} contratos, ${methodSize} da modalidade); ` +
      `z robusto ${formatDecimal(z)}.`,
    ...partiesOf(contract),
    formula: "z = (ln(value) − center) / spread; z > threshold; p = P(t ≥ z)",
    facts: [
      fact("value", "Valor inicial", value, "cents"),
      fact("peer_group", "Grupo de comparação", group, "text"),
      fact("peers_class", "Contratos da modalidade e da classe", classSize, "count"),
      fact("peers_method", "Contratos da modalidade", methodSize, "count"),
      fact("peers_type", `Deles, de ${agencyTypeNames[agencyTypes[types[row]!]!]}`, typeSize, "count"),
      fact("median", "Mediana ajustada do grupo", medianCents, "cents"),
      fact("center", "Mediana ajustada do logaritmo do valor em centavos", center[row]!, "score"),
      fact("spread", "Dispersão robusta do logaritmo", spread, "score"),
      fact("z", "Escore z robusto", z, "score"),
      fact("threshold", "Limiar", threshold, "score"),
      ...(total === null ? [] : [fact("items_total", "Soma dos itens (quantidade × preço unitário)", total, "cents")]),
      ...objectFacts(contract),
    ],
    records: [contractRecord(contract), ...(largest === null ? [] : [itemRecord(largest)])],
    legalBasis: inForceOn(legalBasis, contract.signedOn),
  };
}

/** Equal values can leave a rest of rounding behind; a spread below a millionth is none. */
function spreadOf(values: Float64Array, scratch: Float64Array): number {
  const spread = robustSpread(values, scratch);
  return spread < 1e-6 ? 0 : spread;
}

/** One number for each way of writing a method. */
function foldedMethods(contracts: Contracts): Int32Array {
  const byText = new Map<string, number>();
  const byCode = new Int32Array(contracts.codesSize).fill(NONE);
  return contracts.methodDetails.map((code) => {
    if (code === NONE) return NONE;
    if (byCode[code] === NONE) {
      const text = fold(codeText(contracts, code));
      byText.set(text, byText.get(text) ?? byText.size);
      byCode[code] = byText.get(text)!;
    }
    return byCode[code]!;
  });
}

function itemsTotal(items: Items, row: number): number | null {
  const [from, to] = [items.start[row]!, items.start[row + 1]!];
  if (from === to) return null;
  let total = 0;
  for (let index = from; index < to; index++) {
    const line = Math.round(items.quantity[index]! * items.unitPrice[index]!);
    if (Number.isNaN(line)) return null;
    total += line;
  }
  return total;
}

function largestItem(items: Items, row: number) {
  let largest = -1;
  for (let index = items.start[row]!; index < items.start[row + 1]!; index++) {
    if (largest < 0 || lineValue(items, index) > lineValue(items, largest)) largest = index;
  }
  return largest < 0 ? null : items.at(largest);
}

const POWER_OF_TEN_TOLERANCE = 0.0005;

function isPowerOfTenApart(ratio: number): boolean {
  if (ratio <= 0) return false;
  const exponent = Math.round(Math.log10(ratio));
  return exponent !== 0 && Math.abs(ratio / 10 ** exponent - 1) <= POWER_OF_TEN_TOLERANCE;
}
