import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { contractRecord, fact, firstContracts } from "./evidence.ts";
import { EXAMPLE_CNPJS, exampleContract, exampleDataset } from "./examples.ts";
import { codeText, type Contracts, supplierKindCodes, supplierText } from "./frame/contracts.ts";
import { firstRow, groupSize, keepRows, rowsOf } from "./frame/group-rows.ts";
import { agencySellerGroupsOf } from "./market-groups.ts";
import { clamp } from "./score.ts";
import { isWithSupportFoundation } from "./support-foundation.ts";
import { binomialUpperTail } from "./statistics.ts";
import { formatShare } from "./text.ts";
import { answerOneOf } from "./tally.ts";
import { excluded, fired, notComputable, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [{ norm: "Lei 14.133/2021", article: "art. 23", validFrom: "2021-04-01", validTo: null }];

export const roundNumber = defineDetector({
  id: "round-number",
  version: 1,
  title: "Valores redondos em excesso",
  question: "O fornecedor recebe do órgão valores redondos com frequência muito maior que a dos demais contratos?",
  subjects: "pares órgão e fornecedor",
  method:
    "É redondo o valor inicial de ao menos valueMinCents que tem " +
    "no máximo dois algarismos, seguidos só de zeros. Compara a parte de valores redondos do par com a de todos os outros " +
    "contratos da mesma análise, por chance binomial exata. Dispara com contractsMin contratos, parte redonda de ao menos " +
    "shareMin e o dobro da geral, e chance aprovada no controle de falsas descobertas. Preço apurado de custos raramente é " +
    "redondo; estimativa e verba, sim. A força da evidência vai de 0,25 a 0,45.",
  legalBasis,
  references: ["OCP Red Flags R029", "Nigrini, Benford's Law, 2012 (cap. sobre números redondos)"],
  exclusions: [
    "Fornecedor sem CNPJ publicado, e fundação de apoio, cujos repasses têm valor fixado.",
    "Valores abaixo de valueMinCents, em que o redondo é comum.",
    "O mesmo contrato publicado duas vezes conta uma só vez.",
  ],
  assumptions: ["Os outros contratos da análise mostram com que frequência valores são redondos por si."],
  innocentExplanations: [
    "Valor fixado por edital, credenciamento, bolsa ou patrocínio.",
    "Contrato por estimativa, com teto redondo.",
    "Preço de tabela ou mensalidade redonda.",
  ],
  needs: ["contracts"],
  requires: ["initialValue", "supplierTaxId"],
  concerns: ["supplier", "agency"],
  params: z.strictObject({
    contractsMin: z.int().min(3).default(8).describe("mínimo de contratos do par"),
    shareMin: z.number().min(0).max(1).default(0.5).describe("parte mínima de valores redondos"),
    valueMinCents: z.int().positive().default(1_000_000).describe("menor valor que se conta, em centavos"),
  }),
  detect: ({ contracts }, params, tally) => {
    const counted = contracts.supplierKind.map((kind, row) =>
      Number(kind === supplierKindCodes.company && contracts.initialValue[row]! >= params.valueMinCents),
    );
    const pairs = keepRows(agencySellerGroupsOf(contracts), counted);
    const whole = { round: 0, total: pairs.rows.length };
    for (const row of pairs.rows) if (isRound(contracts.initialValue[row]!)) whole.round++;
    const few = notComputable(`menos de ${params.contractsMin} contratos do par`);
    const idOf = (pair: number) => {
      const first = firstRow(pairs, pair);
      return `${codeText(contracts, contracts.agency[first]!)}/${supplierText(contracts, contracts.supplier[first]!)}`;
    };
    for (let pair = 0; pair < pairs.count; pair++) {
      const isFew = groupSize(pairs, pair) < params.contractsMin;
      const verdict = isFew ? few : judge(contracts, { rows: rowsOf(pairs, pair), whole }, params);
      answerOneOf(tally, { groups: pairs, idOf }, pair, verdict);
    }
  },
  examples: [
    {
      title: "aponta o fornecedor de dez contratos redondos entre cem quebrados",
      dataset: exampleDataset({
        contracts: [
          ...Array.from({ length: 10 }, (_, index) => priced(`r${index}`, (10 + index) * 1_000_000, EXAMPLE_CNPJS[0])),
          ...Array.from({ length: 100 }, (_, index) =>
            priced(`q${index}`, 1_234_567 + 98_765 * index, EXAMPLE_CNPJS[2 + (index % 3)]!),
          ),
        ],
      }),
      flags: [`26000/${EXAMPLE_CNPJS[0]}`],
    },
    {
      title: "não aponta quem tem valores redondos como todos",
      dataset: exampleDataset({
        contracts: Array.from({ length: 40 }, (_, index) =>
          priced(`r${index}`, (10 + index) * 1_000_000, EXAMPLE_CNPJS[index % 2 === 0 ? 0 : 2]),
        ),
      }),
      flags: [],
    },
    {
      title: "não calcula com poucos contratos",
      dataset: exampleDataset({ contracts: [priced("c1", 5_000_000, EXAMPLE_CNPJS[0])] }),
      flags: [],
      notComputable: [`26000/${EXAMPLE_CNPJS[0]}`],
    },
  ],
});

/** At most two digits followed by nothing but zeros: R$ 50.000,00, R$ 1.200.000,00. */
function isRound(cents: number): boolean {
  let unit = 1;
  while (unit * 100 <= cents) unit *= 10;
  return cents % unit === 0;
}

const FOUNDATION = excluded("fundação de apoio: repasses de valor fixado pelo projeto");

type Pair = { rows: Int32Array; whole: { round: number; total: number } };

function judge(contracts: Contracts, { rows, whole }: Pair, { shareMin }: { shareMin: number }): Verdict {
  const round = rows.filter((row) => isRound(contracts.initialValue[row]!));
  const rest = { round: whole.round - round.length, total: whole.total - rows.length };
  const expected = (rest.round + 1) / (rest.total + 2);
  const share = round.length / rows.length;
  if (share < shareMin || share < 2 * expected) return NOT_FIRED;
  if (isWithSupportFoundation(contracts, rows[0]!)) return FOUNDATION;
  const amount = round.reduce((sum, row) => sum + contracts.initialValue[row]!, 0);
  return fired({
    strength: clamp(0.25 + 0.4 * (share - shareMin), 0.25, 0.45),
    amountAtRiskCents: amount,
    pValue: binomialUpperTail(round.length, rows.length, expected),
    describe: () => {
      const named = firstContracts(contracts, round);
      const first = named[0]!;
      return {
        subject: { kind: "supplier", label: `${first.supplierName} em ${first.agencyName}` },
        reason:
          `${round.length} dos ${rows.length} contratos do fornecedor com o órgão têm valor redondo (${formatShare(share)}); ` +
          `nos demais contratos, ${formatShare(expected)}.`,
        agencyCode: first.agencyCode,
        agencyName: first.agencyName,
        supplierTaxId: first.supplierTaxId,
        supplierName: first.supplierName,
        formula: "share = round / contracts; p = P(X ≥ round), X ~ Bin(contracts, expected)",
        facts: [
          fact("round", "Contratos de valor redondo", round.length, "count"),
          fact("contracts", "Contratos do par", rows.length, "count"),
          fact("share", "Parte redonda", share, "share"),
          fact("expected", "Parte redonda nos outros contratos", expected, "share"),
        ],
        records: named.map(contractRecord),
        legalBasis,
      };
    },
  });
}

function priced(id: string, initialValueCents: number, cnpj: string) {
  return exampleContract(id, { initialValueCents, supplierId: cnpj, supplierTaxId: cnpj });
}
