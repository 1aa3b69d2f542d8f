import { describe, expect, test } from "vitest";
import { readQuestion } from "./read-question.ts";

const today = "2026-11-24";
const read = (question: string) => {
  const parts = readQuestion(question, today);
  return Object.fromEntries(
    Object.entries(parts).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value)),
  );
};

describe("a question names", () => {
  test.each<[string, Record<string, unknown>]>([
    ["Contratos do Ministério da Saúde", { agencyCodes: ["36000"] }],
    ["compras do MINISTERIO DA EDUCACAO e do FNDE", { agencyCodes: ["26000", "26298"] }],
    ["o Ministério da Justiça e Segurança Pública", { agencyCodes: ["30000"] }],
    ["órgão 26435", { agencyCodes: ["26435"] }],
    ["contratos da Universidade Federal do Ceará", { agencyCodes: ["26233"] }],
    ["o fornecedor 15.195.707/0001-78", { supplierCnpjs: ["15195707000178"] }],
    ["a prefeitura de CNPJ 15195707000178", { agencyCnpjs: ["15195707000178"] }],
    ["15.195.707/0001-79 tem os dígitos errados", {}],
    ["dispensas da prefeitura de Recife", { municipalities: [{ name: "recife", state: null }] }],
    ["Prefeitura Municipal de São Paulo/SP", { municipalities: [{ name: "sao paulo", state: "SP" }] }],
    ["município da Ilha de Itamaracá (PE)", { municipalities: [{ name: "ilha de itamaraca", state: "PE" }] }],
    [
      "câmara municipal de Bom Jesus do Tocantins, TO",
      { municipalities: [{ name: "bom jesus do tocantins", state: "TO" }] },
    ],
    ["compras do estado de Pernambuco", { states: ["PE"] }],
    ["licitações no Ceará e no Mato Grosso do Sul", { states: ["CE", "MS"] }],
    ["UF: RN", { states: ["RN"] }],
    ["o que há no PNCP e no Portal da Transparência", { sources: ["portal-transparencia", "pncp"] }],
    ["há algo estranho?", {}],
  ])("%s", (question, parts) => {
    const found = read(question);
    if (found["agencyCodes"]) found["agencyCodes"] = [...(found["agencyCodes"] as string[])].toSorted();
    expect(found).toEqual(parts);
  });

  test("all of them at once", () => {
    expect(read("Compras do INSS e da prefeitura de Natal em março de 2024, no PNCP")).toEqual({
      agencyCodes: ["37202"],
      municipalities: [{ name: "natal", state: null }],
      sources: ["pncp"],
      period: { from: "2024-03-01", to: "2024-03-31" },
    });
  });
});

describe("a question's period", () => {
  test.each<[string, { from: string; to: string } | null]>([
    ["nos últimos 3 meses", { from: "2026-08-26", to: today }],
    ["no último ano", { from: "2025-11-24", to: today }],
    ["nas últimas duas semanas", { from: "2026-11-10", to: today }],
    ["em 2024", { from: "2024-01-01", to: "2024-12-31" }],
    ["em 2026", { from: "2026-01-01", to: today }],
    ["em fevereiro de 2024", { from: "2024-02-01", to: "2024-02-29" }],
    ["de novembro de 2023 a fevereiro de 2024", { from: "2023-11-01", to: "2024-02-29" }],
    ["de janeiro a março de 2024", { from: "2024-01-01", to: "2024-03-31" }],
    ["em dezembro", { from: "2025-12-01", to: "2025-12-31" }],
    ["em março", { from: "2026-03-01", to: "2026-03-31" }],
    ["de 01/02/2024 a 15/02/2024", { from: "2024-02-01", to: "2024-02-15" }],
    ["entre 2024-02-15 e 2024-02-01", { from: "2024-02-01", to: "2024-02-15" }],
    ["este ano", { from: "2026-01-01", to: today }],
    ["no ano passado", { from: "2025-01-01", to: "2025-12-31" }],
    ["no mês passado", { from: "2026-10-01", to: "2026-10-31" }],
    ["neste mês", { from: "2026-11-01", to: today }],
    ["em 2031", null],
    ["sobre 2.024 contratos", null],
    ["em 31/02/2024", null],
  ])("%s", (question, period) => {
    expect(readQuestion(question, today).period).toEqual(period);
  });
});
