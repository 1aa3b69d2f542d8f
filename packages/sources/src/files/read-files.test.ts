import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import type { Batch } from "./define-file-format.ts";
import { readFiles, type ReadProgress, type ReadRequest, type ReadSummary } from "./read-files.ts";

const data = join(import.meta.dirname, "../../../../data");
const compras = join(data, "portal-compras-202401");
const fixtures = join(import.meta.dirname, "fixtures");
const CONTRACTS = join(compras, "202401_Compras.csv.gz");
const ITEMS = join(compras, "202401_ItemCompra.csv.gz");
const AMENDMENTS = join(compras, "202401_TermoAditivo.csv.gz");
const RETRIEVED_AT = "2024-02-01T00:00:00.000Z";

const folder = mkdtempSync(join(tmpdir(), "cidadao-files-"));
afterAll(() => rmSync(folder, { recursive: true }));
let written = 0;

describe("a month of the Portal's purchases", () => {
  test("gives every row as a record or as a counted complaint", async () => {
    const { summary } = await readAll({ paths: [AMENDMENTS, ITEMS, CONTRACTS] });
    const rows = { contracts: 3810, items: 11_989, amendments: 674 };
    const lost = ["duplicate-row", "duplicate-id-different-content", "ambiguous-contract-key"] as const;
    const given = summary.contracts + summary.items + summary.amendments;
    const complained = lost.reduce((sum, kind) => sum + countOf(summary, kind), 0);
    expect(given + complained).toBe(rows.contracts + rows.items + rows.amendments);
    expect(summary).toMatchObject({ contracts: 3808, items: 11_843, amendments: 671, sanctions: 0 });
    expect(countOf(summary, "zero-amount")).toBe(16);
    expect(countOf(summary, "encoding-fallback")).toBe(0);
    expect(countOf(summary, "cpf-masked")).toBe(0);
  });

  test("is read as the Portal's API would give it", async () => {
    const { batch } = await readAll({ paths: [CONTRACTS], retrievedAt: RETRIEVED_AT, sample: "a sample" });
    expect(batch.contracts[0]).toMatchObject({
      provenance: {
        source: "portal-transparencia",
        sourceId: expect.stringMatching(/^200356-000342023-[0-9a-f]{12}$/) as string,
        url: "https://portaldatransparencia.gov.br/download-de-dados/compras/202401",
        retrievedAt: RETRIEVED_AT,
        sample: "a sample",
      },
      number: "000342023",
      procurementMethod: "open",
      procurementMethodDetails: "Pregão - Registro de Preço",
      agencyCode: "30108",
      supplierKind: "secret",
      supplierTaxId: null,
      signedOn: "2023-12-30",
      endsOn: "2024-12-30",
      initialValueCents: 258_897,
      legalBasis: null,
    });
    const kinds = batch.contracts.map((contract) => contract.directAwardKind);
    expect(kinds.filter((kind) => kind === "waived")).toHaveLength(660);
    expect(kinds.filter((kind) => kind === "no_competition")).toHaveLength(181);
    expect(batch.contracts.filter((contract) => contract.supplierKind === "secret")).toHaveLength(74);
    expect(new Set(batch.contracts.map((contract) => contract.provenance.sourceId)).size).toBe(3808);
  });

  test("links items and amendments to contracts that are there", async () => {
    const { batch } = await readAll({ paths: [CONTRACTS, ITEMS, AMENDMENTS] });
    const ids = new Set(batch.contracts.map((contract) => contract.provenance.sourceId));
    const details = [...batch.items, ...batch.amendments];
    expect(details.filter((detail) => !ids.has(detail.contractId))).toEqual([]);
    expect(new Set(details.map((detail) => detail.provenance.sourceId)).size).toBe(details.length);
  });

  test("keeps its ids whatever the order of the rows", async () => {
    const [header, ...rows] = decoded(CONTRACTS).trim().split("\n");
    const shuffled = write("202401_Compras.csv", [header, ...rows.toReversed()].join("\n"));
    const ids = (batch: Batch) => batch.contracts.map((contract) => contract.provenance.sourceId).sort();
    const [one, other] = [await readAll({ paths: [CONTRACTS] }), await readAll({ paths: [shuffled] })];
    expect(ids(other.batch)).toEqual(ids(one.batch));
  });

  test("says the same in UTF-8, with CRLF, packed and unpacked, and from a pipe", async () => {
    const text = decoded(CONTRACTS);
    const crlf = text.replaceAll("\n", "\r\n");
    const variants: ReadRequest[] = [
      { paths: [write("202401_Compras.csv", gunzipSync(readFileSync(CONTRACTS)))] },
      { paths: [write("202401_Compras.csv", text)] },
      { paths: [write("202401_Compras.csv", `\u{feff}${crlf}`)] },
      { paths: [write("202401_Compras.csv", gzipSync(crlf))] },
    ];
    const expected = (await readAll({ paths: [CONTRACTS], retrievedAt: RETRIEVED_AT })).batch.contracts;
    for (const variant of variants) {
      const { batch } = await readAll({ ...variant, retrievedAt: RETRIEVED_AT });
      expect(batch.contracts).toEqual(expected);
    }
    const piped = await readAll({ paths: ["-"], stdin: slices(readFileSync(CONTRACTS)), retrievedAt: RETRIEVED_AT });
    const withoutUrl = ({ provenance: _, ...contract }: Batch["contracts"][number]) => contract;
    expect(piped.batch.contracts.map(withoutUrl)).toEqual(expected.map(withoutUrl));
  });

  test("tells how far it has come", async () => {
    const seen: ReadProgress[] = [];
    await readAll({ paths: [CONTRACTS], onProgress: (progress) => void seen.push(progress) });
    expect(seen.at(-1)!.readBytes).toBe(seen.at(-1)!.sizeBytes);
    expect(seen.at(-1)!.sizeBytes).toBe(readFileSync(CONTRACTS).length);
  });
});

