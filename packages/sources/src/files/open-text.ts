import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { createGunzip } from "node:zlib";
import { AppError, messageOf } from "@cidadao/runtime/errors";
import { safeText } from "../reading.ts";
import type { Complain, ComplaintKind } from "./complaints.ts";
import { isZip, listZip, type ZipEntry } from "./zip.ts";

/** A path, or the standard input, whose bytes come out unpacked. Nothing is read before it is asked for. */
export type OpenedFile = {
  /** As it was given; "-" is the standard input. */
  path: string;
  /** To show, and to name in evidence. */
  name: string;
  sizeBytes: number | null;
  /** ISO time of the last change; `null` for the standard input. */
  modifiedAt: string | null;
  /** A pipe gives its bytes once. */
  canReadTwice: boolean;
  /** The zip that it is inside of. */
  archive: string | null;
  /** The first unpacked bytes, at most `HEAD_BYTES_MAX`; they come again with `bytes`. */
  head: () => Promise<Buffer>;
  bytes: (complain: Complain) => AsyncGenerator<Buffer>;
};

export type OpenOptions = {
  stdin?: AsyncIterable<Buffer>;
  /** Bytes read from the file so far, to be compared with `sizeBytes`: packed as they are, but for those inside a zip. */
  onBytes?: (file: OpenedFile, readBytes: number) => void;
};

const HEAD_BYTES_MAX = 256 * 1024;
const CHUNKS = { highWaterMark: 256 * 1024 };
export const LINE_BYTES_MAX = 16 * 1024 * 1024;

/** The file at a path, or every file inside it where it is a zip. */
export async function openFiles(path: string, options: OpenOptions = {}): Promise<OpenedFile[]> {
  const file = await openFile(path, options);
  if (!file.canReadTwice || !isZip(await file.head())) return [file];
  return (await listZip(path)).map((entry) => openEntry(file, entry, options));
}

function openEntry(
  zip: OpenedFile,
  { name, unpackedBytes, unpack: bytesOf }: ZipEntry,
  options: OpenOptions,
): OpenedFile {
  const file: OpenedFile = {
    path: `${zip.path}!${name}`,
    name,
    sizeBytes: unpackedBytes,
    modifiedAt: zip.modifiedAt,
    canReadTwice: true,
    archive: zip.path,
    head: async () => (await takeHead(survive(bytesOf(), []))).kept,
    async *bytes(complain) {
      const problems: Problem[] = [];
      yield* survive(
        counted(bytesOf(), (read) => options.onBytes?.(file, read)),
        problems,
      );
      report(problems, complain);
    },
  };
  return file;
}

export async function openFile(path: string, options: OpenOptions = {}): Promise<OpenedFile> {
  if (path === "-") return openPipe(path, "entrada-padrao", options.stdin ?? process.stdin, options);
  const name = safeText(basename(path));
  const found = await stat(path).catch((error: unknown) => {
    throw new AppError("invalid_request", `Não foi possível abrir ${path}: ${messageOf(error)}`, { cause: error });
  });
  if (found.isDirectory())
    throw new AppError("invalid_request", `${path} é uma pasta; informe os arquivos dentro dela.`);
  if (!found.isFile()) return openPipe(path, name, createReadStream(path), options);
  const file: OpenedFile = {
    path,
    name,
    sizeBytes: found.size,
    modifiedAt: found.mtime.toISOString(),
    canReadTwice: true,
    archive: null,
    async head() {
      const { kept } = await takeHead(unpack(createReadStream(path, CHUNKS), []));
      return kept;
    },
    async *bytes(complain) {
      const problems: Problem[] = [];
      yield* unpack(
        counted(createReadStream(path, CHUNKS), (read) => options.onBytes?.(file, read)),
        problems,
      );
      report(problems, complain);
    },
  };
  return file;
}

