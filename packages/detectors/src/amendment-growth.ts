import type { Amendment, Contract } from "@cidadao/domain/contract";
import { formatBrl, type Cents } from "@cidadao/domain/money";
import { z } from "zod";
import { type AmendmentAmounts, measureAmendments } from "./amendment-amounts.ts";
import { type Explanation, explain, explanationTexts } from "./amendment-explanation.ts";
import { speaksOfIncrease, speaksOfRenewal, statedIncreaseOf } from "./amendment-texts.ts";
import { defineDetector } from "./define-detector.ts";
import { amendmentRecord, contractRecord, contractSubject, fact, partiesOf, RECORDS_MAX } from "./evidence.ts";
import { exampleAmendment, exampleContract, exampleDataset, exampleKey } from "./examples.ts";
import { contractAt, type Contracts, objectText } from "./frame/contracts.ts";
import { type Amendments, amendmentsOf } from "./frame/frame.ts";
import { clamp } from "./score.ts";
import { isWithSupportFoundation } from "./support-foundation.ts";
import { fold, formatShare } from "./text.ts";
import { answerContract } from "./tally.ts";
import { excluded, fired, type FlagDescription, notComputable, notFired, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [
  { norm: "Lei 14.133/2021", article: "arts. 124 a 126", validFrom: "2021-04-01", validTo: null },
  { norm: "Lei 8.666/1993", article: "art. 65, §§1º e 2º", validFrom: "1993-06-22", validTo: "2023-12-30" },
];

export const amendmentGrowth = defineDetector({
  id: "amendment-growth",
  version: 3,
  title: "Crescimento do contrato acima do limite legal de acréscimo",
  question: "Os termos aditivos acrescentaram ao contrato mais do que a lei permite?",
  subjects: "contratos",
  method:
    "Onde a fonte publica o valor de cada termo aditivo, ou o valor do contrato depois dele: A⁺ é a soma dos acréscimos, A⁻ " +
    "a das supressões, nunca compensadas entre si, e V₀ o valor inicial, corrigido pela razão depois ÷ antes de cada " +
    "apostilamento. Dispara quando A⁺ ÷ V₀ passa do limite de 25 %, ou de 50 % quando o objeto é reforma de edifício ou de " +
    "equipamento, em mais que a tolerância (toleranceShare), com força de 0,8 a 1. O aumento de um termo que fala só em " +
    "prorrogação, reajuste ou repactuação não conta; o de um termo que fala também em acréscimo conta pelo percentual " +
    "escrito, ou, sem percentual, só para um indício mais fraco, de 0,4 a 0,6, como quando os percentuais escritos cabem no " +
    "limite; o de um termo que não diz nada, ou que falta na história, para um de 0,4 (0,2 se há prorrogação ou reajuste). A⁻ ÷ " +
    "V₀ acima de 25 % sem acordo escrito é apontado como supressão, com força 0,3. " +
    "Onde a fonte não publica esses valores, o crescimento g = valor atual ÷ valor inicial − 1 os aproxima, e inclui " +
    "prorrogações, reajustes e repactuações. Por isso o texto dos termos pesa: a força da evidência " +
    "vai de 0,8 a 1 quando os percentuais de acréscimo escritos nos termos já passam do limite, de 0,6 a 1 " +
    "quando os termos só falam em acréscimo, de 0,4 a 0,6 quando falam em acréscimo e também em prorrogação ou " +
    "reajuste, fica em 0,4 quando não há texto que explique, em 0,25 quando o texto está sob sigilo, e em 0,1 quando só há prorrogação ou reajuste, ou " +
    "quando o acréscimo escrito cabe no limite e o resto é prorrogação ou reajuste (contexto). Em contrato com " +
    "fundação de apoio, cujos projetos crescem com novos repasses, vale um quarto disso; em água, esgoto, gás e energia, que se pagam pelo consumo, metade.",
  legalBasis,
  references: ["OCP Red Flags R054, R059, R064 e R069"],
  exclusions: [
    "Valor dez vezes o anterior ou mais, ou que difere dele por potência exata de dez: provável erro de digitação.",
  ],
  assumptions: [
    "O valor inicial publicado é o valor original, sem a atualização que a lei admite; só apostilamentos que o mudam para 0,8 a 1,5 vezes o atualizam.",
    "Termo sem data de assinatura ou publicação conta depois dos outros.",
    "Sem o valor de cada termo, acréscimos e supressões não podem ser separados.",
    "Os percentuais escritos em termos diferentes se somam, sem passar do crescimento total.",
    "Contrato assinado depois de 30/12/2023 pode ainda seguir a Lei 8.666, conforme o edital; o limite é o mesmo.",
  ],
  innocentExplanations: [
    "Prorrogação de serviço contínuo: o valor atual soma os novos períodos.",
    "Reajuste, repactuação ou reequilíbrio econômico-financeiro, que não contam para o limite.",
    "Alteração consensual ou situação excepcional admitida pela jurisprudência do TCU.",
    "Contrato com fundação de apoio ampliado com novos recursos do projeto.",
  ],
  needs: ["contracts", "amendments"],
  requires: ["initialValue", "currentValue"],
  concerns: ["contract", "supplier", "agency"],
  params: z.strictObject({
    limitShare: z.number().positive().default(0.25).describe("limite geral de acréscimo, como fração"),
    reformLimitShare: z.number().positive().default(0.5).describe("limite para reforma de edifício ou equipamento"),
    toleranceShare: z
      .number()
      .min(0)
      .default(0.005)
      .describe("folga para arredondamento, como fração do valor inicial"),
    errorRatioMin: z.number().min(2).default(10).describe("razão a partir da qual se supõe erro de dado"),
  }),
  detect: ({ contracts, amendments }, params, tally) => {
    for (let row = 0; row < contracts.size; row++)
      answerContract(tally, row, judge(contracts, row, amendments, params));
  },
  examples: [
    {
      title: "aponta acréscimo de 60 % e deixa em paz o de 25 %",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1", { initialValueCents: 100_000_000, currentValueCents: 160_000_000 }),
          exampleContract("c2", { initialValueCents: 100_000_000, currentValueCents: 125_000_000 }),
        ],
        amendments: [exampleAmendment("a1", "c1", "Acréscimo de serviços ao contrato")],
      }),
      flags: [exampleKey("c1")],
    },
    {
      title: "aponta o acréscimo de 40,35 % escrito no próprio termo, ainda que haja prorrogação",
      dataset: exampleDataset({
        contracts: [exampleContract("c1", { currentValueCents: 14_035_000 })],
        amendments: [exampleAmendment("a1", "c1", "Acréscimo de 40,35% do valor inicial e prorrogação por 75 dias")],
      }),
      flags: [exampleKey("c1")],
    },
    {
      title: "aplica o limite de 50 % à reforma de edifício",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1", {
            object: "Reforma do prédio da sede",
            initialValueCents: 100_000_000,
            currentValueCents: 140_000_000,
          }),
          exampleContract("c2", {
            object: "Reforma do prédio da sede",
            initialValueCents: 100_000_000,
            currentValueCents: 155_000_000,
          }),
        ],
      }),
      flags: [exampleKey("c2")],
    },
    {
      title: "separa o erro de dado e o que não tem valor inicial",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1", { initialValueCents: 193_413, currentValueCents: 27_604_896 }),
          exampleContract("c2", { initialValueCents: 0 }),
          exampleContract("c3", { currentValueCents: null }),
        ],
      }),
      flags: [],
      excluded: [exampleKey("c1")],
      notComputable: [exampleKey("c2"), exampleKey("c3")],
    },
    {
      title: "aponta só como contexto o crescimento que os termos explicam por prorrogação",
      dataset: exampleDataset({
        contracts: [exampleContract("c1", { currentValueCents: 20_000_000 })],
        amendments: [exampleAmendment("a1", "c1", "Prorrogação do prazo de vigência por doze meses")],
      }),
      flags: [exampleKey("c1")],
    },
    {
      title: "soma os acréscimos de cada termo sem descontar as supressões, ainda que o valor final cresça pouco",
      dataset: exampleDataset({
        contracts: [exampleContract("c1", { currentValueCents: 11_000_000 }), exampleContract("c2")],
        amendments: [
          { ...exampleAmendment("a1", "c1", "Acréscimo de postos"), increaseCents: 3_000_000 },
          { ...exampleAmendment("a2", "c1", "Supressão de itens"), decreaseCents: 2_000_000 },
          { ...exampleAmendment("a3", "c2", "Acréscimo de postos"), increaseCents: 2_500_000 },
          { ...exampleAmendment("a4", "c2", "Prorrogação por doze meses"), increaseCents: 10_000_000 },
        ],
      }),
      flags: [exampleKey("c1")],
    },
    {
      title: "mede o acréscimo pelo valor depois de cada termo e corrige a base pelo apostilamento",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1", { currentValueCents: 15_000_000 }),
          exampleContract("c2", { currentValueCents: 16_000_000 }),
        ],
        amendments: [
          ...["c1", "c2"].map((id) => ({
            ...exampleAmendment(`${id}-1`, id, "Reajuste pelo índice do contrato"),
            signedOn: "2024-06-01",
            kind: "endorsement" as const,
            valueAfterCents: 12_000_000,
          })),
          { ...exampleAmendment("c1-2", "c1", "Acréscimo de quantitativos"), valueAfterCents: 15_000_000 },
          { ...exampleAmendment("c2-2", "c2", "Acréscimo de quantitativos"), valueAfterCents: 16_000_000 },
        ],
      }),
      flags: [exampleKey("c2")],
    },
    {
      title: "não conta o aumento de prorrogação, e do termo misto conta só o percentual escrito",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1", { currentValueCents: 20_000_000 }),
          exampleContract("c2", { currentValueCents: 25_000_000 }),
          exampleContract("c3", { currentValueCents: 25_000_000 }),
        ],
        amendments: [
          { ...exampleAmendment("a1", "c1", "Prorrogação por doze meses"), valueAfterCents: 20_000_000 },
          { ...exampleAmendment("a2", "c2", "Prorrogação e acréscimo de 25%"), valueAfterCents: 25_000_000 },
          { ...exampleAmendment("a3", "c3", "Prorrogação e acréscimo de postos"), valueAfterCents: 25_000_000 },
        ],
      }),
      flags: [exampleKey("c3")],
    },
    {
      title: "aponta o aumento que nenhum termo explica",
      dataset: exampleDataset({
        contracts: [exampleContract("c1", { currentValueCents: 20_000_000 })],
        amendments: [{ ...exampleAmendment("a1", "c1", "Alteração da razão social"), valueAfterCents: 10_000_000 }],
      }),
      flags: [exampleKey("c1")],
    },
    {
      title: "aponta a supressão acima de 25 % e não a que foi acordada",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1", { currentValueCents: 6_000_000 }),
          exampleContract("c2", { currentValueCents: 6_000_000 }),
        ],
        amendments: [
          { ...exampleAmendment("a1", "c1", "Supressão de itens do contrato"), valueAfterCents: 6_000_000 },
          {
            ...exampleAmendment("a2", "c2", "Supressão de itens, por acordo entre as partes"),
            valueAfterCents: 6_000_000,
          },
        ],
      }),
      flags: [exampleKey("c1")],
    },
    {
      title: "separa o erro de dado na história dos valores",
      dataset: exampleDataset({
        contracts: [exampleContract("c1"), exampleContract("c2")],
        amendments: [
          { ...exampleAmendment("a1", "c1", "Acréscimo de itens"), valueAfterCents: 120_000_000 },
          { ...exampleAmendment("a2", "c2", "Supressão de itens"), valueAfterCents: 1_000_000 },
        ],
      }),
      flags: [],
      excluded: [exampleKey("c1"), exampleKey("c2")],
    },
  ],
});

