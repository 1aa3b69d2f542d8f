import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { contractRecord, fact, firstContracts } from "./evidence.ts";
import { exampleContract, exampleDataset } from "./examples.ts";
import { codeText, type Contracts } from "./frame/contracts.ts";
import { dateOf, dayOf, monthIndexOf } from "./frame/days.ts";
import { NONE } from "./frame/dictionary.ts";
import { fisherPeriodicityTest } from "./periodogram.ts";
import { agencyGroupsOf } from "./market-groups.ts";
import { quantileInPlace } from "./statistics.ts";
import { formatDecimal } from "./text.ts";
import { rowsOf } from "./frame/group-rows.ts";
import { answerGroup } from "./tally.ts";
import { fired, notComputable, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [{ norm: "Lei 4.320/1964", article: "arts. 47 e 48", validFrom: "1964-03-17", validTo: null }];

export const spendingCycle = defineDetector({
  id: "spending-cycle",
  version: 1,
  title: "Gasto do órgão com ciclo regular no tempo",
  question: "O valor que o órgão contrata por mês sobe e desce num ciclo que o acaso não explica?",
  subjects: "órgãos",
  method:
    "Série mensal de ln(1 + valor contratado), do primeiro ao último mês do órgão; cada contrato conta no máximo o percentil " +
    "90 do órgão. A série é desfeita da tendência linear e " +
    "da memória de um mês (resíduo autorregressivo de ordem 1), e seu periodograma é testado pelo g exato de Fisher: a " +
    "parte da maior frequência na soma de todas, em quatro grades deslocadas (Bonferroni). Com monthsMin meses e contractsMin contratos, dispara com parte de ao " +
    "menos shareMin e chance aprovada no controle de falsas descobertas. O ciclo de um ano e suas frações são o " +
    "calendário do orçamento: força 0,15; outros, 0,35.",
  legalBasis,
  references: ["Fisher, Tests of Significance in Harmonic Analysis, 1929"],
  exclusions: [
    "Contratos sem data de assinatura ou sem valor.",
    "O mesmo contrato publicado duas vezes conta uma só vez.",
  ],
  assumptions: ["Sem ciclo, o resíduo é aproximadamente um ruído branco."],
  innocentExplanations: [
    "Calendário do orçamento e da liberação de verbas.",
    "Contratações sazonais: safra, período letivo, campanhas de saúde.",
    "Renovações que vencem sempre no mesmo mês.",
  ],
  needs: ["contracts"],
  requires: ["initialValue", "signedOn"],
  concerns: ["agency"],
  params: z.strictObject({
    monthsMin: z.int().min(12).default(24).describe("mínimo de meses da série"),
    contractsMin: z.int().min(12).default(48).describe("mínimo de contratos do órgão"),
    shareMin: z.number().min(0).max(1).default(0.15).describe("parte mínima da maior frequência"),
  }),
  detect: ({ contracts }, params, tally) => {
    const agencies = agencyGroupsOf(contracts);
    for (let group = 0; group < agencies.count; group++) {
      const all = rowsOf(agencies, group);
      const rows = datedAndPriced(contracts, all);
      const id = () => codeText(contracts, contracts.agency[all[0]!]!);
      answerGroup(tally, { id, rows }, judge(contracts, rows, params));
    }
  },
  examples: [
    {
      title: "aponta o gasto que sobe a cada cinco meses durante cinco anos",
      dataset: exampleDataset({ contracts: monthly(60, (month) => (month % 5 === 0 ? 900_000_000 : 1_000_000)) }),
      flags: ["26000"],
    },
    {
      title: "não aponta o gasto que só cresce",
      dataset: exampleDataset({
        contracts: monthly(60, (month) => 1_000_000 * 1.05 ** month * (1 + ((month * month * 7_919) % 101) / 101)),
      }),
      flags: [],
    },
    {
      title: "não calcula com poucos meses",
      dataset: exampleDataset({ contracts: monthly(12, () => 1_000_000) }),
      flags: [],
      notComputable: ["26000"],
    },
  ],
});

const MONTHS_MAX = 600;
/** What exceeds this quantile of the agency's contracts counts as it: one huge contract is no cycle, but would hide one. */
const LARGEST_COUNTED = 0.9;
const YEAR_FRACTIONS = [12, 6, 4, 3, 2.4, 2];
const FRACTION_TOLERANCE = 0.06;

function datedAndPriced({ signedOn, initialValue }: Contracts, rows: Int32Array): Int32Array {
  const kept = new Int32Array(rows.length);
  let count = 0;
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!;
    if (signedOn[row] !== NONE && initialValue[row]! > 0) kept[count++] = row;
  }
  return kept.subarray(0, count);
}

