import type { Amendment } from "@cidadao/domain/contract";
import { formatDate } from "@cidadao/domain/dates";
import { formatBrl } from "@cidadao/domain/money";
import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { contractRecord, contractSubject, fact, inForceOn, objectFacts, partiesOf } from "./evidence.ts";
import { exampleAmendment, exampleContract, exampleDataset, exampleKey } from "./examples.ts";
import { contractAt, type Contracts, objectText } from "./frame/contracts.ts";
import { dateOf } from "./frame/days.ts";
import { NONE } from "./frame/dictionary.ts";
import { type Amendments, amendmentsOf } from "./frame/frame.ts";
import { clamp } from "./score.ts";
import { fold, formatDecimal, plural } from "./text.ts";
import { answerContract } from "./tally.ts";
import { excluded, fired, notComputable, notFired, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [
  { norm: "Lei 14.133/2021", article: "arts. 105 a 107", validFrom: "2021-04-01", validTo: null },
  { norm: "Lei 8.666/1993", article: "art. 57, II e §4º", validFrom: "1993-06-22", validTo: "2023-12-30" },
];

export const contractTerm = defineDetector({
  id: "contract-term",
  version: 1,
  title: "Vigência curta, negativa ou acima do que a lei admite",
  question: "A vigência termina antes de começar, dura poucos dias ou passa do prazo inicial que a lei admite?",
  subjects: "contratos",
  method:
    "Vigência = fim − início, em dias. Aponta o fim anterior ao início (força 0,3: costuma ser erro de digitação), a " +
    "vigência de até shortDaysMax dias em contrato de ao menos shortValueMinCents (força 0,3), e a vigência inicial " +
    "maior que longYears anos mais a tolerância de toleranceDays dias (força 0,45, que cresce até 0,75 quando dobra o " +
    "limite). Quando um termo aditivo publicado prorroga o contrato, a vigência publicada é a soma, e o limite é de wholeYears anos. " +
    "Acima de errorYears anos é antes erro de digitação: força 0,3, sem valor em jogo. Cinco anos é o teto inicial dos serviços contínuos nas duas leis.",
  legalBasis,
  references: ["Lei 14.133/2021, arts. 106, 107, 109, 110 e 114"],
  exclusions: [
    "Objetos com prazo próprio em lei ou sem prazo: energia, água, esgoto, correios, locação de imóvel, concessão, " +
      "cessão, convênio, sistemas estruturantes de tecnologia; e obras, que terminam com o seu objeto (art. 111).",
    "Objeto sob sigilo.",
  ],
  assumptions: [
    "As datas publicadas são a vigência inicial; onde a fonte publica a vigência já prorrogada, o prazo inclui prorrogações.",
  ],
  innocentExplanations: [
    "Data digitada errada no cadastro.",
    "Serviço único ou entrega imediata, executado em um dia.",
    "Vigência publicada já com prorrogações que a lei admite, cujo termo não foi publicado.",
    "Contrato que gera investimento ou receita, com prazo próprio (art. 110).",
  ],
  needs: ["contracts", "amendments"],
  requires: ["startsOn", "endsOn"],
  concerns: ["contract", "supplier", "agency"],
  params: z.strictObject({
    longYears: z.number().positive().default(5).describe("anos de vigência inicial acima dos quais se aponta"),
    toleranceDays: z.int().min(0).default(31).describe("dias a mais que não contam"),
    wholeYears: z.number().positive().default(10).describe("anos de vigência com as prorrogações"),
    errorYears: z.number().positive().default(20).describe("anos acima dos quais se supõe erro de digitação"),
    shortDaysMax: z.int().min(0).default(1).describe("vigência, em dias, até a qual é curta"),
    shortValueMinCents: z.int().positive().default(10_000_000).describe("valor mínimo da vigência curta, em centavos"),
  }),
  detect: ({ contracts, amendments }, params, tally) => {
    for (let row = 0; row < contracts.size; row++)
      answerContract(tally, row, judge(contracts, row, amendments, params));
  },
  examples: [
    {
      title: "aponta sete anos de limpeza e deixa em paz cinco",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1", { object: "Serviço de limpeza", startsOn: "2024-01-01", endsOn: "2031-01-01" }),
          exampleContract("c2", { object: "Serviço de limpeza", startsOn: "2024-01-01", endsOn: "2029-01-01" }),
        ],
      }),
      flags: [exampleKey("c1")],
    },
    {
      title: "não aponta seis anos com prorrogação publicada",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1", { object: "Serviço de limpeza", startsOn: "2024-01-01", endsOn: "2030-01-01" }),
        ],
        amendments: [exampleAmendment("a1", "c1", "Prorrogação da vigência por mais cinco anos")],
      }),
      flags: [],
    },
    {
      title: "aponta o fim anterior ao início e o contrato grande de um dia",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1", { startsOn: "2024-06-01", endsOn: "2024-05-01" }),
          exampleContract("c2", { startsOn: "2024-06-01", endsOn: "2024-06-02", initialValueCents: 50_000_000 }),
          exampleContract("c3", { startsOn: "2024-06-01", endsOn: "2024-06-02", initialValueCents: 50_000 }),
        ],
      }),
      flags: [exampleKey("c1"), exampleKey("c2")],
    },
    {
      title: "não calcula sem as datas e exclui a locação de imóvel por dez anos",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1", { endsOn: null }),
          exampleContract("c2", {
            object: "Locação de imóvel para a sede",
            startsOn: "2024-01-01",
            endsOn: "2034-01-01",
          }),
        ],
      }),
      flags: [],
      notComputable: [exampleKey("c1")],
      excluded: [exampleKey("c2")],
    },
  ],
});