const NO_INITIAL = notComputable("valor inicial ausente ou zero");
const NO_CURRENT = notComputable("valor atual ausente");
const SHIFTED = excluded("erro de dado provável: valores do contrato diferem por dez vezes ou mais");
const REFORM_GROWTH = notFired("acima de 25 %, mas dentro do limite para reforma");
const ROUNDING = notFired("acima do limite só por arredondamento");
const RENEWED = notFired(
  "o valor cresceu além do limite, mas os acréscimos cabem nele: o resto é prorrogação ou reajuste",
);
const AGREED = notFired("supressão acima de 25 %, por acordo entre as partes");

type Limits = { limitShare: number; reformLimitShare: number; toleranceShare: number; errorRatioMin: number };

function judge(contracts: Contracts, row: number, amendments: Amendments, limits: Limits): Verdict {
  const initial = contracts.initialValue[row]!;
  if (!(initial > 0)) return NO_INITIAL;
  const measured = amendments.size === 0 ? null : measureAmendments(initial, amendmentsOf(amendments, row));
  if (measured !== null)
    return judgeMeasured(contracts, row, { amendments: amendmentsOf(amendments, row), measured, limits });
  const current = contracts.currentValue[row]!;
  if (Number.isNaN(current)) return NO_CURRENT;
  const ratio = current / initial;
  if (isShifted(ratio, limits)) return SHIFTED;
  const growth = ratio - 1;
  if (growth <= limits.limitShare) return NOT_FIRED;
  const limit = limitOf(contracts, row, limits);
  if (growth <= limit) return REFORM_GROWTH;
  if (growth <= limit + limits.toleranceShare) return ROUNDING;
  return flagOf({ contracts, row, amendments: amendmentsOf(amendments, row) }, { initial, current, growth, limit });
}

