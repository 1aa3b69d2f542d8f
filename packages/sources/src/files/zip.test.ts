import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { zipOf } from "@cidadao/testing/portal-downloads/start-portal-downloads";
import { afterAll, describe, expect, test } from "vitest";
import { readFilesWhole } from "./read-files.ts";

const DATA = join(import.meta.dirname, "../../../../data/portal-compras-202401");
const january = ["202401_Compras.csv.gz", "202401_ItemCompra.csv.gz", "202401_TermoAditivo.csv.gz"];
const csvOf = (name: string) => gunzipSync(readFileSync(join(DATA, name)));

const folder = mkdtempSync(join(tmpdir(), "cidadao-zip-"));
afterAll(() => rmSync(folder, { recursive: true }));
let written = 0;

function write(content: Buffer): string {
  const file = join(folder, `${++written}.zip`);
  writeFileSync(file, content);
  return file;
}

describe("a zip", () => {
  test("is read as the files inside it, to the byte", async () => {
    const files = Object.fromEntries(january.map((name) => [name.replace(".gz", ""), csvOf(name)]));
    const zipped = await readFilesWhole({ paths: [write(await zipOf(files))], retrievedAt: "2024-02-15T12:00:00Z" });
    const plain = await readFilesWhole({
      paths: january.map((name) => join(DATA, name)),
      retrievedAt: "2024-02-15T12:00:00Z",
    });
    expect(zipped.batch.contracts).toEqual(plain.batch.contracts);
    expect(zipped.batch.items).toEqual(plain.batch.items);
    expect(zipped.batch.amendments).toEqual(plain.batch.amendments);
  });

  test("says which of its files it does not know, and reads the others", async () => {
    const zip = write(await zipOf({ "LEIA-ME.txt": Buffer.from("olá"), "202401_Compras.csv": csvOf(january[0]!) }));
    const { summary } = await readFilesWhole({ paths: [zip] });
    expect(summary.contracts).toBe(3808);
    expect(summary.complaints).toContainEqual(
      expect.objectContaining({ kind: "unread-file", count: 1, example: expect.stringContaining("olá") as string }),
    );
  });

  test("of which no file is known is refused", async () => {
    const zip = write(await zipOf({ "LEIA-ME.txt": Buffer.from("olá") }));
    await expect(readFilesWhole({ paths: [zip] })).rejects.toThrow(/LEIA-ME.txt: formato não reconhecido/);
  });

  test("that would grow without end is refused before it is unpacked", async () => {
    const zip = write(await zipOf({ "202401_Compras.csv": Buffer.alloc(64 * 1024 * 1024, 0x20) }));
    await expect(readFilesWhole({ paths: [zip] })).rejects.toThrow(/cresceria mais de 200 vezes/);
  });

  test("that lies about how much it unpacks to is cut there, and said to be damaged", async () => {
    const honest = await zipOf({ "202401_Compras.csv": csvOf(january[0]!) });
    const size = honest.readUInt32LE(directoryOf(honest) + 24);
    honest.writeUInt32LE(size - 1_000_000, directoryOf(honest) + 24);
    const { summary } = await readFilesWhole({ paths: [write(honest)], format: "portal-compras" });
    expect(summary.complaints.map(({ kind }) => kind)).toContain("unreadable-file");
  });

  test("whose bytes were changed on the way is said to be damaged", async () => {
    const zip = await zipOf({ "202401_Compras.csv": csvOf(january[0]!) });
    zip.writeUInt32LE(0, directoryOf(zip) + 16); // its checksum
    const { summary } = await readFilesWhole({ paths: [write(zip)] });
    expect(summary.complaints).toContainEqual(expect.objectContaining({ kind: "unreadable-file" }));
  });

  test("that is cut short, encrypted, or of too many files is refused with the reason", async () => {
    const whole = await zipOf({ "202401_Compras.csv": csvOf(january[0]!) });
    const encrypted = Buffer.from(whole);
    encrypted.writeUInt16LE(encrypted.readUInt16LE(directoryOf(whole) + 8) | 1, directoryOf(whole) + 8);
    const many = await zipOf(Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`${i}.csv`, Buffer.from("a")])));
    const cut = write(whole.subarray(0, whole.length - 30));
    await expect(readFilesWhole({ paths: [cut] })).rejects.toThrow(/não é um zip inteiro/);
    await expect(readFilesWhole({ paths: [write(encrypted)] })).rejects.toThrow(/cifrado/);
    await expect(readFilesWhole({ paths: [write(many)] })).rejects.toThrow(/mais de 100 arquivos/);
  });
});

/** Where the first entry of the central directory begins. */
function directoryOf(zip: Buffer): number {
  return zip.indexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02]));
}