function openPipe(path: string, name: string, pipe: AsyncIterable<Buffer>, options: OpenOptions): OpenedFile {
  const problems: Problem[] = [];
  const all = unpack(
    counted(pipe, (read) => options.onBytes?.(file, read)),
    problems,
  );
  let head: Promise<Buffer> | null = null;
  const readHead = () => (head ??= takeHead(all, { keepOpen: true }).then(({ kept }) => kept));
  const file: OpenedFile = {
    path,
    name,
    sizeBytes: null,
    modifiedAt: null,
    canReadTwice: false,
    archive: null,
    head: readHead,
    async *bytes(complain) {
      const kept = await readHead();
      if (kept.length > 0) yield kept;
      yield* all;
      report(problems, complain);
    },
  };
  return file;
}

type Problem = { kind: ComplaintKind; reason: string };

function report(problems: Problem[], complain: Complain): void {
  for (const { kind, reason } of problems) complain(kind, { line: null, reason });
}

/** The first lines, each decoded as `readLines` would; a line that is cut off at the end of the head is left out. */
export async function headText(file: OpenedFile): Promise<string> {
  const head = await file.head();
  const end = head.length >= HEAD_BYTES_MAX ? head.lastIndexOf(LF) : -1;
  const decoder = textDecoder();
  const lines: string[] = [];
  let start = 0;
  const stop = end === -1 ? head.length : end;
  while (start < stop) {
    const next = head.indexOf(LF, start);
    const close = next === -1 || next > stop ? stop : next;
    lines.push(decoder.decode(withoutReturn(head.subarray(start, close)), lines.length + 1));
    start = close + 1;
  }
  return lines.join("\n");
}

async function takeHead(bytes: AsyncGenerator<Buffer>, options = { keepOpen: false }): Promise<{ kept: Buffer }> {
  const pieces: Buffer[] = [];
  let length = 0;
  while (length < HEAD_BYTES_MAX) {
    const next = await bytes.next();
    if (next.done) break;
    pieces.push(next.value);
    length += next.value.length;
  }
  if (!options.keepOpen) await bytes.return(undefined);
  return { kept: Buffer.concat(pieces) };
}

async function* counted(chunks: AsyncIterable<Buffer>, onBytes: (read: number) => void): AsyncGenerator<Buffer> {
  let read = 0;
  for await (const chunk of chunks) {
    read += chunk.length;
    onBytes(read);
    yield chunk;
  }
}

/** Unpacks gzip, known by its first two bytes; what was read before an error still comes out. */
async function* unpack(chunks: AsyncIterable<Buffer>, problems: Problem[]): AsyncGenerator<Buffer> {
  let start: Buffer = EMPTY;
  let isDecided = false;
  let gunzip: ReturnType<typeof openGunzip> | null = null;
  try {
    for await (const chunk of survive(chunks, problems)) {
      const next: Buffer = isDecided ? chunk : Buffer.concat([start, chunk]);
      if (!isDecided) {
        start = next;
        if (next.length < 2) continue;
        isDecided = true;
        if (isGzip(next)) gunzip = openGunzip();
      }
      if (gunzip === null) {
        yield next;
        continue;
      }
      await gunzip.write(next);
      yield* gunzip.take();
      if (gunzip.error() !== null) break;
    }
    if (!isDecided && start.length > 0) yield start;
    if (gunzip === null) return;
    await gunzip.end();
    yield* gunzip.take();
    const error = gunzip.error();
    if (error === null) return;
    problems.push({ kind: "truncated-gzip", reason: `the gzip data is cut short or damaged: ${error.message}` });
  } finally {
    gunzip?.destroy();
  }
}

/** Ends where reading fails. */
async function* survive(chunks: AsyncIterable<Buffer>, problems: Problem[]): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (error) {
    problems.push({ kind: "unreadable-file", reason: `reading stopped: ${messageOf(error)}` });
  }
}

const EMPTY = Buffer.alloc(0);

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** A plain pipe would drop what it had unpacked when the error comes. */
function openGunzip() {
  const gunzip = createGunzip();
  let error: Error | null = null;
  let unpacked: Buffer[] = [];
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  gunzip.on("data", (chunk: Buffer) => void unpacked.push(chunk));
  gunzip.on("error", (cause) => {
    error = cause;
    close();
  });
  gunzip.on("end", () => close());
  const take = () => {
    const taken = unpacked;
    unpacked = [];
    return taken;
  };
  return {
    error: (): Error | null => error,
    destroy: () => void gunzip.destroy(),
    async write(chunk: Buffer): Promise<void> {
      await new Promise<void>((resolve) => void gunzip.write(chunk, () => resolve()));
    },
    async end(): Promise<void> {
      if (error !== null) return;
      gunzip.end();
      await closed;
    },
    take,
  };
}

