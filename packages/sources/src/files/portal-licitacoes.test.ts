import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipOf } from "@cidadao/testing/portal-downloads/start-portal-downloads";
import { afterAll, expect, test } from "vitest";
import { readFilesWhole } from "./read-files.ts";

const folder = mkdtempSync(join(tmpdir(), "cidadao-licitacoes-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Derived: the columns are those of the publisher's dictionary, the rows are made up. */
const csv = (...rows: string[][]) =>
  Buffer.from(rows.map((cells) => cells.map((cell) => `"${cell}"`).join(";") + "\n").join(""), "latin1");
const method = ["Código Modalidade Compra", "Modalidade Compra"];
const files = {
  "202401_Licitação.csv": csv(
    [
      "Número Licitação",
      "Código UG",
      "Nome UG",
      ...method,
      "Número Processo",
      "Objeto",
      "Situação Licitação",
      "Código Órgão Superior",
      "Nome Órgão Superior",
      "Código Órgão",
      "Nome Órgão",
      "UF",
      "Município",
      "Data Resultado Compra",
      "Data Abertura",
      "Valor Licitação",
    ],
    [
      "000012024",
      "110001",
      "UNIDADE",
      "5",
      "Pregão",
      "1",
      "Objeto: aquisição de água",
      "Encerrado",
      "20000",
      "PRESIDÊNCIA",
      "20101",
      "CASA",
      "DF",
      "BRASÍLIA",
      "02/01/2024",
      "01/01/2024",
      "1000,0000",
    ],
    [
      "000012024",
      "110001",
      "UNIDADE",
      "6",
      "Dispensa de Licitação",
      "2",
      "Objeto: outra",
      "Encerrado",
      "20000",
      "PRESIDÊNCIA",
      "20101",
      "CASA",
      "-3",
      "",
      "",
      "",
      "0,0000",
    ],
    ["", "110001", "UNIDADE", "5", "Pregão", "", "sem número", "", "", "", "20101", "CASA", "", "", "", "", ""],
  ),
  "202401_ItemLicitação.csv": csv(
    [
      "Número Licitação",
      "Código UG",
      "Nome UG",
      ...method,
      "Número Processo",
      "Código Órgão",
      "Nome Órgão",
      "Código Item Compra",
      "Descrição",
      "Quantidade Item",
      "Valor Item",
      "Código Vencedor",
      "Nome Vencedor",
    ],
    [
      "000012024",
      "110001",
      "UNIDADE",
      "5",
      "Pregão",
      "1",
      "20101",
      "CASA",
      "1100010500001202400001",
      "ÁGUA MINERAL",
      "10",
      "100,0000",
      "00000000000191",
      "BANCO",
    ],
    ["999992024", "110001", "UNIDADE", "5", "Pregão", "1", "20101", "CASA", "1", "ÓRFÃO", "10", "100,0000", "", ""],
  ),
  "202401_ParticipantesLicitação.csv": csv(
    [
      "Número Licitação",
      "Código UG",
      "Nome UG",
      ...method,
      "Número Processo",
      "Código Órgão",
      "Nome Órgão",
      "Código Item Compra",
      "Descrição Item Compra",
      "Código Participante",
      "Nome Participante",
      "Flag Vencedor",
    ],
    [
      "000012024",
      "110001",
      "UNIDADE",
      "5",
      "Pregão",
      "1",
      "20101",
      "CASA",
      "1",
      "ÁGUA",
      "00000000000191",
      "BANCO",
      "SIM",
    ],
    ["000012024", "110001", "UNIDADE", "5", "Pregão", "1", "20101", "CASA", "1", "ÁGUA", "52998224725", "MARIA", "NÃO"],
    ["999992024", "110001", "UNIDADE", "5", "Pregão", "1", "20101", "CASA", "1", "ÁGUA", "00000000000191", "B", "NÃO"],
    ["000012024", "110001", "UNIDADE", "5", "Pregão", "1", "20101", "CASA", "1", "ÁGUA", "00000000000191", "B", "NÃO"],
  ),
  "202401_EmpenhosRelacionados.csv": csv(
    [
      "Número Licitação",
      "Código UG",
      "Código Modalidade de Compra",
      "Modalidade compra",
      "Código Empenho",
      "Data Emissão Empenho",
      "Observação Empenho",
      "Valor Empenho (R$)",
    ],
    ["000012024", "110001", "5", "Pregão", "110001000012024NE000007", "15/01/2024", "Água", "1.000,00"],
    ["000012024", "110001", "5", "Pregão", "", "15/01/2024", "Sem código", "1,00"],
    ["999992024", "110001", "5", "Pregão", "110001000012024NE000008", "15/01/2024", "Órfão", "1,00"],
  ),
};

test("the monthly zip of procedures gives each with its items, who bid for them, and its commitments", async () => {
  const zip = join(folder, "202401_licitacoes.zip");
  writeFileSync(zip, await zipOf(files));
  const { batch, summary } = await readFilesWhole({ paths: [zip], retrievedAt: "2024-02-15T12:00:00Z" });
  expect(
    batch.contracts.map(({ provenance, object, procurementMethod, directAwardKind }) => ({
      id: provenance.sourceId,
      url: provenance.url,
      object,
      procurementMethod,
      directAwardKind,
    })),
  ).toEqual([
    {
      id: "licitacao/110001-5-000012024",
      url: "https://portaldatransparencia.gov.br/download-de-dados/licitacoes/202401",
      object: "aquisição de água",
      procurementMethod: "open",
      directAwardKind: null,
    },
    {
      id: "licitacao/110001-6-000012024",
      url: "https://portaldatransparencia.gov.br/download-de-dados/licitacoes/202401",
      object: "outra",
      procurementMethod: "direct",
      directAwardKind: "waived",
    },
  ]);
  expect(batch.items).toEqual([
    expect.objectContaining({
      contractId: "licitacao/110001-5-000012024",
      description: "ÁGUA MINERAL",
      quantity: 10,
      unitPriceCents: null,
    }),
  ]);
  expect(batch.commitments).toMatchObject([
    {
      provenance: { sourceId: "licitacao/110001-5-000012024/empenho/110001000012024NE000007" },
      contractId: "licitacao/110001-5-000012024",
      issuedOn: "2024-01-15",
      amountCents: 100_000,
    },
  ]);
  const counts = Object.fromEntries(summary.complaints.map(({ kind, count }) => [kind, count]));
  expect(batch.tenderers).toMatchObject([
    {
      tenderId: "licitacao/110001-5-000012024",
      itemNumber: "1",
      kind: "company",
      taxId: "00000000000191",
      name: "BANCO",
      isWinner: true,
    },
    { kind: "person", taxId: "***.982.247-**", isWinner: false },
  ]);
  expect(counts).toMatchObject({
    "unusable-record": 2,
    "orphan-item": 1,
    "orphan-tenderer": 1,
    "orphan-commitment": 1,
    "duplicate-id-different-content": 1,
  });
  expect(JSON.stringify(batch)).not.toContain("52998224725");
});

test("a file of procedures under the other name of a column is read too, and one without it says what it lacks", async () => {
  const header = [
    "Número Licitação",
    "Código UG",
    "Código Modalidade de Compra",
    "Modalidade de Compra",
    "Objeto",
    "Código Órgão",
  ];
  const row = ["1", "110001", "5", "Pregão", "água", "20101"];
  const other = join(folder, "outra.csv");
  writeFileSync(other, csv(header, row));
  expect((await readFilesWhole({ paths: [other] })).batch.contracts).toHaveLength(1);
  const without = join(folder, "sem.csv");
  writeFileSync(without, csv(header.toSpliced(2, 1), row.toSpliced(2, 1)));
  const { batch, summary } = await readFilesWhole({ paths: [without] });
  expect(batch.contracts).toHaveLength(0);
  expect(summary.complaints).toContainEqual(expect.objectContaining({ kind: "missing-column" }));
});