const OWN_TERM = new RegExp(
  [
    "energia eletrica",
    "\\bagua\\b",
    "esgoto",
    "saneamento",
    "correios",
    "locacao d[eo] imove",
    "aluguel",
    "concess(ao|ionari)",
    "cessao",
    "convenio",
    "comodato",
    "permissao de uso",
    "parceria publico",
    "fornecimento de gas",
    "datacenter|processamento de dados|sistemas? estruturante",
    "(?<!mao.de.)\\bobras?\\b|empreitada|construcao|pavimenta|rodovi|duplicacao|engenharia|supervisao",
  ].join("|"),
);

const NO_DATES = notComputable("sem início ou fim de vigência");
const OWN_LAW = excluded("objeto com prazo próprio em lei, ou sem prazo");
const SECRET = excluded("objeto sob sigilo");
const SMALL = notFired("vigência de poucos dias, mas de valor pequeno");
const DAYS_PER_YEAR = 365.25;

type Limits = {
  longYears: number;
  toleranceDays: number;
  wholeYears: number;
  errorYears: number;
  shortDaysMax: number;
  shortValueMinCents: number;
};
const EXTENDED = notFired("vigência longa, mas com prorrogação publicada e dentro de dez anos");
const EXTENSION = /prorrog|renova|vigencia/;

function isExtended(amendments: readonly Amendment[]): boolean {
  return amendments.some(({ object }) => EXTENSION.test(fold(object ?? "")));
}

type Reading = { kind: "negative" | "short" | "long" | "endless"; strength: number };

function judge(contracts: Contracts, row: number, amendments: Amendments, limits: Limits): Verdict {
  const [start, end] = [contracts.startsOn[row]!, contracts.endsOn[row]!];
  if (contracts.isWithheld[row] === 1) return SECRET;
  if (start === NONE || end === NONE) return NO_DATES;
  const days = end - start;
  const limitDays = limits.longYears * DAYS_PER_YEAR;
  if (days > limits.shortDaysMax && days <= limitDays + limits.toleranceDays) return NOT_FIRED;
  const value = contracts.initialValue[row]!;
  if (days >= 0 && days <= limits.shortDaysMax) {
    return value >= limits.shortValueMinCents ? raise(contracts, row, { kind: "short", strength: 0.3 }, limits) : SMALL;
  }
  if (days < 0) return raise(contracts, row, { kind: "negative", strength: 0.3 }, limits);
  if (OWN_TERM.test(fold(objectText(contracts, row) ?? ""))) return OWN_LAW;
  if (days <= limits.wholeYears * DAYS_PER_YEAR + limits.toleranceDays && isExtended(amendmentsOf(amendments, row)))
    return EXTENDED;
  if (days > limits.errorYears * DAYS_PER_YEAR)
    return raise(contracts, row, { kind: "endless", strength: 0.3 }, limits);
  const strength = clamp(0.45 + 0.3 * (days / limitDays - 1), 0.45, 0.75);
  return raise(contracts, row, { kind: "long", strength }, limits);
}

function raise(contracts: Contracts, row: number, { kind, strength }: Reading, limits: Limits): Verdict {
  const value = contracts.initialValue[row]!;
  const days = contracts.endsOn[row]! - contracts.startsOn[row]!;
  // A typing error puts no money at risk.
  const isTypingError = kind === "negative" || kind === "endless";
  const amountAtRiskCents = isTypingError || Number.isNaN(value) ? 0 : Math.max(0, value);
  return fired({
    strength,
    amountAtRiskCents,
    pValue: null,
    describe: () => {
      const contract = contractAt(contracts, row);
      const [from, to] = [formatDate(dateOf(contracts.startsOn[row]!)!), formatDate(dateOf(contracts.endsOn[row]!)!)];
      const reasons: Record<Reading["kind"], string> = {
        negative: `A vigência termina em ${to}, antes de começar em ${from}.`,
        short: `Contrato de ${formatBrl(value)} com vigência de ${plural(days, "dia", "dias")}, de ${from} a ${to}.`,
        endless: `A vigência, de ${from} a ${to}, dura ${formatDecimal(days / DAYS_PER_YEAR)} anos: provável erro de digitação.`,
        long:
          `A vigência inicial, de ${from} a ${to}, dura ${formatDecimal(days / DAYS_PER_YEAR)} anos, contra o limite ` +
          `geral de ${formatDecimal(limits.longYears)} anos.`,
      };
      return {
        subject: contractSubject(contract),
        reason: reasons[kind],
        ...partiesOf(contract),
        formula: "days = ends_on − starts_on; days < 0, days ≤ short_days or days > limit_days",
        facts: [
          fact("starts_on", "Início da vigência", contract.startsOn!, "date"),
          fact("ends_on", "Fim da vigência", contract.endsOn!, "date"),
          fact("days", "Vigência", days, "days"),
          fact(
            "limit_days",
            "Limite com a tolerância",
            Math.floor(limits.longYears * DAYS_PER_YEAR) + limits.toleranceDays,
            "days",
          ),
          fact("short_days", "Vigência tida por curta", limits.shortDaysMax, "days"),
          ...objectFacts(contract),
        ],
        records: [contractRecord(contract)],
        legalBasis: inForceOn(legalBasis, contract.signedOn ?? contract.startsOn),
      };
    },
  });
}