function limitOf(contracts: Contracts, row: number, { limitShare, reformLimitShare }: Limits): number {
  return REFORM.test(fold(objectText(contracts, row) ?? "")) ? reformLimitShare : limitShare;
}

type Amended = { contracts: Contracts; row: number; amendments: readonly Amendment[] };

type Measured = { amendments: readonly Amendment[]; measured: AmendmentAmounts; limits: Limits };

function judgeMeasured(contracts: Contracts, row: number, { amendments, measured, limits }: Measured): Verdict {
  const { baseCents, increaseCents, mixedCents, decreaseCents, agreedDecreaseCents, highestCents } = measured;
  const [initial, current] = [contracts.initialValue[row]!, contracts.currentValue[row]!];
  const hasCurrent = current > 0;
  const ratios = [...measured.ratios, 1 + increaseCents / baseCents, ...(hasCurrent ? [current / initial] : [])];
  if (ratios.some((ratio) => isShifted(ratio, limits))) return SHIFTED;
  const missingCents = hasCurrent ? Math.max(current - highestCents, 0) : 0;
  const unexplainedCents = measured.unexplainedCents + missingCents;
  const shares = {
    clear: increaseCents / baseCents,
    mixed: (increaseCents + mixedCents) / baseCents,
    all: (increaseCents + mixedCents + unexplainedCents) / baseCents,
    decrease: decreaseCents / baseCents,
  };
  const limit = limitOf(contracts, row, limits);
  const [beyond, beyondDecrease] = [limit + limits.toleranceShare, limits.limitShare + limits.toleranceShare];
  const numbers = { ...measured, initial, current: hasCurrent ? current : null, unexplainedCents, limit };
  const raise = (grade: Grade, share: number) =>
    measuredFlagOf({ contracts, row, amendments }, { ...numbers, grade, share });
  const stated = statedIncreaseOf(amendments.filter(speaksOfIncrease));
  if (shares.clear > beyond) {
    return raise(measured.source === "values" && stated > 0 && stated <= beyond ? "within" : "measured", shares.clear);
  }
  if (shares.mixed > beyond) return raise("mixed", shares.mixed);
  if (shares.all > beyond) {
    return raise(measured.endorsements > 0 || amendments.some(speaksOfRenewal) ? "renewal" : "none", shares.all);
  }
  if (shares.decrease > beyondDecrease) return raise("decrease", shares.decrease);
  if (shares.all > limit) return ROUNDING;
  if (shares.all > limits.limitShare) return REFORM_GROWTH;
  if (agreedDecreaseCents / baseCents > beyondDecrease) return AGREED;
  return highestCents / initial - 1 > limit ? RENEWED : NOT_FIRED;
}

