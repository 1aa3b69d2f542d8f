import type { Amendment, Contract } from "@cidadao/domain/contract";
import { formatBrl } from "@cidadao/domain/money";
import { z } from "zod";
import {
  defineDetector,
  excluded,
  fired,
  type FlagDescription,
  notComputable,
  notFired,
  NOT_FIRED,
  type Verdict,
} from "./define-detector.ts";
import { amendmentRecord, contractRecord, contractSubject, fact, partiesOf, RECORDS_MAX } from "./evidence.ts";
import { exampleAmendment, exampleContract, exampleDataset, exampleKey } from "./examples.ts";
import type { Contracts } from "./frame/contracts.ts";
import type { Amendments } from "./frame/frame.ts";
import { clamp } from "./score.ts";
import { isWithSupportFoundation } from "./support-foundation.ts";
import { fold, formatShare, isWithheld } from "./text.ts";

const legalBasis = [
  { norm: "Lei 14.133/2021", article: "arts. 124 a 126", validFrom: "2021-04-01", validTo: null },
  { norm: "Lei 8.666/1993", article: "art. 65, §§1º e 2º", validFrom: "1993-06-22", validTo: "2023-12-30" },
];

export const amendmentGrowth = defineDetector({
  id: "amendment-growth",
  version: 2,
  title: "Crescimento do contrato acima do limite legal de acréscimo",
  question: "O valor atual passou do valor inicial mais do que a lei permite acrescentar?",
  subjects: "contratos",
  method:
    "Crescimento g = valor atual ÷ valor inicial − 1, comparado com o limite de 25 %, ou de 50 % quando o " +
    "objeto é reforma de edifício ou de equipamento. Dispara quando g passa do limite em mais que a tolerância " +
    "de arredondamento (toleranceShare). A fonte não publica o valor de cada termo aditivo: g é uma aproximação " +
    "e inclui prorrogações, reajustes e repactuações. Por isso o texto dos termos pesa: a força da evidência " +
    "vai de 0,8 a 1 quando os percentuais de acréscimo escritos nos termos já passam do limite, de 0,6 a 1 " +
    "quando os termos só falam em acréscimo, de 0,4 a 0,6 quando falam em acréscimo e também em prorrogação ou " +
    "reajuste, fica em 0,4 quando não há texto que explique, e em 0,3 quando só há prorrogação ou reajuste, ou " +
    "quando o acréscimo escrito cabe no limite e o resto é prorrogação ou reajuste (contexto). Em contrato com " +
    "fundação de apoio, cujos projetos crescem com novos repasses, vale sete décimos disso.",
  legalBasis,
  references: ["OCP Red Flags R054, R059, R064 e R069"],
  exclusions: [
    "Valor atual igual a dez vezes o inicial ou mais, ou menor por potência exata de dez: provável erro de digitação.",
  ],
  assumptions: [
    "O valor inicial publicado é o valor original, sem a atualização que a lei admite.",
    "Acréscimos e supressões não podem ser separados com os dados publicados.",
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
  detect: ({ contracts, amendments }, params, answer) => {
    for (let row = 0; row < contracts.size; row++) answer.contract(row, judge(contracts, row, amendments, params));
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
  ],
});

const NO_INITIAL = notComputable("valor inicial ausente ou zero");
const NO_CURRENT = notComputable("valor atual ausente");
const SHIFTED = excluded("erro de dado provável: valor atual e inicial diferem por dez vezes ou mais");
const REFORM_GROWTH = notFired("acima de 25 %, mas dentro do limite para reforma");
const ROUNDING = notFired("acima do limite só por arredondamento");

type Limits = { limitShare: number; reformLimitShare: number; toleranceShare: number; errorRatioMin: number };

function judge(contracts: Contracts, row: number, amendments: Amendments, limits: Limits): Verdict {
  const [initial, current] = [contracts.initialValue[row]!, contracts.currentValue[row]!];
  if (!(initial > 0)) return NO_INITIAL;
  if (Number.isNaN(current)) return NO_CURRENT;
  const ratio = current / initial;
  if (ratio >= limits.errorRatioMin || isExactTenth(ratio)) return SHIFTED;
  const growth = ratio - 1;
  if (growth <= limits.limitShare) return NOT_FIRED;
  const contract = contracts.at(row);
  const limit = REFORM.test(fold(contract.object ?? "")) ? limits.reformLimitShare : limits.limitShare;
  if (growth <= limit) return REFORM_GROWTH;
  if (growth <= limit + limits.toleranceShare) return ROUNDING;
  return flagOf(contract, amendments.of(row), { initial, current, growth, limit });
}

/** What the amendments say about the growth. */
type Explanation = "stated" | "increase" | "mixed" | "renewal" | "withheld" | "none";

const explanationTexts: Record<Explanation, string> = {
  stated: "os percentuais de acréscimo escritos nos termos aditivos já passam do limite",
  increase: "os termos aditivos publicados mencionam acréscimo",
  mixed: "os termos aditivos mencionam acréscimo e também prorrogação ou reajuste",
  renewal: "os termos aditivos mencionam prorrogação ou reajuste, o que costuma explicar o crescimento",
  withheld: "os termos aditivos estão sob sigilo",
  none: "não há termo aditivo publicado que explique o crescimento",
};

const INCREASE = new RegExp(
  [
    "acresc",
    "suplement",
    "adita(mento|r|tivo)? de valor",
    "servicos? adiciona",
    "recursos financeiros adiciona",
    "aument",
    "altera\\w+ d[eo] valor",
    "inclu(ir|sao) (de )?(metas|postos|itens|novos)",
    "novas vagas",
  ].join("|"),
);
const RENEWAL = /prorrog|vigencia|renova|reajust|repactua|revisao de preco|reequilibrio|apostil|dilacao/;
const REFORM = new RegExp(
  [
    "\\breformas?\\b(?! (agraria|tributaria|administrativa|psiquiatrica))",
    "\\breformar\\b",
    "\\bretrofit\\b",
    "readequacao (predial|d[aeo]s? (predio|edif|instalac))",
  ].join("|"),
);

function flagOf(
  contract: Contract,
  amendments: readonly Amendment[],
  numbers: { initial: number; current: number; growth: number; limit: number },
): Verdict {
  const { initial, current, growth, limit } = numbers;
  // What the texts state beyond the growth itself was repeated, or offset by a reduction.
  const stated = Math.min(statedIncreaseOf(amendments), growth);
  const explanation = explain(amendments, { stated, limit });
  const amountAtRiskCents = Math.round(current - initial * (1 + limit));
  const describe = (): FlagDescription => ({
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
  });
  return fired({
    strength: strengthOf(explanation, growth - limit) * (isWithSupportFoundation(contract) ? 0.7 : 1),
    amountAtRiskCents,
    pValue: null,
    describe,
  });
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
    case "withheld":
      return 0.4;
    case "renewal":
      return 0.2;
  }
}

