import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { contractRecord, fact, firstContracts } from "./evidence.ts";
import { exampleContract, exampleDataset } from "./examples.ts";
import { codeText, type Contracts } from "./frame/contracts.ts";
import { civilFromDays, monthIndexOf, yearOf } from "./frame/days.ts";
import { NONE } from "./frame/dictionary.ts";
import { type RowGroups, rowsOf, splitGroups } from "./frame/group-rows.ts";
import { agencyGroupsOf, yearsSignedOf } from "./market-groups.ts";
import { clamp } from "./score.ts";
import { hypergeometricUpperTail } from "./statistics.ts";
import { formatShare } from "./text.ts";
import { answerGroup } from "./tally.ts";
import { fired, notComputable, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [
  { norm: "Lei 4.320/1964", article: "arts. 34 a 36", validFrom: "1964-03-17", validTo: null },
  { norm: "Constituição Federal", article: "art. 37, caput (eficiência)", validFrom: "1998-06-05", validTo: null },
];

export const decemberRush = defineDetector({
  id: "december-rush",
  version: 1,
  title: "Corrida de contratos no fim de dezembro",
  question: "O órgão assinou no fim de dezembro uma parte dos contratos do ano muito maior que a dos anos anteriores?",
  subjects: "pares órgão e ano",
  method:
    "Parte dos contratos do ano assinada de fromDay de dezembro em diante, contra a média dos anos anteriores do mesmo " +
    "órgão. Só é calculada com contractsMin contratos no ano e yearsMin anos anteriores de ao menos dez contratos. " +
    "Dispara com parte acima da média mais duas dispersões dos anos anteriores, ao menos uma vez e meia a média, e chance exata " +
    "de Fisher, do ano contra os anteriores juntos, aprovada no controle de falsas descobertas. A força da evidência vai de 0,3 a 0,5.",
  legalBasis,
  references: ["Liebman & Mahoney, Do Expiring Budgets Lead to Wasteful Year-End Spending?, 2017"],
  exclusions: ["Contratos sem data de assinatura.", "O mesmo contrato publicado duas vezes conta uma só vez."],
  assumptions: [
    "Os contratos lidos cobrem o ano inteiro do órgão; uma leitura de poucos meses não diz nada.",
    "A parte de dezembro dos anos anteriores é o costume do órgão.",
  ],
  innocentExplanations: [
    "Liberação tardia de verbas ou emendas.",
    "Renovação de contratos contínuos que vencem em 31 de dezembro.",
    "Mudança de sistema ou de lei que antecipa assinaturas, como a do fim de 2023.",
  ],
  needs: ["contracts"],
  requires: ["signedOn"],
  concerns: ["agency"],
  params: z.strictObject({
    contractsMin: z.int().min(10).default(30).describe("mínimo de contratos no ano"),
    yearsMin: z.int().min(2).default(3).describe("mínimo de anos anteriores"),
    fromDay: z.int().min(1).max(31).default(20).describe("primeiro dia de dezembro que conta"),
  }),
  detect: ({ contracts }, params, tally) => {
    const yearsSigned = yearsSignedOf(contracts);
    const years = splitGroups(
      agencyGroupsOf(contracts),
      yearsSigned.map((year, row) => (contracts.signedOn[row] === NONE ? -1 : year)),
    );
    for (const agencyYears of yearsByAgency(contracts, years, params.fromDay)) {
      const agency = codeText(contracts, contracts.agency[agencyYears[0]!.rows[0]!]!);
      for (const [index, year] of agencyYears.entries()) {
        const id = () => `${agency}/${year.year}`;
        const earlier = agencyYears.slice(0, index).filter(({ rows }) => rows.length >= EARLIER_CONTRACTS_MIN);
        answerGroup(tally, { id, rows: year.rows }, judge(contracts, { year, earlier }, params));
      }
    }
  },
  examples: [
    {
      title: "aponta o ano em que metade dos contratos saiu depois de 20 de dezembro",
      dataset: exampleDataset({
        contracts: [2019, 2020, 2021].flatMap((year) => signed(year, 2)).concat(signed(2022, 20)),
      }),
      flags: ["26000/2022"],
      notComputable: ["26000/2019", "26000/2020", "26000/2021"],
    },
    {
      title: "não aponta o ano igual aos anteriores",
      dataset: exampleDataset({ contracts: [2019, 2020, 2021, 2022].flatMap((year) => signed(year, 8)) }),
      flags: [],
      notComputable: ["26000/2019", "26000/2020", "26000/2021"],
    },
  ],
});

const EARLIER_CONTRACTS_MIN = 10;

type Year = { year: number; rows: Int32Array; late: number[] };

/** The years of each agency, ascending. */
function yearsByAgency(contracts: Contracts, years: RowGroups, fromDay: number): Iterable<Year[]> {
  const byAgency = new Map<number, Year[]>();
  for (let group = 0; group < years.count; group++) {
    const rows = rowsOf(years, group);
    const late: number[] = [];
    for (const row of rows) if (isLate(contracts.signedOn[row]!, fromDay)) late.push(row);
    const agency = contracts.agency[rows[0]!]!;
    const own = byAgency.get(agency) ?? [];
    byAgency.set(agency, own);
    own.push({ year: yearOf(contracts.signedOn[rows[0]!]!), rows, late });
  }
  for (const own of byAgency.values()) own.sort((a, b) => a.year - b.year);
  return byAgency.values();
}

function isLate(day: number, fromDay: number): boolean {
  return monthIndexOf(day) % 12 === DECEMBER && civilFromDays(day).dayOfMonth >= fromDay;
}

const DECEMBER = 11;

function judge(
  contracts: Contracts,
  { year, earlier }: { year: Year; earlier: Year[] },
  { contractsMin, yearsMin, fromDay }: { contractsMin: number; yearsMin: number; fromDay: number },
): Verdict {
  if (year.rows.length < contractsMin) return notComputable(`menos de ${contractsMin} contratos no ano`);
  if (earlier.length < yearsMin) return notComputable(`menos de ${yearsMin} anos anteriores para comparar`);
  const shares = earlier.map(({ rows, late }) => late.length / rows.length);
  const before = earlier.reduce(
    (sum, { rows, late }) => ({ rows: sum.rows + rows.length, late: sum.late + late.length }),
    {
      rows: 0,
      late: 0,
    },
  );
  const expected = (before.late + 1) / (before.rows + 2);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const deviation = Math.sqrt(shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / (shares.length - 1));
  const share = year.late.length / year.rows.length;
  if (share <= mean + 2 * deviation || share < 1.5 * expected) return NOT_FIRED;
  const amount = year.late.reduce((sum, row) => sum + Math.max(0, contracts.initialValue[row]! || 0), 0);
  return fired({
    strength: clamp(0.3 + 0.05 * (share / expected - 1.5), 0.3, 0.5),
    amountAtRiskCents: Math.round(amount * (1 - expected / share)),
    // Fisher's exact test: the share of a few earlier years is itself an estimate.
    pValue: hypergeometricUpperTail(year.late.length, {
      population: year.rows.length + before.rows,
      marked: year.late.length + before.late,
      drawn: year.rows.length,
    }),
    describe: () => {
      const named = firstContracts(contracts, year.late);
      const first = named[0]!;
      return {
        subject: { kind: "agency", label: `${first.agencyName}, ${year.year}` },
        reason:
          `${year.late.length} dos ${year.rows.length} contratos de ${year.year} foram assinados de ${fromDay} de dezembro em ` +
          `diante (${formatShare(share)}); nos ${earlier.length} anos anteriores, ${formatShare(expected)}.`,
        agencyCode: first.agencyCode,
        agencyName: first.agencyName,
        supplierTaxId: null,
        supplierName: null,
        formula:
          "share = late / contracts; share > mean + 2 × deviation; p = P(X ≥ late), X ~ Hypergeometric(contracts + contracts_before, late + late_before, contracts)",
        facts: [
          fact("late", "Contratos do fim de dezembro", year.late.length, "count"),
          fact("contracts", "Contratos do ano", year.rows.length, "count"),
          fact("share", "Parte do fim de dezembro", share, "share"),
          fact("late_before", "Contratos do fim de dezembro nos anos anteriores", before.late, "count"),
          fact("contracts_before", "Contratos dos anos anteriores", before.rows, "count"),
          fact("expected", "Parte nos anos anteriores", expected, "share"),
          fact("mean", "Média das partes anuais anteriores", mean, "share"),
          fact("deviation", "Dispersão das partes anuais anteriores", deviation, "share"),
          fact("years", "Anos anteriores comparados", earlier.length, "count"),
        ],
        records: named.map(contractRecord),
        legalBasis,
      };
    },
  });
}

function signed(year: number, late: number) {
  return Array.from({ length: 40 }, (_, index) =>
    exampleContract(`${year}-${index}`, {
      signedOn: index < late ? `${year}-12-28` : `${year}-${String(1 + (index % 11)).padStart(2, "0")}-10`,
    }),
  );
}