/** How sure the numbers of the amendments make a flag. */
type Grade = "measured" | "within" | "mixed" | "none" | "renewal" | "decrease";

const gradeTexts: Record<Grade, string> = {
  measured: "os acréscimos publicados passam do limite",
  within: "os acréscimos publicados passam do limite, mas os percentuais escritos nos termos cabem nele",
  mixed: "parte do aumento está em termos que mencionam acréscimo e também prorrogação ou reajuste",
  none: "parte do aumento não é explicada por nenhum termo aditivo publicado",
  renewal:
    "parte do aumento não é explicada por nenhum termo, mas há prorrogação ou reajuste, o que costuma explicá-la",
  decrease: "os termos suprimem mais que o limite sem mencionar acordo entre as partes",
};

function measuredFlagOf(
  { contracts, row, amendments }: Amended,
  numbers: AmendmentAmounts & { initial: Cents; current: Cents | null; limit: number; grade: Grade; share: number },
): Verdict {
  const { initial, current, grade, share, baseCents, increaseCents, mixedCents, unexplainedCents } = numbers;
  const isDecrease = grade === "decrease";
  const limit = isDecrease ? Math.min(numbers.limit, DECREASE_LIMIT) : numbers.limit;
  const amountAtRiskCents = Math.round(baseCents * (share - limit));
  const describe = (contract: Contract): FlagDescription => ({
    subject: contractSubject(contract),
    reason:
      `Os termos aditivos ${isDecrease ? "suprimem" : "acrescentam"} ${formatBrl(Math.round(baseCents * share))}, ` +
      `${formatShare(share)} do valor inicial atualizado de ${formatBrl(baseCents)}, contra o limite de ` +
      `${formatShare(limit)}; ${gradeTexts[grade]}.`,
    ...partiesOf(contract),
    formula: isDecrease
      ? "share = decreases / base; share > limit; amount_beyond = base × (share − limit)"
      : "share = (increases + mixed or unexplained ones, where named) / base; share > limit; amount_beyond = base × (share − limit)",
    facts: [
      fact("initial", "Valor inicial", initial, "cents"),
      fact("base", "Valor inicial atualizado pelos apostilamentos (V₀)", baseCents, "cents"),
      fact("increases", "Acréscimos (A⁺)", increaseCents, "cents"),
      fact("mixed", "Aumentos em termos de acréscimo e prorrogação ou reajuste, sem percentual", mixedCents, "cents"),
      fact("unexplained", "Aumentos sem termo que os explique", unexplainedCents, "cents"),
      fact("renewals", "Aumentos de prorrogação ou reajuste, que não contam", numbers.renewalCents, "cents"),
      fact("decreases", "Supressões sem acordo escrito (A⁻)", numbers.decreaseCents, "cents"),
      fact("agreed_decreases", "Supressões por acordo", numbers.agreedDecreaseCents, "cents"),
      ...(current === null ? [] : [fact("current", "Valor atual", current, "cents")]),
      fact("share", "Parte do valor inicial atualizado", share, "share"),
      fact("limit", "Limite legal", limit, "share"),
      fact("amount_beyond", "Valor além do limite", amountAtRiskCents, "cents"),
      fact("amendments", "Termos lidos", amendments.length, "count"),
      fact("endorsements", "Apostilamentos entre eles", numbers.endorsements, "count"),
      fact("amounts_from", "De onde vêm os valores", sourceTexts[numbers.source], "text"),
      fact("explanation", "O que dizem os termos", gradeTexts[grade], "text"),
    ],
    records: [contractRecord(contract), ...amendments.slice(0, RECORDS_MAX).map(amendmentRecord)],
    legalBasis: legalBasis.filter(({ validFrom }) => contract.signedOn === null || validFrom <= contract.signedOn),
  });
  return fired({
    strength: gradeStrength(grade, share - limit) * contextWeight(contracts, row),
    amountAtRiskCents,
    pValue: null,
    describe: () => describe(contractAt(contracts, row)),
  });
}

