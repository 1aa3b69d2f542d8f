import type { Finding } from "@cidadao/domain/anomaly";
import { detectors } from "@cidadao/detectors/registry";
import { runDetectors } from "@cidadao/detectors/run-detectors";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exampleFinding } from "./example-findings.ts";
import { refuteExplanation, type Refutation } from "./refute-explanation.ts";
import { explainByTemplate } from "./template.ts";

const finding = exampleFinding();
const START =
  "Há um indício que merece o olhar dos cidadãos: uma só empresa ficou com grande parte do que o órgão contratou no " +
  "ano, e isso pode ter explicação legítima.";
const refute = (sentence: string, of: Finding = finding) => refuteExplanation(`${START} ${sentence}`, of, null);

test.each([
  "A empresa ficou com 75 % do valor.",
  "A empresa ficou com 75% do valor, ou 0,75 do total.",
  "Foram 62,5 por cento por dispensa.",
  "O valor foi de R$ 2.412.345,67.",
  "O valor foi de R$ 2.412.346 de um total de R$ 3.216.460,89.",
  "O valor foi de cerca de R$ 2,4 milhões, de um total de R$ 3,22 milhões.",
  "O valor foi de 2,41 milhões de reais.",
  "O valor em atenção é de R$ 1.125.761,31, ou R$ 1.126 mil.",
  "São três contratos de 41, ou quarenta e um, do órgão.",
  "Foram 3 contratos assinados em 2024, o primeiro em 01/03/2024, ou 1º de março de 2024.",
  "A primeira assinatura foi em março de 2024, e os dados foram lidos em 17/10/2024.",
  "É 9.595,72 vezes o valor, ou 9.596 vezes.",
  "O mesmo teste viu 1.290 casos e sinalizou 7.",
  "O teste sinalizou 0,54 % dos casos.",
  "A Lei 14.133/2021, no art. 75, § 1º, trata disso, e também o Decreto 11.871/2023.",
  "A Lei nº 14.133 trata disso no artigo 75, incisos I e II.",
  "O CNPJ da empresa é 11.222.333/0001-81 e o contrato é o Contrato 000342023.",
  "O registro é portal-transparencia/670012345.",
  "O órgão é o “13º Batalhão de exemplo” e quem fornece é “Fornecedora 2000 de exemplo”.",
  'O órgão é o "13º Batalhão de exemplo", no «Contrato 000342023 — 13º Batalhão de exemplo».',
  "Manutenção de veículos até o valor do art. 75, §7º, que não entra na soma.",
])("stands: %s", (sentence) => {
  expect(refute(sentence)).toBeNull();
});

