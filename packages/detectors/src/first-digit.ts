import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { contractRecord, fact, firstContracts } from "./evidence.ts";
import { exampleContract, exampleDataset } from "./examples.ts";
import { codeText, type Contracts } from "./frame/contracts.ts";
import { agencyGroupsOf } from "./market-groups.ts";
import { clamp } from "./score.ts";
import { formatDecimal } from "./text.ts";
import { rowsOf } from "./frame/group-rows.ts";
import { answerGroup } from "./tally.ts";
import { fired, notComputable, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [
  { norm: "Constituição Federal", article: "art. 37, caput", validFrom: "1988-10-05", validTo: null },
];

export const firstDigit = defineDetector({
  id: "first-digit",
  version: 1,
  title: "Primeiros dígitos dos valores fora da lei de Benford",
  question: "Os primeiros dígitos dos valores do órgão diferem muito do que valores espontâneos mostram?",
  subjects: "órgãos",
  method:
    "Conta o primeiro algarismo dos valores iniciais de ao menos R$ 10. MAD é a média, de 1 a 9, de |parte observada − " +
    "log₁₀(1 + 1/d)|. Só é calculado com valuesMin valores que se espalham por ao menos três ordens de grandeza; abaixo " +
    "disso o próprio acaso passa do limite. Dispara com MAD acima de madMax (não conforme, na escala de Nigrini), se o " +
    "acaso não a explica: o qui-quadrado dá a chance, que passa pelo controle de falsas descobertas. Sozinho ele não " +
    "dispara: com muitos valores recusa qualquer coisa. Diz respeito ao conjunto, nunca a um contrato: força 0,2 a 0,35.",
  legalBasis,
  references: ["OCP Red Flags R029", "Nigrini, Benford's Law, 2012"],
  exclusions: ["Valores ausentes ou abaixo de R$ 10.", "O mesmo contrato publicado duas vezes conta uma só vez."],
  assumptions: ["Valores de contratos de um órgão variado seguem aproximadamente a lei de Benford."],
  innocentExplanations: [
    "Limites legais e preços de tabela, que acumulam valores.",
    "O órgão repete um mesmo contrato-padrão muitas vezes.",
    "Mistura de poucas classes de contratação.",
  ],
  needs: ["contracts"],
  requires: ["initialValue"],
  concerns: ["agency"],
  params: z.strictObject({
    valuesMin: z.int().min(100).default(500).describe("mínimo de valores"),
    madMax: z.number().positive().default(0.015).describe("diferença média absoluta acima da qual se aponta"),
  }),
  detect: ({ contracts }, params, tally) => {
    const agencies = agencyGroupsOf(contracts);
    for (let group = 0; group < agencies.count; group++) {
      const rows = rowsOf(agencies, group);
      const id = () => codeText(contracts, contracts.agency[rows[0]!]!);
      answerGroup(tally, { id, rows }, judge(contracts, rows, params));
    }
  },
  examples: [
    {
      title: "aponta o órgão cujos valores começam quase todos por 4 e 5",
      dataset: exampleDataset({
        contracts: spread(600, (index) => Math.round((4 + (index % 19) / 10) * 10 ** (4 + (index % 4)))),
      }),
      flags: ["26000"],
    },
    {
      title: "não aponta valores espalhados por igual na escala do logaritmo",
      dataset: exampleDataset({ contracts: spread(900, (index) => Math.round(10 ** (4 + (4 * index) / 900))) }),
      flags: [],
    },
    {
      title: "não calcula com poucos valores",
      dataset: exampleDataset({ contracts: spread(50, () => 5_000_000) }),
      flags: [],
      notComputable: ["26000"],
    },
  ],
});

const VALUE_MIN_CENTS = 1_000;
const ORDERS_MIN = 3;
const EXPECTED = Array.from({ length: 9 }, (_, index) => Math.log10(1 + 1 / (index + 1)));

/** Benford's law over the first digits of amounts in cents of at least R$ 10; `counts[0]` counts the ones. */
export function firstDigitsOf(amounts: Float64Array): { counts: number[]; total: number; orders: number } {
  const counts = Array.from({ length: 9 }, () => 0);
  let total = 0;
  let [smallest, largest] = [Number.POSITIVE_INFINITY, 0];
  for (const amount of amounts) {
    if (!(amount >= VALUE_MIN_CENTS)) continue;
    let digit = amount;
    while (digit >= 10) digit /= 10;
    counts[Math.floor(digit) - 1]!++;
    total++;
    if (amount < smallest) smallest = amount;
    if (amount > largest) largest = amount;
  }
  return { counts, total, orders: total === 0 ? 0 : Math.log10(largest / smallest) };
}

/** Mean absolute deviation from Benford's shares, and χ² with 8 degrees of freedom. */
export function benfordFit(counts: readonly number[]): { mad: number; chiSquare: number } {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const mad = counts.reduce((sum, count, index) => sum + Math.abs(count / total - EXPECTED[index]!), 0) / 9;
  const chiSquare = counts.reduce((sum, count, index) => {
    const expected = total * EXPECTED[index]!;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
  return { mad, chiSquare };
}

/** P(χ² ≥ `chiSquare`) with 8 degrees of freedom: for an even number of them the tail is a finite sum. */
export function chiSquareUpperTail(chiSquare: number): number {
  const half = chiSquare / 2;
  return Math.exp(-half) * (1 + half + half ** 2 / 2 + half ** 3 / 6);
}

function judge(
  contracts: Contracts,
  rows: Int32Array,
  { valuesMin, madMax }: { valuesMin: number; madMax: number },
): Verdict {
  if (rows.length < valuesMin) return notComputable(`menos de ${valuesMin} valores`);
  const { counts, total, orders } = firstDigitsOf(valuesOf(contracts, rows));
  if (total < valuesMin) return notComputable(`menos de ${valuesMin} valores`);
  if (orders < ORDERS_MIN) return notComputable("valores dentro de menos de três ordens de grandeza");
  const { mad, chiSquare } = benfordFit(counts);
  if (mad <= madMax) return NOT_FIRED;
  return fired({
    strength: clamp(0.2 + 5 * (mad - madMax), 0.2, 0.35),
    // A pattern of a set: no single amount is at risk.
    amountAtRiskCents: 0,
    pValue: chiSquareUpperTail(chiSquare),
    describe: () => {
      const named = firstContracts(contracts, rows);
      const first = named[0]!;
      return {
        subject: { kind: "agency", label: first.agencyName },
        reason:
          `Os primeiros dígitos de ${total} valores diferem em média ${formatDecimal(100 * mad)} pontos percentuais da lei ` +
          `de Benford, acima de ${formatDecimal(100 * madMax)}.`,
        agencyCode: first.agencyCode,
        agencyName: first.agencyName,
        supplierTaxId: null,
        supplierName: null,
        formula:
          "mad = mean over d of |count_d / values − log10(1 + 1/d)|; mad > mad_max; p_value = P(χ²₈ ≥ chi_square)",
        facts: [
          fact("values", "Valores contados", total, "count"),
          fact("mad", "Diferença média absoluta (MAD)", mad, "score"),
          fact("mad_max", "Limite", madMax, "score"),
          fact("chi_square", "Qui-quadrado, 8 graus de liberdade", chiSquare, "score"),
          ...counts.map((count, index) => fact(`digit_${index + 1}`, `Começam por ${index + 1}`, count, "count")),
        ],
        records: named.map(contractRecord),
        legalBasis,
      };
    },
  });
}

function valuesOf({ initialValue }: Contracts, rows: Int32Array): Float64Array {
  const values = new Float64Array(rows.length);
  for (let index = 0; index < rows.length; index++) values[index] = initialValue[rows[index]!]!;
  return values;
}

function spread(count: number, valueOf: (index: number) => number) {
  return Array.from({ length: count }, (_, index) =>
    exampleContract(`c${index}`, { initialValueCents: valueOf(index) }),
  );
}
