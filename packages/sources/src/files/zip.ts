import { posix } from "node:path";
import { crc32 } from "node:zlib";
import { AppError, messageOf } from "@cidadao/runtime/errors";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { safeText } from "../reading.ts";

/** A file inside a zip. Nothing is unpacked before it is asked for, and nothing to the disk. */
export type ZipEntry = { name: string; unpackedBytes: number; unpack: () => AsyncGenerator<Buffer> };

const ENTRIES_MAX = 100;
/** A month of bids of the whole federal government unpacks to about 1 GB. */
const UNPACKED_BYTES_MAX = 32 * 1024 ** 3;
/** Tables pack to a tenth, repetitive ones to a fiftieth; what promises more than this is a bomb. */
const RATIO_MAX = 200;
/** Small files may pack as well as they like. */
const RATIO_EXEMPT_BYTES = 1024 ** 2;
const SIGNATURES = new Set(["504b0304", "504b0506"]);

/** Whether the first bytes are those of a zip, be it an empty one. */
export function isZip(head: Buffer): boolean {
  return SIGNATURES.has(head.subarray(0, 4).toString("hex"));
}

/** The files of a zip in the order of its directory; an `AppError` for one that is damaged, or a trap. */
export async function listZip(path: string): Promise<ZipEntry[]> {
  const zip = await open(path);
  try {
    const entries: ZipEntry[] = [];
    let unpackedBytes = 0;
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith("/")) continue;
      unpackedBytes += entry.uncompressedSize;
      const problem = problemOf(entry, { entries: entries.length, unpackedBytes });
      if (problem !== null) throw refused(path, problem);
      entries.push({
        name: safeText(posix.basename(entry.fileName)),
        unpackedBytes: entry.uncompressedSize,
        unpack: () => unpack(path, entry),
      });
    }
    return entries;
  } catch (error) {
    throw error instanceof AppError ? error : refused(path, `está danificado: ${messageOf(error)}`, error);
  } finally {
    zip.close();
  }
}

function problemOf(entry: Entry, sum: { entries: number; unpackedBytes: number }): string | null {
  if (sum.entries >= ENTRIES_MAX) return `tem mais de ${ENTRIES_MAX} arquivos dentro`;
  if (sum.unpackedBytes > UNPACKED_BYTES_MAX) return "descompactaria para mais de 32 GB";
  const isBomb =
    entry.uncompressedSize > RATIO_EXEMPT_BYTES && entry.uncompressedSize > entry.compressedSize * RATIO_MAX;
  if (isBomb) return `contém ${safeText(entry.fileName)}, que cresceria mais de ${RATIO_MAX} vezes`;
  return entry.canDecodeFileData() ? null : `contém ${safeText(entry.fileName)}, cifrado ou de método desconhecido`;
}

/** The reader itself ends where an entry unpacks to more or less than its directory says. */
async function* unpack(path: string, entry: Entry): AsyncGenerator<Buffer> {
  const zip = await open(path);
  try {
    let sum = 0;
    for await (const chunk of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
      sum = crc32(chunk, sum);
      yield chunk;
    }
    if (sum !== entry.crc32) throw new Error("its checksum does not match: the zip is damaged");
  } finally {
    zip.close();
  }
}

async function open(path: string): Promise<ZipFile> {
  try {
    return await openPromise(path, { autoClose: false, lazyEntries: true, strictFileNames: false });
  } catch (error) {
    throw refused(path, `não é um zip inteiro: ${messageOf(error)}`, error);
  }
}

function refused(path: string, why: string, cause?: unknown): AppError {
  return new AppError("invalid_request", `${path} ${why}.`, { cause });
}
