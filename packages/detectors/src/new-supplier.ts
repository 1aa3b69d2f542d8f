import { formatDate } from "@cidadao/domain/dates";
import { formatBrl } from "@cidadao/domain/money";
import type { Registration } from "@cidadao/domain/registration";
import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import {
  contractRecord,
  contractSubject,
  fact,
  inForceOn,
  objectFacts,
  partiesOf,
  registrationRecord,
} from "./evidence.ts";
import { EXAMPLE_CNPJS, exampleContract, exampleDataset, exampleKey, exampleRegistration } from "./examples.ts";
import { contractAt, type Contracts, nameText, supplierKindCodes, supplierText } from "./frame/contracts.ts";
import { dayOf } from "./frame/days.ts";
import { NONE } from "./frame/dictionary.ts";
import type { Registrations } from "./frame/frame.ts";
import { clamp } from "./score.ts";
import { formatDecimal, plural } from "./text.ts";
import { answerContract } from "./tally.ts";
import { excluded, fired, notComputable, notFired, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [
  { norm: "Lei 14.133/2021", article: "arts. 62, 67 e 69", validFrom: "2021-04-01", validTo: null },
  { norm: "Lei 8.666/1993", article: "arts. 27, 30 e 31", validFrom: "1993-06-22", validTo: "2023-12-30" },
];

export const newSupplier = defineDetector({
  id: "new-supplier",
  version: 1,
  title: "Empresa recém-aberta com contrato de valor alto",
  question: "O fornecedor tinha poucos dias de existência quando assinou um contrato de valor alto?",
  subjects: "contratos",
  method:
    "Idade = assinatura − início de atividade no cadastro CNPJ, em dias. Aponta idade de até ageDaysMax dias em contrato " +
    "de ao menos valueMinCents. A força da evidência vai de 0,4, na idade máxima, a 0,7, no dia da abertura, e ganha 0,15 " +
    "quando o valor passa de dez vezes o capital social.",
  legalBasis,
  references: ["Cadastro Nacional da Pessoa Jurídica, Receita Federal"],
  exclusions: [
    "Fornecedor sem CNPJ publicado.",
    "Início de atividade posterior à assinatura: erro de cadastro ou sucessão de empresas.",
    "Consórcio e sociedade de propósito específico, criados para o contrato.",
  ],
  assumptions: ["O cadastro mostra o estabelecimento que assinou; a idade da matriz pode ser outra."],
  innocentExplanations: [
    "Consórcio ou sociedade de propósito específico criada para o contrato.",
    "Cisão, mudança de natureza jurídica ou filial nova de empresa antiga.",
    "Sócios com experiência comprovada em outra empresa.",
  ],
  needs: ["contracts", "registrations"],
  requires: ["supplierTaxId", "signedOn", "initialValue"],
  concerns: ["contract", "supplier"],
  params: z.strictObject({
    ageDaysMax: z.int().positive().default(180).describe("idade máxima, em dias"),
    valueMinCents: z.int().positive().default(5_000_000).describe("valor mínimo do contrato, em centavos"),
    capitalFactor: z.number().positive().default(10).describe("quantas vezes o capital social reforça o indício"),
  }),
  detect: ({ contracts, registrations }, params, tally) => {
    for (let row = 0; row < contracts.size; row++)
      answerContract(tally, row, judge(contracts, row, registrations, params));
  },
  examples: [
    {
      title: "aponta a empresa de trinta dias e deixa em paz a de dez anos",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1", { signedOn: "2024-03-01" }),
          exampleContract("c2", {
            signedOn: "2024-03-01",
            supplierId: EXAMPLE_CNPJS[2],
            supplierTaxId: EXAMPLE_CNPJS[2],
          }),
          exampleContract("c3", { signedOn: "2024-03-01", initialValueCents: 100_000 }),
        ],
        registrations: [
          exampleRegistration(EXAMPLE_CNPJS[0], { openedOn: "2024-01-31" }),
          exampleRegistration(EXAMPLE_CNPJS[2], { openedOn: "2014-01-31" }),
        ],
      }),
      flags: [exampleKey("c1")],
    },
    {
      title: "não calcula sem cadastro, e exclui consórcio e idade negativa",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1"),
          exampleContract("c2", {
            supplierId: EXAMPLE_CNPJS[2],
            supplierTaxId: EXAMPLE_CNPJS[2],
            supplierName: "CONSORCIO NORTE",
          }),
          exampleContract("c3", { supplierId: EXAMPLE_CNPJS[3], supplierTaxId: EXAMPLE_CNPJS[3] }),
        ],
        registrations: [
          exampleRegistration(EXAMPLE_CNPJS[2], { openedOn: "2024-02-20" }),
          exampleRegistration(EXAMPLE_CNPJS[3], { openedOn: "2025-02-20" }),
        ],
      }),
      flags: [],
      notComputable: [exampleKey("c1")],
      excluded: [exampleKey("c2"), exampleKey("c3")],
    },
  ],
});

