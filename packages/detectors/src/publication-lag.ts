import { addBusinessDays, businessDaysBetween } from "@cidadao/domain/business-days";
import { formatDate } from "@cidadao/domain/dates";
import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { contractRecord, contractSubject, fact, inForceOn, partiesOf } from "./evidence.ts";
import { exampleContract, exampleDataset, exampleKey } from "./examples.ts";
import { contractAt, type Contracts, methodCodes, supplierKindCodes } from "./frame/contracts.ts";
import {
  civilFromDays,
  dateOf,
  dayOf,
  daysFromCivil,
  type Day,
  createDayTable,
  type DayTable,
  onDay,
} from "./frame/days.ts";
import { NONE } from "./frame/dictionary.ts";
import { clamp } from "./score.ts";
import { plural } from "./text.ts";
import { answerContract } from "./tally.ts";
import { excluded, fired, notComputable, NOT_FIRED, type Verdict, type FlagDescription } from "./verdict.ts";

const legalBasis = [
  { norm: "Lei 14.133/2021", article: "art. 94", validFrom: "2021-04-01", validTo: null },
  { norm: "Lei 8.666/1993", article: "art. 61, parágrafo único", validFrom: "1993-06-22", validTo: "2023-12-30" },
];

export const publicationLag = defineDetector({
  id: "publication-lag",
  version: 1,
  title: "Contrato publicado depois do prazo legal",
  question: "O contrato foi publicado depois do prazo que a lei dá, condição para que produza efeitos?",
  subjects: "contratos",
  method:
    "Prazo da Lei 14.133, em dias úteis depois da assinatura: tenderDays com licitação, directDays em contratação " +
    "direta. Prazo da Lei 8.666: vinte dias depois do quinto dia útil do mês seguinte ao da assinatura. Até 30/12/2023 " +
    "os dois regimes conviviam e o regime quase nunca é publicado: vale o prazo mais folgado. Aponta a publicação " +
    "posterior ao prazo. A força da evidência vai de 0,15, no dia seguinte ao prazo, a 0,35, três meses depois dele. " +
    "A base são dias úteis nacionais, sem os pontos facultativos.",
  legalBasis,
  references: ["OCP Red Flags R063"],
  exclusions: [
    "Atraso de mais de um ano: carga tardia de contratos antigos no sistema.",
    "Publicação anterior à assinatura: erro de data.",
    "Contrato sob sigilo.",
  ],
  assumptions: ["A data de publicação da fonte é a da primeira publicação oficial."],
  innocentExplanations: [
    "Republicação por correção: a data publicada é a da segunda vez.",
    "Carga em lote no sistema, com publicação tempestiva em outro diário.",
    "Município de até vinte mil habitantes, com prazo de adaptação até 2027 (art. 176).",
  ],
  needs: ["contracts"],
  requires: ["signedOn", "publishedOn"],
  concerns: ["contract", "agency"],
  params: z.strictObject({
    tenderDays: z.int().positive().default(20).describe("dias úteis depois de licitação"),
    directDays: z.int().positive().default(10).describe("dias úteis depois de contratação direta"),
    loadingDaysMin: z.int().positive().default(365).describe("dias a partir dos quais o atraso é carga tardia"),
  }),
  detect: ({ contracts }, params, tally) => {
    const deadlines = deadlinesOf(params);
    for (let row = 0; row < contracts.size; row++) answerContract(tally, row, judge(contracts, row, deadlines, params));
  },
  examples: [
    {
      title: "aponta a publicação no 30º dia útil e deixa em paz a do 20º",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1", { signedOn: "2024-03-01", publishedOn: "2024-04-15" }),
          exampleContract("c2", { signedOn: "2024-03-01", publishedOn: "2024-04-01" }),
        ],
      }),
      flags: [exampleKey("c1")],
    },
    {
      title: "dá dez dias úteis à contratação direta",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1", { signedOn: "2024-03-01", publishedOn: "2024-03-25", procurementMethod: "direct" }),
          exampleContract("c2", { signedOn: "2024-03-01", publishedOn: "2024-03-15", procurementMethod: "direct" }),
        ],
      }),
      flags: [exampleKey("c1")],
    },
    {
      title: "dá ao contrato de 2023 o prazo mais folgado dos dois regimes",
      dataset: exampleDataset({
        contracts: [exampleContract("c1", { signedOn: "2023-08-01", publishedOn: "2023-09-20" })],
      }),
      flags: [],
    },
    {
      title: "não calcula sem data e exclui a carga tardia e a data impossível",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1", { publishedOn: null }),
          exampleContract("c2", { signedOn: "2022-01-03", publishedOn: "2024-01-10" }),
          exampleContract("c3", { signedOn: "2024-01-10", publishedOn: "2024-01-03" }),
        ],
      }),
      flags: [],
      notComputable: [exampleKey("c1")],
      excluded: [exampleKey("c2"), exampleKey("c3")],
    },
  ],
});

