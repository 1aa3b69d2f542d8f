import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipOf } from "@cidadao/testing/portal-downloads/start-portal-downloads";
import { afterAll, describe, expect, test } from "vitest";
import { readFilesWhole } from "./read-files.ts";

const folder = mkdtempSync(join(tmpdir(), "cidadao-licitacon-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Derived: columns as public programs name them, UTF-8 with a mark of order, commas and quotes; the rows are made up. */
const csv = (...rows: string[][]) =>
  `\uFEFF${rows.map((cells) => cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")).join("\r\n")}\r\n`;
const KEY = [
  "CD_ORGAO",
  "NR_LICITACAO",
  "ANO_LICITACAO",
  "CD_TIPO_MODALIDADE",
  "NR_CONTRATO",
  "ANO_CONTRATO",
  "TP_INSTRUMENTO",
];
const contractColumns = [
  ...KEY,
  "NM_ORGAO",
  "TP_DOCUMENTO",
  "NR_DOCUMENTO",
  "DT_INICIO_VIGENCIA",
  "DT_FINAL_VIGENCIA",
  "VL_CONTRATO",
  "DT_ASSINATURA",
  "DS_OBJETO",
  "LINK_LICITACON_CIDADAO",
];
const term = ["2024-02-01 00:00:00", "2025-01-31 00:00:00"];
const auction = ["53100", "36", "2024", "PRE", "15", "2024", "C"];
const award = ["53100", "7", "2024", "PRI", "15", "2024", "A"];
const link = "https://portal.tce.rs.gov.br/aplicprod/f?p=50500:5:::NO::P5_CONTRATO:1";
const files: Record<string, string> = {
  "comissao.csv": csv(["CD_ORGAO", "NR_COMISSAO"], ["53100", "1"]),
  "contrato.csv": csv(
    contractColumns,
    [
      ...auction,
      "PM DE NOVA PALMA",
      "J",
      "15195707000178",
      ...term,
      "3489.30",
      "2024-01-31",
      'Papel "A4", com\nponto',
      link,
    ],
    [...award, "PM DE NOVA PALMA", "F", "52998224725", ...term, "100", "2024-01-31", "Curso", "javascript:alert(1)"],
    ["53100", "", "", "XYZ", "16", "2024", "C", "DAER", "J", "1", ...term, "abc", "0202-01-31", "Obra", ""],
    [...auction, "PM DE NOVA PALMA", "J", "15195707000178", ...term, "9.00", "2024-01-31", "Outra coisa", ""],
    ["53100", "", "", "", "", "2024", "C", "DAER", "J", "", ...term, "1", "", "sem número", ""],
  ),
  "item_con.csv": csv(
    [...KEY, "NR_LOTE", "NR_ITEM", "QT_ITENS", "VL_ITEM", "VL_TOTAL_ITEM"],
    [...auction, "1", "2", "12.5", "279.144", "3489.30"],
    [...auction, "1", "2", "12.5", "279.144", "3489.30"],
    ["53100", "36", "2024", "PRE", "99", "2024", "C", "1", "1", "1", "1.00", "1.00"],
  ),
  "alteracao.csv": csv(
    [...KEY, "SQ_EVENTO", "CD_TIPO_OPERACAO", "VL_ACRESCIMO", "VL_REDUCAO", "DS_JUSTIFICATIVA"],
    [...auction, "1", "ACA", "872.33", "", "mais\0 papel"],
    [...auction, "2", "RJP", "100.00", "", "índice"],
    [...auction, "2", "AGF", "", "", ""],
    [...auction, "3", "???", "", "50.00", ""],
  ),
  "pessoas.csv": csv(
    ["TP_DOCUMENTO", "NR_DOCUMENTO", "NM_PESSOA", "TP_PESSOA"],
    ["J", "15195707000178", "GRÁFICA LTDA", "PJ"],
    ["F", "52998224725", "MARIA", "PF"],
  ),
};

async function readZip(name: string, content: Record<string, string>) {
  const path = join(folder, name);
  const entries = Object.entries(content).map(([file, text]) => [file, Buffer.from(text)] as const);
  writeFileSync(path, await zipOf(Object.fromEntries(entries)));
  return readFilesWhole({ paths: [path], retrievedAt: "2025-01-01T00:00:00Z" });
}

describe("a year of LicitaCon", async () => {
  const { batch, summary } = await readZip("2024.csv.zip", files);
  const [first, second, third] = batch.contracts;
  const reasons = (kind: string) => batch.complaints.filter((one) => one.kind === kind);

  test("is recognised in its zip, and what is not read of it is said", () => {
    expect(summary.files.filter(({ format }) => format === "licitacon-contratos")).toHaveLength(4);
    expect(reasons("unread-file")).toMatchObject([{ file: expect.stringContaining("comissao.csv") as string }]);
  });

  test("gives contracts with the names of their suppliers, values with a decimal dot and days without their time", () => {
    expect(batch.contracts).toHaveLength(3);
    expect(first).toMatchObject({
      provenance: { source: "tce-rs", sourceId: "53100/C-15-2024/PRE-36-2024", url: link },
      number: "15/2024",
      object: 'Papel "A4", com\nponto',
      procurementMethod: "open",
      procurementMethodDetails: "Pregão Eletrônico",
      agencyCode: "53100",
      agencyName: "PM DE NOVA PALMA",
      supplierTaxId: "15195707000178",
      supplierName: "GRÁFICA LTDA",
      buyerSphere: "municipal",
      buyerState: "RS",
      signedOn: "2024-01-31",
      startsOn: "2024-02-01",
      endsOn: "2025-01-31",
      initialValueCents: 348_930,
    });
  });

  test("tells instruments of one number apart, masks persons, and takes no link but a page's", () => {
    expect(second).toMatchObject({
      number: "15/2024",
      directAwardKind: "no_competition",
      supplierKind: "person",
      supplierTaxId: "***.982.247-**",
      provenance: { url: expect.stringMatching(/^https:\/\/dados\.tce\.rs\.gov\.br/) as string },
    });
    expect(JSON.stringify(batch)).not.toContain("52998224725");
  });

  test("reads what makes no sense as nothing, and says so", () => {
    expect(third).toMatchObject({
      procurementMethod: "unknown",
      buyerSphere: "unknown",
      initialValueCents: null,
      signedOn: null,
    });
    for (const kind of ["unknown-method", "not-an-amount", "impossible-date", "duplicate-id-different-content"]) {
      expect(reasons(kind)).toHaveLength(1);
    }
    expect(reasons("unusable-record")).toHaveLength(1);
  });

  test("gives items once, with their unit price, and none of a contract that is not there", () => {
    expect(batch.items).toMatchObject([
      { contractId: first!.provenance.sourceId, number: "1/2", quantity: 12.5, unitPriceCents: 27_914 },
    ]);
    expect(reasons("duplicate-row")).toHaveLength(1);
    expect(reasons("orphan-item")).toHaveLength(1);
  });

  test("tells amendments of what is bought from new prices by an index and from the rest", () => {
    expect(
      batch.amendments.map(({ number, kind, increaseCents, decreaseCents }) => [
        number,
        kind,
        increaseCents,
        decreaseCents,
      ]),
    ).toEqual([
      ["1", "amendment", 87_233, null],
      ["2", "endorsement", 10_000, null],
      ["2", "other", null, null],
      ["3", "other", null, 5_000],
    ]);
    expect(batch.amendments[0]).toMatchObject({ object: "mais  papel" });
  });
});

test("names of suppliers are missing where their file is, and nothing else", async () => {
  const { batch } = await readZip("sem-pessoas.zip", { "contrato.csv": files["contrato.csv"]! });
  expect(batch.contracts[0]).toMatchObject({ supplierTaxId: "15195707000178", supplierName: "Não informado" });
});