const DECREASE_LIMIT = 0.25;
const sourceTexts = {
  amounts: "valor de cada termo aditivo",
  values: "valor do contrato depois de cada termo",
} as const;

function gradeStrength(grade: Grade, beyondShare: number): number {
  switch (grade) {
    case "measured":
      return strengthOf("stated", beyondShare);
    case "within":
    case "mixed":
      return strengthOf("mixed", beyondShare);
    case "none":
      return strengthOf("none", beyondShare);
    case "renewal":
      return strengthOf("renewal", beyondShare);
    case "decrease":
      return 0.3;
  }
}

const METERED = /\bagua\b|esgoto|saneamento|energia eletrica|\bgas\b/;

/** Projects of a support foundation grow with new grants, and metered supplies with their use. */
function contextWeight(contracts: Contracts, row: number): number {
  if (isWithSupportFoundation(contracts, row)) return 0.25;
  return METERED.test(fold(objectText(contracts, row) ?? "")) ? 0.5 : 1;
}

const REFORM = new RegExp(
  [
    "\\breformas?\\b(?! (agraria|tributaria|administrativa|psiquiatrica))",
    "\\breformar\\b",
    "\\bretrofit\\b",
    "readequacao (predial|d[aeo]s? (predio|edif|instalac))",
  ].join("|"),
);