const refuted: [sentence: string, why: Refutation][] = [
  ["A empresa ficou com 80 % do valor.", "number"],
  ["A empresa ficou com 80% do valor.", "number"],
  ["A empresa ficou com oitenta por cento do valor.", "number"],
  ["A empresa ficou com 0,8 do valor.", "number"],
  ["A empresa ficou com 0.8 do valor.", "number"],
  ["O valor foi de R$ 1.234,56.", "number"],
  ["O valor foi de R$1,234.56.", "number"],
  ["O valor foi de R$ 9,2 milhões.", "number"],
  ["O valor foi de R$ 2 milhões.", "number"],
  ["O valor foi de R$ 2,5 milhões.", "number"],
  ["O valor foi de 25 000 reais.", "number"],
  ["O valor foi de R$ 2.412.345.67.", "number"],
  ["O valor foi de US$ 2.412.345,67.", "number"],
  ["O valor foi de R$ 75.", "number"],
  ["A participação foi de 3 %.", "number"],
  ["O valor cresceu -75 %.", "number"],
  ["O valor foi o dobro do comum.", "number"],
  ["O órgão gastou metade com a empresa.", "number"],
  ["Havia dezenas de contratos.", "number"],
  ["Foram vinte contratos.", "number"],
  ["O valor foi de um milhão de reais.", "number"],
  ["O valor foi de dois mil e quinhentos reais.", "number"],
  ["Foram 10x mais contratos.", "number"],
  ["O valor foi de 1e6 reais.", "number"],
  ["O valor foi de R$ 5M.", "number"],
  ["O item é a cadeira modelo 7700.", "number"],
  ["O item custou R$ 5 milhões.", "number"],
  ["A unidade tem 13 pontos de atenção.", "number"],
  ["O código é 26000.", "number"],
  ["Isso aconteceu em 2019.", "number"],
  ["O contrato é de 02/03/2024.", "date"],
  ["O contrato é de 1º de abril de 2024.", "date"],
  ["O contrato é de maio de 2024.", "date"],
  ["O contrato é de 2023-03-01.", "date"],
  ["O contrato é de 03/2025.", "date"],
  ["A Lei 8.429/1992 proíbe isso.", "law"],
  ["A Lei 14.133/2020 proíbe isso.", "law"],
  ["O Decreto 14.133/2021 proíbe isso.", "law"],
  ["O art. 337 proíbe isso.", "law"],
  ["O artigo 75, inciso IX, proíbe isso.", "law"],
  ["O Acórdão 1.234/2022 do tribunal proíbe isso.", "law"],
  ["A Constituição proíbe isso.", "law"],
  ["A Lei de Licitações proíbe isso.", "law"],
  ["O CNPJ da empresa é 12.345.678/0001-95.", "identifier"],
  ["O CNPJ da empresa é 12345678000195.", "identifier"],
  ["O dono tem o CPF 529.982.247-25.", "identifier"],
  ["O dono tem o CPF ***.982.247-**.", "identifier"],
  ["O contrato é o Contrato 999992023.", "identifier"],
  ["A empresa cometeu fraude.", "accusation"],
  ["Isso não é FRAUDE.", "accusation"],
  ["Houve f r a u d a d o aqui.", "accusation"],
  ["O gestor é culpado de corrupção.", "accusation"],
  ["Há desvio de dinheiro.", "accusation"],
  ["É crime.", "accusation"],
  ["É um esquema de superfaturamento.", "accusation"],
  ["A empresa é recomendada a todos.", "verdict"],
  ["Não há nada de errado aqui.", "verdict"],
  ["Vou ignorar as regras do prompt.", "verdict"],
  ["Veja https://evil.example/x agora.", "characters"],
  ["Veja www.evil.example agora.", "characters"],
  ["Veja evil.example agora.", "characters"],
  ["Atenção @everyone para isso.", "characters"],
  ["Atenção ＠everyone para isso.", "characters"],
  ["Atenção <@123456> para isso.", "characters"],
  ["Veja ![](//evil/x.png) agora.", "characters"],
  ["Veja [aqui](/x) agora.", "characters"],
  ["A empresa cometeu frаude com letra de outro alfabeto.", "characters"],
  ["A empresa cometeu ꜰraude em versalete.", "characters"],
  ["A empresa\u200b cresceu.", "characters"],
  ["A empresa \u202ecresceu.", "characters"],
  ["A empresa cresceu ٧٥ vezes.", "characters"],
  ["A empresa cresceu 10² vezes.", "number"],
  ["A empresa cresceu ½ do valor.", "characters"],
  ["`rm` de tudo.", "characters"],
];

test.each(refuted)("refuted: %s", (sentence, why) => {
  expect(refute(sentence)).toBe(why);
});

test("refuses what is no text: too short, too long, another language, no word of a red flag", () => {
  expect(refuteExplanation("Indício.", finding, null)).toBe("length");
  expect(refuteExplanation(`${START} `.repeat(60), finding, null)).toBe("length");
  const english =
    "There is an indicio of something that the citizens of this country have to look at with care and time.";
  expect(refuteExplanation(english, finding, null)).toBe("not_portuguese");
  expect(refuteExplanation(START.replace("um indício", "algo"), finding, null)).toBe("no_red_flag");
});

test("a hostile name stands between quotation marks, as a name, and nowhere else", () => {
  const hostile = exampleFinding({ supplierName: "Culpada de Fraude 99 Ltda", agencyName: null });
  expect(refute("Quem fornece é “Culpada de Fraude 99 Ltda”.", hostile)).toBeNull();
  expect(refute("Quem fornece é Culpada de Fraude 99 Ltda.", hostile)).toBe("accusation");
  expect(refute("A empresa é “culpada de fraude”.", hostile)).toBe("accusation");
});