function explain(amendments: readonly Amendment[], { stated, limit }: { stated: number; limit: number }): Explanation {
  const texts = amendments.filter(({ object }) => !isWithheld(object)).map(({ object }) => fold(object ?? ""));
  const hasIncrease = texts.some((text) => INCREASE.test(text));
  const hasRenewal = texts.some((text) => RENEWAL.test(text));
  if (stated > limit + STATED_TOLERANCE_SHARE) return "stated";
  if (hasIncrease && !hasRenewal) return "increase";
  if (hasIncrease && stated === 0) return "mixed";
  if (hasRenewal) return "renewal";
  return amendments.some(({ object }) => isWithheld(object)) ? "withheld" : "none";
}

/** Amendments round what they state: "25,3 %" is a quarter. */
const STATED_TOLERANCE_SHARE = 0.005;
const STATED_INCREASE = /(?:acresc|aditamento de valor)[^;%]{0,160}?(\d{1,3}(?:,\d{1,4})?)\s*%/g;

/** Sum of the different percentages of increase that each amendment states; 0 when none does. */
function statedIncreaseOf(amendments: readonly Amendment[]): number {
  const percents = amendments.flatMap(({ object }) => [
    ...new Set([...fold(object ?? "").matchAll(STATED_INCREASE)].map(([, percent = "0"]) => percent)),
  ]);
  return percents.reduce((sum, percent) => sum + Number(percent.replace(",", ".")), 0) / 100;
}

/** A current value of exactly a tenth, a hundredth… of the first is a shifted comma, not a reduction. */
function isExactTenth(ratio: number): boolean {
  if (ratio <= 0) return false;
  const exponent = Math.round(Math.log10(ratio));
  return exponent < 0 && Math.abs(ratio / 10 ** exponent - 1) < 1e-9;
}