function flagOf(
  { contracts, row, amendments }: Amended,
  numbers: { initial: number; current: number; growth: number; limit: number },
): Verdict {
  const { initial, current, growth, limit } = numbers;
  // What the texts state beyond the growth itself was repeated, or offset by a reduction.
  const stated = Math.min(statedIncreaseOf(amendments), growth);
  const explanation = explain(amendments, { stated, limit });
  const amountAtRiskCents = Math.round(current - initial * (1 + limit));
  return fired({
    strength: strengthOf(explanation, growth - limit) * contextWeight(contracts, row),
    amountAtRiskCents,
    pValue: null,
    describe: () =>
      describeGrowth({ contracts, row, amendments }, { ...numbers, stated, explanation, amountAtRiskCents }),
  });
}

type Growth = {
  initial: Cents;
  current: Cents;
  growth: number;
  limit: number;
  stated: number;
  explanation: Explanation;
  amountAtRiskCents: Cents;
};

function describeGrowth({ contracts, row, amendments }: Amended, numbers: Growth): FlagDescription {
  const { initial, current, growth, limit, stated, explanation, amountAtRiskCents } = numbers;
  const contract = contractAt(contracts, row);
  return {
    subject: contractSubject(contract),
    reason:
      `O valor passou de ${formatBrl(initial)} para ${formatBrl(current)}, crescimento de ${formatShare(growth)} ` +
      `contra o limite de ${formatShare(limit)}; ${explanationTexts[explanation]}.`,
    ...partiesOf(contract),
    formula: "growth = current / initial − 1; growth > limit; amount_beyond = current − initial × (1 + limit)",
    facts: [
      fact("initial", "Valor inicial", initial, "cents"),
      fact("current", "Valor atual", current, "cents"),
      fact("growth", "Crescimento", growth, "share"),
      fact("limit", "Limite legal de acréscimo", limit, "share"),
      fact("amount_beyond", "Valor além do limite", amountAtRiskCents, "cents"),
      fact("amendments", "Termos aditivos lidos", amendments.length, "count"),
      fact("stated", "Acréscimo escrito nos termos (soma)", stated, "share"),
      fact("explanation", "O que dizem os termos", explanationTexts[explanation], "text"),
    ],
    records: [contractRecord(contract), ...amendments.slice(0, RECORDS_MAX).map(amendmentRecord)],
    legalBasis: legalBasis.filter(({ validFrom }) => contract.signedOn === null || validFrom <= contract.signedOn),
  };
}

function strengthOf(explanation: Explanation, beyondShare: number): number {
  const size = clamp(beyondShare / 0.5, 0, 1);
  switch (explanation) {
    case "stated":
      return 0.8 + 0.2 * size;
    case "increase":
      return 0.6 + 0.4 * size;
    case "mixed":
      return 0.4 + 0.2 * size;
    case "none":
      return 0.4;
    case "withheld":
      return 0.25;
    case "renewal":
      return 0.1;
  }
}

/** Ten times or more, or exactly a tenth, a hundredth…, is a shifted comma, not a change. */
function isShifted(ratio: number, { errorRatioMin }: Limits): boolean {
  if (ratio >= errorRatioMin) return true;
  if (ratio <= 0) return false;
  const exponent = Math.round(Math.log10(ratio));
  return exponent < 0 && Math.abs(ratio / 10 ** exponent - 1) < 1e-9;
}