const NO_DATES = notComputable("sem data de assinatura ou de publicação");
const NO_METHOD = notComputable("modalidade não informada: prazo desconhecido");
const LOADED_LATE = excluded("atraso de mais de um ano: carga tardia de contrato antigo");
const BEFORE_SIGNATURE = excluded("erro de data: publicado antes da assinatura");
const SECRET = excluded("fornecedor sob sigilo");

type Limits = { tenderDays: number; directDays: number; loadingDaysMin: number };
/** The last day in time, by the day of signature. */
type Deadlines = { tender: DayTable; direct: DayTable };

function judge(contracts: Contracts, row: number, deadlines: Deadlines, limits: Limits): Verdict {
  const [signedOn, publishedOn] = [contracts.signedOn[row]!, contracts.publishedOn[row]!];
  if (contracts.supplierKind[row] === supplierKindCodes.secret) return SECRET;
  if (signedOn === NONE || publishedOn === NONE) return NO_DATES;
  if (publishedOn < signedOn) return BEFORE_SIGNATURE;
  if (publishedOn - signedOn > limits.loadingDaysMin) return LOADED_LATE;
  const method = contracts.method[row]!;
  if (publishedOn <= onDay(deadlines.direct, signedOn)) return NOT_FIRED;
  const latest = onDay(deadlines.tender, signedOn);
  if (method === methodCodes.unknown && publishedOn <= latest) return NO_METHOD;
  const deadline = method === methodCodes.direct ? onDay(deadlines.direct, signedOn) : latest;
  if (publishedOn <= deadline) return NOT_FIRED;
  return raise(contracts, row, deadline);
}

function raise(contracts: Contracts, row: number, deadline: Day): Verdict {
  const daysLate = contracts.publishedOn[row]! - deadline;
  const value = contracts.initialValue[row]!;
  return fired({
    strength: 0.15 + 0.2 * clamp(daysLate / 90, 0, 1),
    amountAtRiskCents: value > 0 ? value : 0,
    pValue: null,
    describe: () => describe(contracts, row, deadline),
  });
}

function describe(contracts: Contracts, row: number, deadline: Day): FlagDescription {
  const [signedOn, publishedOn] = [contracts.signedOn[row]!, contracts.publishedOn[row]!];
  const daysLate = publishedOn - deadline;
  const contract = contractAt(contracts, row);
  return {
    subject: contractSubject(contract),
    reason:
      `Assinado em ${formatDate(contract.signedOn!)} e publicado em ${formatDate(contract.publishedOn!)}, ` +
      `${plural(daysLate, "dia", "dias")} depois do prazo legal de ${formatDate(dateOf(deadline)!)}.`,
    ...partiesOf(contract),
    formula: "days_late = published_on − deadline; days_late > 0",
    facts: [
      fact("signed_on", "Assinatura", contract.signedOn!, "date"),
      fact("published_on", "Publicação", contract.publishedOn!, "date"),
      fact("deadline", "Prazo legal mais folgado", dateOf(deadline)!, "date"),
      fact("days_late", "Dias depois do prazo", daysLate, "days"),
      fact(
        "business_days",
        "Dias úteis da assinatura à publicação",
        businessDaysBetween(signedOn, publishedOn),
        "days",
      ),
    ],
    records: [contractRecord(contract)],
    legalBasis: inForceOn(legalBasis, contract.signedOn),
  };
}

const NEW_LAW = dayOf("2021-04-01");
const OLD_LAW_ENDS = dayOf("2023-12-30");

/** The latest day of publication that any law in force on the day of signature allows, with so many business days. */
const deadlinesAfter = (businessDays: number) =>
  createDayTable((signedOn) =>
    Math.max(
      signedOn >= NEW_LAW ? addBusinessDays(signedOn, businessDays) : Number.NEGATIVE_INFINITY,
      signedOn <= OLD_LAW_ENDS ? deadlineOfOldLaw(signedOn) : Number.NEGATIVE_INFINITY,
    ),
  );

function deadlinesOf({ tenderDays, directDays }: Limits): Deadlines {
  return { tender: deadlinesAfter(tenderDays), direct: deadlinesAfter(directDays) };
}

/** Sent for publication by the fifth business day of the next month, published within twenty days of it. */
function deadlineOfOldLaw(signedOn: Day): Day {
  const { year, month } = civilFromDays(signedOn);
  const nextMonth = month === 12 ? daysFromCivil(year + 1, 1, 1) : daysFromCivil(year, month + 1, 1);
  return addBusinessDays(nextMonth - 1, 5) + 20;
}