describe("the other formats", () => {
  test("purchases without tender: law and clause, one supplier, unit prices from line totals", async () => {
    const { batch, summary } = await readAll({ paths: [join(fixtures, "comprasgov-dispensas.jsonl")] });
    expect(summary.files.map((file) => file.format)).toEqual(["comprasgov-dispensas"]);
    expect(summary.complaints).toEqual([]);
    expect(batch.contracts.map((contract) => contract.legalBasis)).toEqual([
      "Lei 8.666/1993, art. 25, II",
      "Lei 8.666/1993, art. 24, XIII",
      "Lei 8.666/1993, art. 25, II",
      "Lei 8.666/1993, art. 25, II",
      "Lei 8.666/1993, art. 25, II",
    ]);
    expect(batch.contracts.map((contract) => contract.supplierKind)).toEqual([
      "company",
      "company",
      "unknown",
      "person",
      "unknown",
    ]);
    expect(batch.contracts[1]).toMatchObject({
      directAwardKind: "waived",
      initialValueCents: 1_389_500,
      signedOn: "2014-08-25",
      supplierTaxId: "03780605000130",
    });
    expect(batch.items[0]).toMatchObject({
      contractId: "16052807000012014",
      quantity: 4,
      unitPriceCents: 160_000,
      classificationScheme: "CATSER",
      classificationId: "17663",
      unitOfMeasure: "serviço",
    });
  });

  test("contracts with their history: the base line is the initial value, the rest are amendments", async () => {
    const paths = ["itens", "historico", "contratos"].map((name) => join(fixtures, `comprasgov-${name}.json`));
    const { batch, summary } = await readAll({ paths });
    const contract = batch.contracts.find(({ number }) => number === "09033/2021")!;
    expect(contract).toMatchObject({
      initialValueCents: 192_500_000,
      currentValueCents: 215_297_770,
      signedOn: "2021-11-10",
      provenance: {
        sourceId: "323031-09033/2021",
        url: expect.stringMatching(/^https:\/\/(?:pncp\.gov\.br|contratos\.comprasnet\.gov\.br)\//) as string,
      },
    });
    const own = batch.amendments.filter(({ contractId }) => contractId === contract.provenance.sourceId);
    expect(own.map(({ kind, valueAfterCents }) => [kind, valueAfterCents])).toEqual([
      ["amendment", 193_028_994],
      ["amendment", 193_028_994],
      ["endorsement", 215_297_770],
      ["amendment", 215_297_770],
    ]);
    expect(batch.items.map(({ unitPriceCents }) => unitPriceCents)).toEqual([215_297_770, 5_746_838]);
    expect(countOf(summary, "revenue-contract")).toBe(1);
    expect(batch).toMatchObject({ contracts: { length: 2 }, amendments: { length: 11 } });
  });

  test("PNCP contracts: revenue stays out, the buyer's sphere and state are told", async () => {
    const file = join(fixtures, "pncp-contratos.json");
    const { batch, summary } = await readAll({ paths: [file] });
    expect(countOf(summary, "revenue-contract")).toBe(1);
    expect(batch.contracts.map(({ buyerSphere, buyerState }) => [buyerSphere, buyerState])).toEqual([
      ["municipal", "RS"],
      ["state", "MS"],
    ]);
    expect(batch.contracts[1]).toMatchObject({
      provenance: { url: "https://pncp.gov.br/app/contratos/02585924000122/2025/3182", source: "pncp" },
      agencyCode: "02585924000122",
      unitCode: "02585924000122/50003542",
      publishedOn: "2025-06-24",
      initialValueCents: 4_861_832,
      category: "Compras",
    });
    const { data: rows } = JSON.parse(readFileSync(file, "utf8")) as { data: object[] };
    for (const text of [
      JSON.stringify(rows),
      rows.map((row) => JSON.stringify(row)).join("\n"),
      JSON.stringify({ url: "x", data: { data: rows } }, null, 2),
    ]) {
      const again = await readAll({ paths: [write("pncp.json", text)] });
      expect(again.batch.contracts.map(({ number }) => number)).toEqual(batch.contracts.map(({ number }) => number));
    }
  });

  test("PNCP contracts: a CPF is masked and a shifted digit is complained about", async () => {
    const row = {
      numeroControlePNCP: "00394460005887-2-000001/2025",
      niFornecedor: "52998224725",
      tipoPessoa: "PF",
      nomeRazaoSocialFornecedor: "MARIA 529.982.247-25",
      valorInicial: 1000,
      valorGlobal: 12_000,
      valorParcela: 100,
      numeroParcelas: 12,
    };
    const { batch, summary } = await readAll({ paths: [write("pncp.jsonl", JSON.stringify(row))] });
    expect(batch.contracts[0]).toMatchObject({ supplierKind: "person", supplierTaxId: "***.982.247-**" });
    expect(JSON.stringify(batch)).not.toMatch(/529\.?982\.?247-?25/);
    expect(countOf(summary, "cpf-masked")).toBe(1);
    expect(countOf(summary, "digit-shift")).toBe(1);
  });

  test("PNCP procurements: estimate, award, law, and no supplier", async () => {
    const { batch } = await readAll({ paths: [join(fixtures, "pncp-contratacoes.json")] });
    expect(batch.contracts[0]).toMatchObject({
      provenance: { url: "https://pncp.gov.br/app/editais/90940172000138/2025/25" },
      procurementMethod: "open",
      legalBasis: "Lei 14.133/2021, Art. 28, I",
      estimatedValueCents: 69_880_200,
      initialValueCents: 67_398_900,
      supplierKind: "unknown",
      signedOn: null,
      publishedOn: "2025-06-24",
    });
  });

  test("canonical lines of every kind", async () => {
    const lines = [
      {
        kind: "contract",
        id: "c1",
        object: "pontes",
        initialValueCents: 100,
        supplierTaxId: "12.ABC.345/01DE-35",
        agencyCode: 1,
        unitCode: "2",
        supplierName: "X",
      },
      { kind: "item", contractId: "c1", description: "ponte", quantity: 2.5, unitPriceCents: 40 },
      { kind: "amendment", contractId: "c1", amendmentKind: "amendment", increaseCents: 25 },
      { kind: "sanction", list: "ceis", taxId: "00000000000191", name: "X" },
      { kind: "registration", cnpj: "00000000000191", name: "X", partners: [{ name: "Y", taxId: "52998224725" }] },
      { kind: "contract" },
      { kind: "poem", text: "…" },
    ];
    const { batch, summary } = await readAll({
      paths: [write("dados.jsonl", lines.map((line) => JSON.stringify(line)).join("\n"))],
    });
    expect(batch.contracts).toMatchObject([
      {
        provenance: {
          source: "arquivo",
          sourceId: "c1",
          url: expect.stringMatching(/^arquivo:\d+-dados\.jsonl#L1$/) as string,
        },
        supplierTaxId: "12ABC34501DE35",
        supplierKind: "company",
        agencyCode: "1",
      },
    ]);
    expect(batch.items).toMatchObject([{ contractId: "c1", quantity: 2.5 }]);
    expect(batch.amendments).toMatchObject([{ kind: "amendment", increaseCents: 25 }]);
    expect(batch.sanctions).toMatchObject([{ taxId: "00000000000191", list: "ceis" }]);
    expect(batch.registrations).toMatchObject([{ partners: [{ taxId: "***.982.247-**" }] }]);
    expect(countOf(summary, "unusable-record")).toBe(2);
  });
});

describe("lists of sanctions", () => {
  test("the short CEIS, the Minas Gerais list and an answer of the API", async () => {
    const sanctions = [
      join(data, "sancoes/ceis-2020-companies.csv.gz"),
      join(fixtures, "mg-lei12846.csv"),
      join(data, "sancoes/cnep-recorded.json"),
    ];
    const { batch, summary } = await readAll({ paths: [], sanctions });
    expect(summary.sanctions + countOf(summary, "duplicate-row")).toBe(6805 + 1 + 1);
    expect(batch.sanctions[0]).toMatchObject({
      list: "ceis",
      taxId: "00009282000198",
      startsOn: null,
      endKnown: false,
    });
    expect(batch.sanctions.at(-2)).toMatchObject({
      provenance: { source: "cge-mg" },
      list: "cnep",
      taxId: "11753865000145",
      bodySphere: "state",
      legalBasis: ["Ajuste entre empresas para direcionar contratação"],
    });
    expect(batch.sanctions.at(-1)).toMatchObject({ list: "cnep", startsOn: "2025-01-23" });
  });

  test("the Portal's own columns, with CPFs masked", async () => {
    const header =
      "CADASTRO;CÓDIGO DA SANÇÃO;CPF OU CNPJ DO SANCIONADO;NOME DO SANCIONADO;CATEGORIA DA SANÇÃO;DATA INÍCIO SANÇÃO;DATA FINAL SANÇÃO;ÓRGÃO SANCIONADOR;UF ÓRGÃO SANCIONADOR;ESFERA ÓRGÃO SANCIONADOR";
    const rows = [
      "CEIS;10;52998224725;MARIA;Inidoneidade;01/02/2024;;CGU;DF;FEDERAL",
      "CEIS;11;00000000000191;X;Impedimento;01/02/2024;01/02/2023;CGU;DF;FEDERAL",
    ];
    const { batch, summary } = await readAll({
      paths: [],
      sanctions: [write("ceis.csv", Buffer.from([header, ...rows].join("\n"), "latin1"))],
    });
    expect(batch.sanctions).toMatchObject([
      { provenance: { sourceId: "ceis/10" }, taxId: "***.982.247-**", startsOn: "2024-02-01", bodySphere: "federal" },
      { taxId: "00000000000191", endsOn: null, endKnown: false },
    ]);
    expect(countOf(summary, "cpf-masked")).toBe(1);
    expect(countOf(summary, "ends-before-start")).toBe(1);
  });
});

describe("files that are wrong", () => {
  const header = decoded(CONTRACTS).split("\n", 1)[0]!;
  const row = (cells: Record<string, string>) =>
    header
      .split(";")
      .map((name) => `"${cells[name.slice(1, -1)] ?? ""}"`)
      .join(";");
  const good = {
    "Número do Contrato": "1",
    "Código Órgão": "20000",
    "Código UG": "110001",
    "Código Contratado": "00000000000191",
    "Valor Inicial Compra": "10,00",
  };

  test.each([
    ["broken-csv-row", [row(good), '"1";"2"']],
    ["broken-csv-row", ['"an open quote;"', row(good)]],
    ["duplicate-row", [row(good), row(good)]],
    ["duplicate-id-different-content", [row(good), row({ ...good, Objeto: "other" })]],
    ["zero-amount", [row({ ...good, "Valor Inicial Compra": "0,00" })]],
    ["negative-amount", [row({ ...good, "Valor Inicial Compra": "-1,00" })]],
    ["absurd-amount", [row({ ...good, "Valor Inicial Compra": "9999999999999999,00" })]],
    ["not-an-amount", [row({ ...good, "Valor Inicial Compra": "muito" })]],
    ["impossible-date", [row({ ...good, "Data Assinatura Contrato": "01/01/0022" })]],
    ["ends-before-start", [row({ ...good, "Data Início Vigência": "02/01/2024", "Data Fim Vigência": "01/01/2024" })]],
    ["cpf-masked", [row({ ...good, "Código Contratado": "52998224725", "Nome Contratado": "MARIA" })]],
    ["invalid-cnpj", [row({ ...good, "Código Contratado": "00000000000192" })]],
    ["unknown-supplier-code", [row({ ...good, "Código Contratado": "330656990" })]],
    ["unknown-method", [row({ ...good, "Modalidade Compra": "Sorteio" })]],
    ["unusable-record", [row({ ...good, "Código UG": "" })]],
    ["line-too-long", [`"${"x".repeat(17 * 1024 * 1024)}"`, row(good)]],
  ] as const)("count %s and go on", async (kind, rows) => {
    const last = row({ ...good, "Número do Contrato": "2" });
    const { batch, summary } = await readAll({ paths: [write("compras.csv", [header, ...rows, last, ""].join("\n"))] });
    expect(countOf(summary, kind)).toBeGreaterThanOrEqual(1);
    expect(batch.contracts.at(-1)!.number).toBe("2");
    expect(JSON.stringify(batch)).not.toContain("52998224725");
  });

  test("name the line on which it is", async () => {
    const lines = [
      header,
      row(good),
      "",
      '"1";"2"',
      row({ ...good, "Número do Contrato": "2", "Código Contratado": "1" }),
    ];
    const { summary } = await readAll({ paths: [write("compras.csv", lines.join("\n"))] });
    expect(placesOf(summary, "broken-csv-row")).toEqual([4]);
    expect(placesOf(summary, "unknown-supplier-code")).toEqual([5]);
  });

  test("read a cell of several lines as one", async () => {
    const lines = [
      header,
      row({ ...good, Objeto: 'uma "" ponte\nde dois\r\nandares' }),
      row({ ...good, "Número do Contrato": "2" }),
    ];
    const { batch, summary } = await readAll({ paths: [write("compras.csv", lines.join("\n"))] });
    expect(batch.contracts.map(({ object }) => object)).toEqual(['uma " ponte\nde dois\nandares', null]);
    expect(countOf(summary, "broken-csv-row")).toBe(0);
  });

  test("stop where a required column is missing, and say which", async () => {
    const file = write("compras.csv", '"Número do Contrato";"Objeto"\n"1";"x"\n');
    const { summary } = await readAll({ paths: [file] });
    expect(summary.contracts).toBe(0);
    expect(summary.complaints[0]).toMatchObject({ kind: "missing-column", count: 1 });
    expect(summary.complaints[0]!.example).toMatch(
      /Código Órgão, Código UG, Código Contratado; .*numero do contrato; objeto/,
    );
  });

  test("go on without an optional column, saying so once", async () => {
    const lines = [
      "Número do Contrato;Código Órgão;Código UG;Código Contratado",
      "1;2;3;00000000000191",
      "2;2;3;00000000000191",
    ];
    const { summary } = await readAll({ paths: [write("compras.csv", lines.join("\n"))] });
    expect(summary.contracts).toBe(2);
    expect(countOf(summary, "missing-column")).toBe(14);
  });

  test("keep what came before the end of a cut gzip", async () => {
    const { summary } = await readAll({
      paths: [write("202401_Compras.csv.gz", readFileSync(CONTRACTS).subarray(0, 200_000))],
    });
    expect(summary.contracts).toBeGreaterThan(1000);
    expect(countOf(summary, "truncated-gzip")).toBe(1);
  });

  test("tell a file that mixes charsets, even late", async () => {
    const lines = Array.from({ length: 30_000 }, (_, index) =>
      JSON.stringify({ kind: "contract", id: index, object: "obra" }),
    );
    const mixed = Buffer.concat([
      Buffer.from(`${lines.join("\n")}\n`),
      Buffer.from('{"kind":"contract","id":"a","object":"ação – “x”"}\n'),
      Buffer.from('{"kind":"contract","id":"b","object":"a\u00e7\u00e3o \u0096 \u0093x\u0094"}\n', "latin1"),
    ]);
    const { batch, summary } = await readAll({ paths: [write("dados.jsonl", mixed)] });
    expect(batch.contracts.slice(-2).map(({ object }) => object)).toEqual(["ação – “x”", "ação – “x”"]);
    expect(placesOf(summary, "encoding-fallback")).toEqual([30_002]);
    expect(countOf(summary, "mixed-encoding")).toBe(1);
  });

  test("count broken JSON and go on, by lines and in a document", async () => {
    const good = '{"kind":"contract","object":"x"}';
    const lines = await readAll({ paths: [write("dados.jsonl", [good, "{", "not json", "[1]", good].join("\n"))] });
    expect(lines.summary).toMatchObject({ contracts: 2 });
    expect(placesOf(lines.summary, "broken-json")).toEqual([2, 3]);
    const document = await readAll({
      paths: [write("dados.json", `{"x":1,\n"data":[\n${good},\n{"kind": oops},\n7,\n${good}`)],
    });
    expect(document.summary).toMatchObject({ contracts: 2 });
    expect(placesOf(document.summary, "broken-json")).toEqual([4, 2]);
    expect(placesOf(document.summary, "unusable-record")).toEqual([5]);
  });

  test("say that an item's contract is in no file, and that a key is two contracts'", async () => {
    const other = row({ ...good, "Valor Inicial Compra": "20,00" });
    const contracts = write("compras.csv", [header, row(good), other].join("\n"));
    const lines = ["Código UG;Número Contrato;Código Item Compra;Valor Item", "110001;1;5;1,00", "110001;9;5;1,00"];
    const { summary } = await readAll({ paths: [write("itens.csv", lines.join("\n")), contracts] });
    expect(summary).toMatchObject({ contracts: 2, items: 0 });
    expect(placesOf(summary, "ambiguous-contract-key")).toEqual([2]);
    expect(placesOf(summary, "orphan-item")).toEqual([3]);
  });

  test("complain about an empty file", async () => {
    const { summary } = await readAll({ paths: [write("nada.csv", ""), write("branco.json", "\n \n"), CONTRACTS] });
    expect(countOf(summary, "empty-file")).toBe(2);
    expect(summary.contracts).toBe(3808);
  });

  test("refuse what cannot be opened or recognised, with what to do", async () => {
    const zip = write("compras.zip", "PK\u0003\u0004");
    await expect(readAll({ paths: [join(folder, "nowhere.csv")] })).rejects.toMatchObject({ code: "invalid_request" });
    await expect(readAll({ paths: [folder] })).rejects.toThrow(/é uma pasta/);
    await expect(readAll({ paths: [zip] })).rejects.toThrow(/descompacte/);
    await expect(readAll({ paths: [write("x.csv", "a,b\n1,2")] })).rejects.toThrow(/começa com «a,b».*portal-compras/s);
    await expect(readAll({ paths: [write("r.json", '{"ocid":"x"}')] })).rejects.toThrow(/OCDS/);
  });
});

async function readAll(request: ReadRequest): Promise<{ batch: Batch; summary: ReadSummary }> {
  const reading = readFiles(request);
  const batch: Batch = { contracts: [], items: [], amendments: [], sanctions: [], registrations: [], complaints: [] };
  for await (const next of reading.batches) {
    batch.contracts.push(...next.contracts);
    batch.items.push(...next.items);
    batch.amendments.push(...next.amendments);
    batch.sanctions.push(...next.sanctions);
    batch.registrations.push(...next.registrations);
    batch.complaints.push(...next.complaints);
  }
  return { batch, summary: reading.summary() };
}

function write(name: string, content: string | Buffer): string {
  const file = join(folder, `${++written}-${name}`);
  writeFileSync(file, content);
  return file;
}

function decoded(file: string): string {
  return new TextDecoder("windows-1252").decode(gunzipSync(readFileSync(file)));
}

async function* slices(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += 1009) yield bytes.subarray(start, start + 1009);
}

function countOf(summary: ReadSummary, kind: string): number {
  return summary.complaints.find((complaint) => complaint.kind === kind)?.count ?? 0;
}

function placesOf(summary: ReadSummary, kind: string): number[] {
  return summary.complaints.find((complaint) => complaint.kind === kind)?.places.map(({ line }) => line) ?? [];
}
