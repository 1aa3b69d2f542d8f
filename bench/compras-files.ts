import { createWriteStream, readFileSync } from "node:fs";
import path from "node:path";
import { once } from "node:events";
import { gunzipSync } from "node:zlib";

const FILES = [
  { name: "202401_Compras.csv", number: "Número do Contrato" },
  { name: "202401_ItemCompra.csv", number: "Número Contrato" },
  { name: "202401_TermoAditivo.csv", number: "Número Contrato" },
] as const;
const SEPARATOR = '";"';

/**
 * The Portal's three files of January 2024 written again and again, each time with other contract numbers, until they
 * have `rows` rows together: cp1252 and quoted as published. Returns their paths and the rows they really have.
 */
export async function writeComprasFiles(folder: string, rows: number): Promise<{ paths: string[]; rows: number }> {
  const originals = FILES.map((file) => ({ ...file, ...readOriginal(file) }));
  const perRound = originals.reduce((sum, { lines }) => sum + lines.length, 0);
  const rounds = Math.max(1, Math.round(rows / perRound));
  const paths: string[] = [];
  for (const { name, header, column, lines } of originals) {
    const target = path.join(folder, name);
    const out = createWriteStream(target, "latin1");
    out.write(`${header}\n`);
    for (let round = 0; round < rounds; round++) {
      const text = lines
        .map((fields) => fields.with(column, renumbered(fields[column]!, round)).join(SEPARATOR))
        .join("\n");
      if (!out.write(`${text}\n`)) await once(out, "drain");
    }
    out.end();
    await once(out, "finish");
    paths.push(target);
  }
  return { paths, rows: rounds * perRound };
}

function readOriginal({ name, number }: (typeof FILES)[number]) {
  const packed = readFileSync(new URL(`../data/portal-compras-202401/${name}.gz`, import.meta.url));
  const [header, ...rest] = gunzipSync(packed).toString("latin1").split("\n");
  const columns = header!.split(SEPARATOR);
  const column = columns.findIndex((one) => one.replaceAll('"', "").trim() === number);
  // Texts with line breaks or quotes of their own would need a parser; they are left out.
  const lines = rest.map((line) => line.split(SEPARATOR)).filter(({ length }) => length === columns.length);
  return { header: header!, column, lines };
}

/** A number of its own in each round; the opening quote of a first field stays in its place. */
function renumbered(number: string, round: number): string {
  const [quote, digits] = number.startsWith('"') ? ['"', number.slice(1)] : ["", number];
  return `${quote}${round}-${digits}`;
}
