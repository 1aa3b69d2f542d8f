import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fileFormats } from "./formats.ts";
import { readFilesWhole, type ReadRequest } from "./read-files.ts";

const formats = fileFormats.filter(({ id }) => id !== "ocds");

/** Complaints about rows that gave no record; the others are about fields of records that came. */
const LOST = new Set([
  "ambiguous-contract-key",
  "broken-csv-row",
  "broken-json",
  "duplicate-id-different-content",
  "duplicate-row",
  "orphan-amendment",
  "orphan-commitment",
  "orphan-item",
  "orphan-tenderer",
  "revenue-contract",
  "unusable-record",
]);

const wireNames = [
  "kind",
  "id",
  "contrato_id",
  "dados",
  "data",
  "numeroContrato",
  "niFornecedor",
  "numeroControlePNCP",
  "itens",
  "co_uasg",
  "modalidadeId",
  "provenance",
  "number",
  "contractId",
  "object",
  "receita",
  "orgaoEntidade",
];
const wireText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "contract",
    "item",
    "amendment",
    "sanction",
    "ceis",
    "529.982.247-25",
    "52998224725",
    "00394460005887-2-000001/2025",
    "00394460005887-1-000001/2025",
    "\ud800",
    "__proto__",
  ),
);
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    wireText,
    fc.double(),
    fc.constantFrom(null, true, Infinity, -1),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...wireNames), wireText), tie("value"), { maxKeys: 8 }),
  ),
})).value;

describe.each(formats.map(({ id }) => id))("%s", (format) => {
  test("reads any bytes without a crash, and says something about them", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const { records, complaints } = await readAll({ format, paths: ["-"], stdin: once(Buffer.from(bytes)) });
        expect(records + complaints).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 150 },
    );
  });

  test("reads any JSON without a crash and without a CPF", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(json, { maxLength: 5 }), fc.boolean(), async (rows, asDocument) => {
        const text = asDocument ? JSON.stringify(rows, null, 1) : rows.map((row) => JSON.stringify(row)).join("\n");
        const { batch } = await readAll({ format, paths: ["-"], stdin: once(Buffer.from(text)) });
        expect(JSON.stringify({ ...batch, complaints: [] })).not.toMatch(/529\.?982\.?247-?25/);
      }),
      { numRuns: 150 },
    );
  });
});

test("every line of canonical JSON is a record or a counted complaint", async () => {
  const row = fc.oneof(
    fc.dictionary(fc.constantFrom(...wireNames), json, { maxKeys: 6 }),
    fc.constant("{oops"),
    fc.constant(7),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 2, maxLength: 10 }), async (rows) => {
      const lines = ["{}", ...rows.map((entry) => (entry === "{oops" ? entry : JSON.stringify(entry)))];
      const enveloped = rows.some((entry) => typeof entry === "object" && ("data" in entry || "dados" in entry));
      fc.pre(!enveloped);
      const { records, lost } = await readAll({
        format: "canonical",
        paths: ["-"],
        stdin: once(Buffer.from(lines.join("\n"))),
      });
      expect(records + lost).toBe(lines.length);
    }),
  );
});

test("every row of a CSV is a record or a counted complaint", async () => {
  const header = "Número do Contrato;Código Órgão;Código UG;Código Contratado";
  const cell = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("1", "52998224725", '"a;b"', '"a""b"', '"', ";"),
  );
  const row = fc
    .array(cell, { minLength: 1, maxLength: 5 })
    .map((cells) => cells.join(";").replaceAll(/[\r\n]/g, " "))
    .filter((line) => line.trim() !== "");
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 12 }), async (rows) => {
      const text = [header, ...rows].join("\n");
      const { batch, records, lost } = await readAll({
        format: "portal-compras",
        paths: ["-"],
        stdin: once(Buffer.from(text)),
      });
      const joined = batch.contracts.filter(({ number, unitCode, supplierName }) =>
        `${number}${unitCode}${supplierName}`.includes("\n"),
      );
      // A quote may join lines, so there can be fewer records than lines, and never more.
      expect(records + lost).toBeLessThanOrEqual(rows.length);
      expect(records + lost).toBeGreaterThanOrEqual(text.includes('"') ? 0 : rows.length);
      expect(joined.length).toBeLessThanOrEqual(records);
    }),
  );
});

test("lists of sanctions of any content are read without a crash", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: "binary" }),
        json.map((value) => JSON.stringify([value])),
      ),
      async (text) => {
        const content = `cnpjcpf,nome,data_final\n${text}`;
        await readAll({ paths: [], sanctions: ["-"], stdin: once(Buffer.from(content)) });
        const { records, complaints } = await readAll({ paths: [], sanctions: ["-"], stdin: once(Buffer.from(text)) });
        expect(records + complaints).toBeGreaterThanOrEqual(1);
      },
    ),
  );
});

async function readAll(request: ReadRequest) {
  const { batch } = await readFilesWhole(request);
  const records =
    batch.contracts.length +
    batch.items.length +
    batch.amendments.length +
    batch.sanctions.length +
    batch.registrations.length;
  const lost = batch.complaints.filter(({ kind }) => LOST.has(kind)).reduce((sum, { count }) => sum + count, 0);
  return { batch, records, lost, complaints: batch.complaints.length };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  if (bytes.length > 0) yield bytes;
}