export type Line = { line: number; text: string };

/** Lines without their end (LF or CRLF), numbered from 1, some at a time: memory does not grow with the file. */
export async function* readLines(file: OpenedFile, complain: Complain): AsyncGenerator<Line[]> {
  const decoder = textDecoder();
  let number = 0;
  let open: Buffer[] = [];
  let openBytes = 0;
  let isTooLong = false;

  const add = (piece: Buffer) => {
    openBytes += piece.length;
    if (isTooLong) return;
    if (openBytes <= LINE_BYTES_MAX) return void open.push(piece);
    isTooLong = true;
    open = [];
    complain("line-too-long", { line: number + 1, reason: `a line of more than ${LINE_BYTES_MAX} bytes was left out` });
  };
  const close = (): Line | null => {
    number++;
    const whole = open.length === 1 ? open[0]! : Buffer.concat(open);
    const line = isTooLong ? null : { line: number, text: decoder.decode(withoutReturn(whole), number) };
    open = [];
    openBytes = 0;
    isTooLong = false;
    return line;
  };

  for await (const chunk of file.bytes(complain)) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      add(chunk.subarray(start, end));
      const line = close();
      if (line !== null) lines.push(line);
      start = end + 1;
    }
    if (start < chunk.length) add(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  const last = openBytes > 0 ? close() : null;
  if (last !== null) yield [last];
  decoder.report(complain);
}

const LF = 0x0a;
const CR = 0x0d;

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === CR ? line.subarray(0, -1) : line;
}

/**
 * Decodes piece by piece: valid UTF-8 is UTF-8, anything else Windows-1252. Portuguese in one is practically never
 * valid in the other, and a file may show its first accent after a million rows.
 */
export function textDecoder() {
  const seen = { "utf-8": [] as number[], "windows-1252": [] as number[] };
  const counts = { "utf-8": 0, "windows-1252": 0 };
  const note = (charset: keyof typeof seen, line: number) => {
    if (counts[charset]++ === 0) seen[charset].push(line);
  };
  let isFirst = true;
  return {
    decode(piece: Buffer, line: number): string {
      const bytes: Buffer =
        isFirst && piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf ? piece.subarray(3) : piece;
      isFirst = false;
      if (!isUtf8(bytes)) {
        note("windows-1252", line);
        return fromWindows1252(bytes);
      }
      const text = bytes.toString("utf8");
      if (text.length !== bytes.length) note("utf-8", line);
      return text;
    },
    report(complain: Complain): void {
      const fallbacks = counts["windows-1252"];
      if (fallbacks === 0) return;
      const line = seen["windows-1252"][0] ?? null;
      complain("encoding-fallback", { line, reason: "not UTF-8, read as Windows-1252", count: fallbacks });
      if (counts["utf-8"] === 0) return;
      const [few, other] =
        counts["utf-8"] < fallbacks ? (["utf-8", "windows-1252"] as const) : (["windows-1252", "utf-8"] as const);
      const reason = `${counts[few]} lines are ${few} in a file that is ${other} elsewhere`;
      complain("mixed-encoding", { line: seen[few][0] ?? null, reason, count: counts[few] });
    },
  };
}

/** Code points of the bytes 0x80 to 0x9F; the five that the charset leaves open stay as they are. */
const WINDOWS_1252 =
  "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f" +
  "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178";

/** By hand: TextDecoder reads these bytes as Latin-1 in several Node versions. */
function fromWindows1252(bytes: Buffer): string {
  return bytes.toString("latin1").replace(/[\u0080-\u009f]/g, (byte) => WINDOWS_1252[byte.charCodeAt(0) - 0x80]!);
}
