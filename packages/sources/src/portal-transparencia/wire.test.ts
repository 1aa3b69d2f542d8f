import { readFileSync } from "node:fs";
import { maskCpf, maskCpfsInText } from "@cidadao/domain/tax-id";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Answer, SourceRecord } from "../define-source.ts";
import type { AnswerReader } from "../read-rows.ts";
import { readAgencies, readAmendments, readContractItems, readContracts, readSanctions } from "./wire.ts";

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8")) as unknown;
const derived = fixture("derived-contratos-pages.json") as { pages: Record<string, unknown>[][] };
const answerOf = (rows: unknown[], headers: Record<string, string> = {}): Answer => ({
  rows,
  headers,
  retrievedAt: "2024-02-01T00:00:00.000Z",
  fromCache: false,
  next: null,
});
const goodContract = derived.pages[0]![0]!;
const contract = (changes: Record<string, unknown>) => readContracts()(answerOf([{ ...goodContract, ...changes }]));
const supplier = (changes: Record<string, unknown>) =>
  contract({ fornecedor: { ...(goodContract["fornecedor"] as object), ...changes } });

describe("contracts", () => {
  test("reads every derived page without a complaint", () => {
    const reading = readContracts()(answerOf(derived.pages.flat()));
    expect(reading.records).toHaveLength(44);
    expect([reading.rejects, reading.complaints]).toEqual([[], []]);
    expect(reading.records[0]).toMatchObject({
      provenance: {
        sourceId: "900000000",
        url: "https://portaldatransparencia.gov.br/contratos/900000000",
        sample: null,
      },
      supplierTaxId: "15195707000178",
      supplierKind: "company",
      initialValueCents: 135610730,
      object: expect.stringMatching(/^CONTRATAÇÃO/) as string,
    });
  });

  test("labels a sample, and names the published file as its place", () => {
    const url = "https://portaldatransparencia.gov.br/download-de-dados/compras/202401";
    const headers = { "x-cidadao-sample": encodeURIComponent("amostra de 2024 (ção)"), "x-cidadao-record-url": url };
    const [record] = readContracts()(answerOf([goodContract], headers)).records;
    expect(record!.provenance).toMatchObject({ url, sample: "amostra de 2024 (ção)" });
    const elsewhere = { ...headers, "x-cidadao-record-url": "https://example.org/" };
    expect(readContracts()(answerOf([goodContract], elsewhere)).records[0]!.provenance.url).not.toContain("example");
  });

  test.each([
    ["id", { id: null }],
    ["id", { id: "abc" }],
    ["number", { numero: "" }],
    ["agency", { unidadeGestora: { codigo: "1", orgaoVinculado: { codigoSIAFI: null } } }],
    ["agency", { unidadeGestora: null }],
    ["unit", { unidadeGestora: { orgaoVinculado: { codigoSIAFI: "26435" } } }],
    ["numero", { numero: { nested: true } }],
  ])("rejects a contract without a usable %s and keeps the others", (reason, changes) => {
    const reading = readContracts()(answerOf([{ ...goodContract, ...changes }, goodContract, 7, null]));
    expect(reading.records).toHaveLength(1);
    expect(reading.rejects).toHaveLength(3);
    expect(reading.rejects[0]!.reason).toContain(reason);
  });

  test.each([
    ["valorInicialCompra", "initialValueCents", -1],
    ["valorInicialCompra", "initialValueCents", 1e20],
    ["valorFinalCompra", "currentValueCents", "muito"],
    ["valorFinalCompra", "currentValueCents", Infinity],
    ["dataAssinatura", "signedOn", "0022-01-01"],
    ["dataAssinatura", "signedOn", "2024-02-31"],
    ["dataFimVigencia", "endsOn", "2019-01-01"],
  ])("keeps the contract without an absurd %s, and complains", (field, name, value) => {
    const reading = contract({ [field]: value });
    expect(reading.records[0]).toMatchObject({ [name]: null });
    expect(reading.complaints).toEqual([{ sourceId: "900000000", field, reason: expect.any(String) as string }]);
  });

  test.each([null, "", "Sem informação", "Não se aplica"])("reads %j as nothing, without a complaint", (value) => {
    const reading = contract({
      dataAssinatura: value,
      valorInicialCompra: value,
      objeto: value,
      fundamentoLegal: value,
    });
    expect(reading.records[0]).toMatchObject({
      signedOn: null,
      initialValueCents: null,
      object: null,
      legalBasis: null,
    });
    expect(reading.complaints).toEqual([]);
  });

  test("complains when the portal no longer sends a field", () => {
    const { valorFinalCompra: _, ...rest } = goodContract;
    const reading = readContracts()(answerOf([rest]));
    expect(reading.records[0]!.currentValueCents).toBeNull();
    expect(reading.complaints).toMatchObject([{ field: "valorFinalCompra" }]);
  });

  test.each([
    ["Pregão", "open", null],
    ["Concorrência", "open", null],
    ["Pregão - Registro de Preço", "open", null],
    ["Tomada de Preços", "selective", null],
    ["Convite", "limited", null],
    ["Dispensa de Licitação", "direct", "waived"],
    ["Inexigibilidade de Licitação", "direct", "no_competition"],
    ["Sem Informação", "unknown", null],
  ])("maps the method %s to %s", (name, method, kind) => {
    const [record] = contract({ modalidadeCompra: name }).records;
    expect(record).toMatchObject({ procurementMethod: method, directAwardKind: kind });
  });

  test("tells companies, persons, foreigners, public bodies and secret suppliers apart", () => {
    const cases = [
      [{ cnpjFormatado: "", cpfFormatado: "529.982.247-25", nome: "ANA" }, "person", "***.982.247-**"],
      [{ cnpjFormatado: "52998224725" }, "person", "***.982.247-**"],
      [{ cnpjFormatado: "00052998224725" }, "person", "***.982.247-**"],
      [{ cnpjFormatado: "", cpfFormatado: "5299822472", nome: "ANA" }, "person", null],
      [{ cnpjFormatado: "EX2548312" }, "foreign", "EX2548312"],
      [{ cnpjFormatado: "ESTRANGEIRO_US_ARMY" }, "foreign", "ESTRANGEIRO_US_ARMY"],
      [{ cnpjFormatado: "115406" }, "public_body", "115406"],
      [{ cnpjFormatado: "-11", nome: "Sigiloso" }, "secret", null],
      [{ cnpjFormatado: "15.195.707/0001-79" }, "unknown", "15.195.707/0001-79"],
      [{ cnpjFormatado: "" }, "unknown", null],
    ] as const;
    for (const [changes, supplierKind, supplierTaxId] of cases) {
      expect(supplier(changes).records[0]).toMatchObject({ supplierKind, supplierTaxId });
    }
    expect(contract({ fornecedor: null }).records[0]).toMatchObject({ supplierKind: "unknown", supplierId: "unknown" });
  });

  test("does not take two people with the same masked CPF for one", () => {
    const [first, second] = ["ANA", "BIA"].map(
      (nome) => supplier({ cnpjFormatado: "", cpfFormatado: "***.982.247-**", nome }).records[0]!.supplierId,
    );
    expect(first).not.toBe(second);
  });
});