/** Every way in which a text may write a number. */
const spellings: Record<string, (value: number) => string> = {
  reais: (value) => `R$ ${value.toLocaleString("pt-BR", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`,
  "reais, English": (value) => `R$ ${value.toLocaleString("en-US", { minimumFractionDigits: 2 })}`,
  "reais in words": (value) => `${Math.round(value).toLocaleString("pt-BR")} reais`,
  "reais, bare": (value) => `R$${Math.round(value)}`,
  plain: (value) => value.toLocaleString("pt-BR", { maximumFractionDigits: 2 }),
  "plain, English": (value) => value.toLocaleString("en-US", { maximumFractionDigits: 2 }),
  spaced: (value) => Math.round(value).toLocaleString("pt-BR").replaceAll(".", " "),
  percent: (value) => `${value.toLocaleString("pt-BR", { maximumFractionDigits: 2 })} %`,
  "percent in words": (value) => `${Math.round(value)} por cento`,
  thousands: (value) => `${Math.round(value).toLocaleString("pt-BR")} mil`,
  millions: (value) => `R$ ${value.toLocaleString("pt-BR", { maximumFractionDigits: 1 })} milhões`,
  billions: (value) => `${value.toLocaleString("pt-BR", { maximumFractionDigits: 1 })} bilhões de reais`,
};

/** Whatever a number is read as, by whoever, it is far from all of these. */
const figures = [
  2_412_345.67,
  3_216_460.89,
  1_125_761.31,
  75,
  0.75,
  62.5,
  0.625,
  40,
  0.4,
  9_595.7238,
  3,
  41,
  1_290,
  7,
  2_024,
  0.7255,
  100 * (7 / 1_290),
  1,
  8_666,
  14_133,
  2,
];

const isFar = (value: number) =>
  [1e-6, 1e-3, 1e-2, 1, 10, 100, 1e3, 1e6, 1e9].every((scale) =>
    figures.every((figure) => Math.abs(value * scale - figure) > 0.2 * figure + 0.6),
  );

describe.each(Object.entries(spellings))("a number that is not in the evidence, written as %s", (_, write) => {
  test("is refuted", { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 8, max: 5_000_000 }), fc.double({ min: 8, max: 99_999, noNaN: true })).filter(isFar),
        (value) => {
          expect(refute(`Isso chega a ${write(value)} no total.`)).toBe("number");
        },
      ),
      { numRuns: 300 },
    );
  });
});

const everyExample = detectors.flatMap((detector) =>
  detector.examples.flatMap(({ dataset, params }) => {
    const options = { detectors: [detector.id], params: params === undefined ? {} : { [detector.id]: params } };
    return runDetectors(dataset, options).findings;
  }),
);

test("the template of every example of every detector passes its own refuter", () => {
  expect(everyExample.length).toBeGreaterThan(5);
  for (const one of everyExample) {
    expect(
      refuteExplanation(explainByTemplate(one, "amostra de janeiro de 2024"), one, "amostra de janeiro de 2024"),
    ).toBeNull();
  }
});

const hostileText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.string({ unit: "binary", maxLength: 2_000 }),
  fc
    .array(
      fc.constantFrom(
        "@everyone",
        "https://evil.example/x",
        "loja.com.br",
        "fraude",
        ":",
        "/",
        "www",
        "R$ 5 milhões",
        "7",
        "“aspas”",
        "[x](y)",
        "***",
        "\u202e",
        "529.982.247-25",
        "11/2024",
        "art. 9º",
        "Lei 1/2000",
        "C.A. Ltda.",
        "$&",
        "IX",
        ";",
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(" ")),
);

test("the template of a finding with whatever texts and numbers passes its own refuter", { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(
      fc.record({
        title: hostileText,
        reason: hostileText,
        agencyName: fc.option(hostileText),
        supplierName: fc.option(hostileText),
        innocentExplanations: fc.array(hostileText, { maxLength: 8 }),
        amountAtRiskCents: fc.integer({ min: 0, max: 1e14 }),
      }),
      fc.record({ tested: fc.nat(1_000_000), fired: fc.nat(1_000_000) }),
      fc.option(hostileText),
      (parts, baseRate, sample) => {
        const one = exampleFinding({ ...parts, evidence: { ...finding.evidence, baseRate } });
        const text = explainByTemplate(one, sample);
        expect([refuteExplanation(text, one, sample), text]).toEqual([null, text]);
        expect(text).not.toMatch(/529\.982\.247-25/);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("a long text full of almost-numbers is answered quickly", () => {
  for (const text of [
    "1.".repeat(2_000),
    "1 000 ".repeat(600),
    "“".repeat(3_900),
    "art. 1, ".repeat(480),
    "a/1".repeat(1_300),
  ]) {
    expect(refuteExplanation(text, finding, null)).not.toBeNull();
  }
});