function judge(
  contracts: Contracts,
  rows: Int32Array,
  { monthsMin, contractsMin, shareMin }: { monthsMin: number; contractsMin: number; shareMin: number },
): Verdict {
  if (rows.length < contractsMin) return notComputable(`menos de ${contractsMin} contratos com data e valor`);
  const values = new Float64Array(rows.length);
  const monthOf = new Int32Array(rows.length);
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!;
    const month = monthIndexOf(contracts.signedOn[row]!);
    monthOf[index] = month;
    values[index] = contracts.initialValue[row]!;
    if (month < first) first = month;
    if (month > last) last = month;
  }
  const months = last - first + 1;
  if (months < monthsMin) return notComputable(`menos de ${monthsMin} meses de contratos`);
  if (months > MONTHS_MAX) return notComputable("datas espalhadas por mais de cinquenta anos");
  const totals = new Float64Array(months);
  const cap = quantileInPlace(values.slice(), LARGEST_COUNTED);
  for (let index = 0; index < rows.length; index++) totals[monthOf[index]! - first]! += Math.min(cap, values[index]!);
  const test = fisherPeriodicityTest(totals.map((cents) => Math.log1p(cents / 100)));
  if (test === null) return notComputable("a série não varia");
  if (test.share < shareMin) return NOT_FIRED;
  const isBudgetYear = YEAR_FRACTIONS.some((period) => Math.abs(test.period / period - 1) <= FRACTION_TOLERANCE);
  return fired({
    strength: isBudgetYear ? 0.15 : 0.35,
    // A pattern of the whole series: no single amount is at risk.
    amountAtRiskCents: 0,
    pValue: test.pValue,
    describe: () => {
      const named = firstContracts(contracts, rows);
      const one = named[0]!;
      return {
        subject: { kind: "agency", label: one.agencyName },
        reason:
          `O valor contratado por mês repete um ciclo de ${formatDecimal(test.period)} meses, que responde por ` +
          `${formatDecimal(100 * test.share)} % da variação em ${months} meses` +
          `${isBudgetYear ? "; é uma fração do ano, como o calendário do orçamento" : ""}.`,
        agencyCode: one.agencyCode,
        agencyName: one.agencyName,
        supplierTaxId: null,
        supplierName: null,
        formula: "share = max periodogram / sum of periodogram; p = P(g ≥ share) of Fisher's exact test",
        facts: [
          fact("period", "Ciclo, em meses", test.period, "ratio"),
          fact("share", "Parte da variação nesse ciclo", test.share, "share"),
          fact("months", "Meses da série", months, "count"),
          fact("contracts", "Contratos na série", rows.length, "count"),
          fact("frequencies", "Frequências testadas", test.frequencies, "count"),
        ],
        records: named.map(contractRecord),
        legalBasis,
      };
    },
  });
}

function monthly(months: number, valueOf: (month: number) => number) {
  return Array.from({ length: months }, (_, month) =>
    exampleContract(`c${month}`, {
      signedOn: dateOf(dayOf("2018-01-10") + Math.round(month * 30.4375)),
      initialValueCents: Math.round(valueOf(month)),
    }),
  );
}
