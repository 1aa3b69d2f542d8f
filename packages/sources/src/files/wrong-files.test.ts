import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { readFilesWhole, type ReadSummary } from "./read-files.ts";

const CONTRACTS = join(import.meta.dirname, "../../../../data/portal-compras-202401/202401_Compras.csv.gz");

const folder = mkdtempSync(join(tmpdir(), "cidadao-wrong-files-"));
afterAll(() => rmSync(folder, { recursive: true }));
let written = 0;

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
    const { batch, summary } = await readFilesWhole({
      paths: [write("compras.csv", [header, ...rows, last, ""].join("\n"))],
    });
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
    const { summary } = await readFilesWhole({ paths: [write("compras.csv", lines.join("\n"))] });
    expect(placesOf(summary, "broken-csv-row")).toEqual([4]);
    expect(placesOf(summary, "unknown-supplier-code")).toEqual([5]);
  });

  test("read a cell of several lines as one", async () => {
    const lines = [
      header,
      row({ ...good, Objeto: 'uma "" ponte\nde dois\r\nandares' }),
      row({ ...good, "Número do Contrato": "2" }),
    ];
    const { batch, summary } = await readFilesWhole({ paths: [write("compras.csv", lines.join("\n"))] });
    expect(batch.contracts.map(({ object }) => object)).toEqual(['uma " ponte\nde dois\nandares', null]);
    expect(countOf(summary, "broken-csv-row")).toBe(0);
  });

  test("stop where a required column is missing, and say which", async () => {
    const file = write("compras.csv", '"Número do Contrato";"Objeto"\n"1";"x"\n');
    const { summary } = await readFilesWhole({ paths: [file] });
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
    const { summary } = await readFilesWhole({ paths: [write("compras.csv", lines.join("\n"))] });
    expect(summary.contracts).toBe(2);
    expect(countOf(summary, "missing-column")).toBe(14);
  });

  test("keep what came before the end of a cut gzip", async () => {
    const { summary } = await readFilesWhole({
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
    const { batch, summary } = await readFilesWhole({ paths: [write("dados.jsonl", mixed)] });
    expect(batch.contracts.slice(-2).map(({ object }) => object)).toEqual(["ação – “x”", "ação – “x”"]);
    expect(placesOf(summary, "encoding-fallback")).toEqual([30_002]);
    expect(countOf(summary, "mixed-encoding")).toBe(1);
  });

  test("count broken JSON and go on, by lines and in a document", async () => {
    const good = '{"kind":"contract","object":"x"}';
    const lines = await readFilesWhole({
      paths: [write("dados.jsonl", [good, "{", "not json", "[1]", good].join("\n"))],
    });
    expect(lines.summary).toMatchObject({ contracts: 2 });
    expect(placesOf(lines.summary, "broken-json")).toEqual([2, 3]);
    const document = await readFilesWhole({
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
    const { summary } = await readFilesWhole({ paths: [write("itens.csv", lines.join("\n")), contracts] });
    expect(summary).toMatchObject({ contracts: 2, items: 0 });
    expect(placesOf(summary, "ambiguous-contract-key")).toEqual([2]);
    expect(placesOf(summary, "orphan-item")).toEqual([3]);
  });

  test("tell records of files with the same name apart", async () => {
    const paths = ["a", "b"].map((name) => {
      mkdirSync(join(folder, name));
      return join(folder, name, "dados.jsonl");
    });
    for (const path of paths) writeFileSync(path, JSON.stringify({ kind: "contract", object: path }));
    const { batch } = await readFilesWhole({ paths });
    expect(batch.contracts.map(({ provenance }) => provenance.sourceId)).toEqual([
      "dados.jsonl#L1",
      "dados.jsonl~2#L1",
    ]);
  });

  test("complain about an empty file", async () => {
    const { summary } = await readFilesWhole({
      paths: [write("nada.csv", ""), write("branco.json", "\n \n"), CONTRACTS],
    });
    expect(countOf(summary, "empty-file")).toBe(2);
    expect(summary.contracts).toBe(3808);
  });

  test("refuse what cannot be opened or recognised, with what to do", async () => {
    const zip = write("compras.zip", "PK\u0003\u0004");
    await expect(readFilesWhole({ paths: [join(folder, "nowhere.csv")] })).rejects.toMatchObject({
      code: "invalid_request",
    });
    await expect(readFilesWhole({ paths: [folder] })).rejects.toThrow(/é uma pasta/);
    await expect(readFilesWhole({ paths: [zip] })).rejects.toThrow(/não é um zip inteiro/);
    await expect(readFilesWhole({ paths: [write("x.csv", "a,b\n1,2")] })).rejects.toThrow(
      /começa com «a,b».*portal-compras/s,
    );
    await expect(readFilesWhole({ paths: [write("r.json", '{"ocid":"x"}')] })).rejects.toThrow(/OCDS/);
  });
});

function write(name: string, content: string | Buffer): string {
  const file = join(folder, `${++written}-${name}`);
  writeFileSync(file, content);
  return file;
}

function decoded(file: string): string {
  return new TextDecoder("windows-1252").decode(gunzipSync(readFileSync(file)));
}

function countOf(summary: ReadSummary, kind: string): number {
  return summary.complaints.find((complaint) => complaint.kind === kind)?.count ?? 0;
}

function placesOf(summary: ReadSummary, kind: string): number[] {
  return summary.complaints.find((complaint) => complaint.kind === kind)?.places.map(({ line }) => line) ?? [];
}