test("reads item money as a unit price, and tells items with one number apart", () => {
  const item = {
    numero: "0",
    descricao: "x",
    quantidade: 3,
    valor: "1.234,56",
    descComplementarItemCompra: "undefined",
  };
  const read = readContractItems("9");
  const first = read(answerOf([item, { ...item, valor: "-1,00" }]));
  const second = read(answerOf([{ ...item, quantidade: -1 }]));
  expect([...first.records, ...second.records].map((record) => record.provenance.sourceId)).toEqual([
    "9/0",
    "9/0#2",
    "9/0#3",
  ]);
  expect(first.records[0]).toMatchObject({ unitPriceCents: 123456, quantity: 3, complement: null, contractId: "9" });
  expect(first.records[1]!.unitPriceCents).toBeNull();
  expect([first.complaints.length, second.complaints.length]).toEqual([1, 1]);
});

test("reads amendments and agencies", () => {
  const amendment = { numero: "000012024", dataPublicacao: "11/03/2024", objetoAditivo: "Objetivo: ACRÉSCIMO" };
  expect(readAmendments("9")(answerOf([amendment, {}]))).toMatchObject({
    records: [{ publishedOn: "2024-03-11", object: "ACRÉSCIMO", number: "000012024" }],
    rejects: [{ sourceId: null }],
  });
  const agency = { codigo: "26435", descricao: "IFRN" };
  expect(readAgencies()(answerOf([agency, { codigo: "x" }]))).toMatchObject({
    records: [{ code: "26435", name: "IFRN" }],
    rejects: [{}],
  });
});

