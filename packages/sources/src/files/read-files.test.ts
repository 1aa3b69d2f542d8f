import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import type { Batch } from "./define-file-format.ts";
import { readFilesWhole, type ReadProgress, type ReadRequest, type ReadSummary } from "./read-files.ts";

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
    const { summary } = await readFilesWhole({ paths: [AMENDMENTS, ITEMS, CONTRACTS] });
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
    const { batch } = await readFilesWhole({ paths: [CONTRACTS], retrievedAt: RETRIEVED_AT, sample: "a sample" });
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
    const { batch } = await readFilesWhole({ paths: [CONTRACTS, ITEMS, AMENDMENTS] });
    const ids = new Set(batch.contracts.map((contract) => contract.provenance.sourceId));
    const details = [...batch.items, ...batch.amendments];
    expect(details.filter((detail) => !ids.has(detail.contractId))).toEqual([]);
    expect(new Set(details.map((detail) => detail.provenance.sourceId)).size).toBe(details.length);
  });

  test("keeps its ids whatever the order of the rows", async () => {
    const [header, ...rows] = decoded(CONTRACTS).trim().split("\n");
    const shuffled = write("202401_Compras.csv", [header, ...rows.toReversed()].join("\n"));
    const ids = (batch: Batch) => batch.contracts.map((contract) => contract.provenance.sourceId).sort();
    const [one, other] = [await readFilesWhole({ paths: [CONTRACTS] }), await readFilesWhole({ paths: [shuffled] })];
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
    const expected = (await readFilesWhole({ paths: [CONTRACTS], retrievedAt: RETRIEVED_AT })).batch.contracts;
    for (const variant of variants) {
      const { batch } = await readFilesWhole({ ...variant, retrievedAt: RETRIEVED_AT });
      expect(batch.contracts).toEqual(expected);
    }
    const piped = await readFilesWhole({
      paths: ["-"],
      stdin: slices(readFileSync(CONTRACTS)),
      retrievedAt: RETRIEVED_AT,
    });
    const withoutUrl = ({ provenance: _, ...contract }: Batch["contracts"][number]) => contract;
    expect(piped.batch.contracts.map(withoutUrl)).toEqual(expected.map(withoutUrl));
  });

  test("tells how far it has come", async () => {
    const seen: ReadProgress[] = [];
    await readFilesWhole({ paths: [CONTRACTS], onProgress: (progress) => void seen.push(progress) });
    expect(seen.at(-1)!.readBytes).toBe(seen.at(-1)!.sizeBytes);
    expect(seen.at(-1)!.sizeBytes).toBe(readFileSync(CONTRACTS).length);
  });
});

describe("the other formats", () => {
  test("purchases without tender: law and clause, one supplier, unit prices from line totals", async () => {
    const { batch, summary } = await readFilesWhole({ paths: [join(fixtures, "comprasgov-dispensas.jsonl")] });
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
    const { batch, summary } = await readFilesWhole({ paths });
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

  test("a history that may be of either of two units' contracts is of neither", async () => {
    const { dados } = JSON.parse(readFileSync(join(fixtures, "comprasgov-contratos.json"), "utf8")) as {
      dados: object[];
    };
    const doubled = [...dados, ...dados.map((contract) => ({ ...contract, codigoUnidadeGestora: "110001" }))];
    const contracts = write("contratos.json", JSON.stringify({ dados: doubled }));
    const { batch, summary } = await readFilesWhole({
      paths: [contracts, join(fixtures, "comprasgov-historico.json")],
    });
    expect(batch.contracts.map(({ initialValueCents }) => initialValueCents)).toEqual([null, null, null, null]);
    expect(batch.amendments).toEqual([]);
    expect(countOf(summary, "ambiguous-contract-key")).toBe(11);
  });

  test("PNCP contracts: revenue stays out, the buyer's sphere and state are told", async () => {
    const file = join(fixtures, "pncp-contratos.json");
    const { batch, summary } = await readFilesWhole({ paths: [file] });
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
      const again = await readFilesWhole({ paths: [write("pncp.json", text)] });
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
    const { batch, summary } = await readFilesWhole({ paths: [write("pncp.jsonl", JSON.stringify(row))] });
    expect(batch.contracts[0]).toMatchObject({ supplierKind: "person", supplierTaxId: "***.982.247-**" });
    expect(JSON.stringify(batch)).not.toMatch(/529\.?982\.?247-?25/);
    expect(countOf(summary, "cpf-masked")).toBe(1);
    expect(countOf(summary, "digit-shift")).toBe(1);
  });

  test("PNCP procurements: estimate, award, law, and no supplier", async () => {
    const { batch } = await readFilesWhole({ paths: [join(fixtures, "pncp-contratacoes.json")] });
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
    const { batch, summary } = await readFilesWhole({
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
    const { batch, summary } = await readFilesWhole({ paths: [], sanctions });
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
    const { batch, summary } = await readFilesWhole({
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