const NO_CNPJ = excluded("fornecedor sem CNPJ publicado");
const NO_ENTRY = notComputable("fornecedor sem registro no cadastro lido");
const NO_DATE = notComputable("sem data de assinatura ou de início de atividade");
const NEGATIVE = excluded("início de atividade posterior à assinatura");
const PURPOSE = excluded("consórcio ou sociedade de propósito específico");
const SMALL = notFired("empresa nova, mas contrato de valor pequeno");

type Limits = { ageDaysMax: number; valueMinCents: number; capitalFactor: number };

function judge(contracts: Contracts, row: number, registrations: Registrations, limits: Limits): Verdict {
  const taxId = contracts.supplierTaxId[row]!;
  if (contracts.supplierKind[row] !== supplierKindCodes.company || taxId === NONE) return NO_CNPJ;
  if (registrations.size === 0) return NO_ENTRY;
  const registration = registrations.of(supplierText(contracts, taxId));
  if (registration === null) return NO_ENTRY;
  const signedOn = contracts.signedOn[row]!;
  const openedOn = dayOf(registration.openedOn);
  if (signedOn === NONE || openedOn === NONE) return NO_DATE;
  const age = signedOn - openedOn;
  if (age > limits.ageDaysMax) return NOT_FIRED;
  if (age < 0) return NEGATIVE;
  if (/cons[oó]rcio|\bspe\b|prop[oó]sito espec/i.test(nameText(contracts, contracts.supplierName[row]!)))
    return PURPOSE;
  const value = contracts.initialValue[row]!;
  if (!(value >= limits.valueMinCents)) return SMALL;
  return raise(contracts, row, { age, value, registration }, limits);
}

function raise(
  contracts: Contracts,
  row: number,
  { age, value, registration }: { age: number; value: number; registration: Registration },
  { ageDaysMax, capitalFactor }: Limits,
): Verdict {
  const capital = registration.capitalCents;
  const isThin = capital !== null && capital > 0 && value > capitalFactor * capital;
  return fired({
    strength: clamp(0.7 - 0.3 * (age / ageDaysMax) + (isThin ? 0.15 : 0), 0, 0.85),
    amountAtRiskCents: value,
    pValue: null,
    describe: () => {
      const contract = contractAt(contracts, row);
      return {
        subject: contractSubject(contract),
        reason:
          `O fornecedor abriu em ${formatDate(registration.openedOn!)} e assinou ${formatBrl(value)} ` +
          `${plural(age, "dia", "dias")} depois` +
          `${isThin ? `, ${formatDecimal(value / capital)} vezes o capital social de ${formatBrl(capital)}` : ""}.`,
        ...partiesOf(contract),
        formula: "age = signed_on − opened_on; 0 ≤ age ≤ age_max; value ≥ value_min",
        facts: [
          fact("opened_on", "Início de atividade", registration.openedOn!, "date"),
          fact("signed_on", "Assinatura", contract.signedOn!, "date"),
          fact("age", "Idade na assinatura", age, "days"),
          fact("age_max", "Idade máxima", ageDaysMax, "days"),
          fact("value", "Valor do contrato", value, "cents"),
          ...(capital === null ? [] : [fact("capital", "Capital social", capital, "cents")]),
          ...objectFacts(contract),
        ],
        records: [contractRecord(contract), registrationRecord(registration)],
        legalBasis: inForceOn(legalBasis, contract.signedOn),
      };
    },
  });
}