describe("sanctions", () => {
  test("reads the recorded CEIS and CNEP answers", () => {
    const ceis = readSanctions("ceis")(answerOf(fixture("recorded-ceis.json") as unknown[]));
    expect(ceis).toMatchObject({ rejects: [], complaints: [] });
    expect(ceis.records).toMatchObject([
      { taxId: "00688001000170", startsOn: "2019-02-21", endsOn: null, endKnown: true, bodySphere: "municipal" },
      { taxId: "38091117000109", startsOn: "2025-07-15", endsOn: "2028-07-15", endKnown: true, bodySphere: "federal" },
    ]);
    const cnep = readSanctions("cnep")(answerOf(fixture("recorded-cnep.json") as unknown[]));
    expect(cnep.records).toMatchObject([{ list: "cnep", kind: "Multa", endsOn: null, endKnown: false, scope: null }]);
  });

  test("does not call an end known that is missing or before the start", () => {
    const [row] = fixture("recorded-ceis.json") as Record<string, unknown>[];
    const read = (dataFimSancao: unknown) =>
      readSanctions("ceis")(answerOf([{ ...row, dataFimSancao, tipoSancao: { descricaoResumida: "Impedimento" } }]));
    expect(read("Sem informação").records[0]).toMatchObject({ endsOn: null, endKnown: false });
    expect(read("01/01/2001")).toMatchObject({ records: [{ endsOn: null, endKnown: false }], complaints: [{}] });
  });
});

const readers: Record<string, { reader: () => AnswerReader<SourceRecord>; good: Record<string, unknown> }> = {
  agency: { reader: readAgencies, good: { codigo: "26435", descricao: "x" } },
  contract: { reader: readContracts, good: goodContract },
  item: { reader: () => readContractItems("9"), good: { numero: "1", descricao: "x", quantidade: 1, valor: "1,00" } },
  amendment: { reader: () => readAmendments("9"), good: { numero: "1", dataPublicacao: "", objetoAditivo: "" } },
  sanction: {
    reader: () => readSanctions("ceis"),
    good: (fixture("recorded-ceis.json") as Record<string, unknown>[])[0]!,
  },
};

describe.each(Object.entries(readers))("any payload as %s", (_, { reader, good }) => {
  const names = [...Object.keys(good), "unidadeGestora", "sancionado"];
  const strange = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(null, undefined, "", "Sem informação", -1, Infinity, "0022-01-01", "31/02/2024", "-1,00", [], {}),
  );
  const drifted = fc
    .array(fc.tuple(fc.constantFrom(...names), strange), { maxLength: 6 })
    .map((changes) => Object.assign(structuredClone(good), Object.fromEntries(changes)));

  test("is kept or rejected, never lost, and never a crash", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.jsonValue({ maxDepth: 3 }), drifted), { maxLength: 4 }), (rows) => {
        const reading = reader()(answerOf(rows));
        expect(reading.records.length + reading.rejects.length).toBe(rows.length);
        expect(() => JSON.stringify(reading)).not.toThrow();
      }),
      { numRuns: 1_000 },
    );
  });

  test("lets no CPF out unmasked, whichever field it comes in", () => {
    const cpf = fc
      .array(fc.integer({ min: 0, max: 9 }), { minLength: 9, maxLength: 9 })
      .map((digits) => withCheckDigits(digits.join("")))
      .filter((digits) => !/^(\d)\1+$/.test(digits));
    const written = cpf.chain((digits) =>
      fc.constantFrom(digits, `${digits.slice(0, 3)}.${digits.slice(3, 6)}.${digits.slice(6, 9)}-${digits.slice(9)}`),
    );
    // Eleven digits in a field for amounts are an amount.
    const amounts = new Set(["valorInicialCompra", "valorFinalCompra", "valor", "quantidade"]);
    const texts = names.filter((name) => !amounts.has(name));
    fc.assert(
      fc.property(written, fc.constantFrom(...texts), fc.boolean(), (text, name, nested) => {
        const bad: Record<string, unknown> = { ...good, [name]: nested ? { cpf: text, codigo: text } : text };
        const name2 = "fornecedor" in good ? "fornecedor" : "sancionado";
        bad[name2] ??= { nome: `MEI ${text}`, cpfFormatado: text, codigoFormatado: text };
        const out = JSON.stringify(reader()(answerOf([bad, { ...bad, id: text, numero: [text] }])));
        expect(out).not.toContain(text);
        expect(maskCpf(text)).not.toBeNull();
      }),
      { numRuns: 300 },
    );
  });
});

function withCheckDigits(nine: string): string {
  for (let check = 0; check < 100; check++) {
    const digits = `${nine}${String(check).padStart(2, "0")}`;
    if (maskCpfsInText(digits) !== digits) return digits;
  }
  return "00000000000";
}
