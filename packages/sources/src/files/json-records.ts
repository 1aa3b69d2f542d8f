import type { Complain } from "./complaints.ts";
import { headText, LINE_BYTES_MAX, type OpenedFile, readLines, textDecoder } from "./open-text.ts";

export type JsonObject = Record<string, unknown>;
/** One object of the file and the line it begins on. */
export type JsonRecord = { line: number; value: JsonObject };

/** Where envelopes keep their records: PNCP and recordings of it, Compras.gov.br and its collectors. */
const RECORD_KEYS = new Set(["data", "dados", "resultado"]);

/**
 * The objects of a file in any of three shapes: one on each line, an array, an envelope around an array. An array may
 * be larger than memory.
 */
export async function* readJsonRecords(file: OpenedFile, complain: Complain): AsyncGenerator<JsonRecord[]> {
  yield* isOneALine(await headText(file)) ? readLineRecords(file, complain) : readDocumentRecords(file, complain);
}

function isOneALine(head: string): boolean {
  const [first = "", second = ""] = head.split("\n").filter((line) => line.trim() !== "");
  const start = first.trimStart();
  if (start.startsWith("[") && !start.trimEnd().endsWith("]")) return false;
  if (!start.startsWith("{") && !start.startsWith("[")) return true;
  return parseJson(first) !== undefined || second.startsWith("{");
}

async function* readLineRecords(file: OpenedFile, complain: Complain): AsyncGenerator<JsonRecord[]> {
  for await (const lines of readLines(file, complain)) {
    const records: JsonRecord[] = [];
    for (const { line, text } of lines) {
      if (text.trim() === "") continue;
      const value = parseJson(text);
      if (value === undefined) complain("broken-json", { line, reason: "the line is not JSON" });
      else addRecords(records, value, line, complain);
    }
    if (records.length > 0) yield records;
  }
}

function addRecords(records: JsonRecord[], value: unknown, line: number, complain: Complain): void {
  const found = Array.isArray(value) ? value : isObject(value) ? (enveloped(value) ?? [value]) : [value];
  for (const entry of found) {
    if (isObject(entry)) records.push({ line, value: entry });
    else complain("unusable-record", { line, reason: "not an object" });
  }
}

function enveloped(value: JsonObject): unknown[] | null {
  for (const key of RECORD_KEYS) {
    const inner = value[key];
    if (Array.isArray(inner) && inner.every(isObject)) return inner;
    const nested = isObject(inner) ? enveloped(inner) : null;
    if (nested !== null) return nested;
  }
  return null;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * Cuts the records of an array, or of the array in an envelope, out of the bytes and parses each alone: a broken one
 * costs no other. An object with no such array in it is itself the record.
 */
async function* readDocumentRecords(file: OpenedFile, complain: Complain): AsyncGenerator<JsonRecord[]> {
  const decoder = textDecoder();
  let records: JsonRecord[] = [];
  const cutter = recordCutter({
    onRecord(bytes, line) {
      const value = parseJson(decoder.decode(bytes, line));
      if (value === undefined) complain("broken-json", { line, reason: "the object is not JSON" });
      else addRecords(records, value, line, complain);
    },
    onTooLong: (line) => complain("line-too-long", { line, reason: `an object of more than ${LINE_BYTES_MAX} bytes` }),
    onStray: (line) => complain("unusable-record", { line, reason: "not an object" }),
  });
  for await (const chunk of file.bytes(complain)) {
    cutter.feed(chunk);
    if (records.length > 0) yield records;
    records = [];
  }
  const openLine = cutter.openLine();
  if (openLine !== null) complain("broken-json", { line: openLine, reason: "the document ends in the middle" });
  decoder.report(complain);
}

type Cuts = {
  onRecord: (bytes: Buffer, line: number) => void;
  onTooLong: (line: number) => void;
  /** Something where only a record may be. */
  onStray: (line: number) => void;
};

const [QUOTE, BACKSLASH, OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [...Buffer.from('"\\{}[]')] as [
  number,
  number,
  number,
  number,
  number,
  number,
];
const [LF, COMMA, COLON, SPACE] = [0x0a, 0x2c, 0x3a, 0x20];
const DEPTH_MAX = 1000;

type Container = { kind: "object" | "records" | "other"; line: number };

function recordCutter({ onRecord, onTooLong, onStray }: Cuts) {
  let line = 1;
  let isInString = false;
  let isEscaped = false;
  /** What encloses the next byte, outside of any record. */
  const stack: Container[] = [];
  let key = "";
  let text: number[] = [];
  let isInScalar = false;

  /** The record, or the root object that may turn out to be one. */
  let cut: { line: number; depth: number; pieces: Buffer[]; bytes: number; isRoot: boolean } | null = null;
  let cutStart = 0;

  const begin = (index: number, isRoot: boolean) => {
    cut = { line, depth: 1, pieces: [], bytes: 0, isRoot };
    cutStart = index;
  };
  const keep = (chunk: Buffer, end: number) => {
    if (cut === null) return;
    const piece = chunk.subarray(cutStart, end);
    cut.bytes += piece.length;
    if (cut.bytes <= LINE_BYTES_MAX) cut.pieces.push(piece);
    else cut.pieces = [];
  };
  const finish = (chunk: Buffer, end: number) => {
    keep(chunk, end);
    if (cut !== null && cut.bytes > LINE_BYTES_MAX) onTooLong(cut.line);
    else if (cut !== null) onRecord(Buffer.concat(cut.pieces), cut.line);
    cut = null;
  };

  /** Inside of a record only its end matters. */
  const inRecord = (chunk: Buffer, index: number, byte: number) => {
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) cut!.depth++;
    else if ((byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) && --cut!.depth === 0) finish(chunk, index + 1);
  };

  const outside = (chunk: Buffer, index: number, byte: number) => {
    const top = stack.at(-1);
    if (byte === OPEN_OBJECT) {
      isInScalar = false;
      if (top?.kind === "records") return begin(index, false);
      if (top === undefined) begin(index, true);
      if (stack.length < DEPTH_MAX) stack.push({ kind: "object", line });
    } else if (byte === OPEN_ARRAY) {
      isInScalar = false;
      const holdsRecords = top === undefined || (top.kind === "object" && RECORD_KEYS.has(key));
      if (holdsRecords) cut = null;
      if (top?.kind === "records") onStray(line);
      if (stack.length < DEPTH_MAX) stack.push({ kind: holdsRecords ? "records" : "other", line });
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      isInScalar = false;
      stack.pop();
      if (stack.length === 0 && cut?.isRoot) finish(chunk, index + 1);
    } else if (byte === COMMA || byte === COLON || byte <= SPACE) {
      isInScalar = false;
    } else if (!isInScalar) {
      isInScalar = true;
      if (top === undefined || top.kind === "records") onStray(line);
    }
  };

  return {
    feed(chunk: Buffer): void {
      cutStart = 0;
      for (let index = 0; index < chunk.length; index++) {
        const byte = chunk[index]!;
        if (byte === LF) line++;
        if (isInString) {
          if (isEscaped) isEscaped = false;
          else if (byte === BACKSLASH) isEscaped = true;
          else if (byte === QUOTE) {
            isInString = false;
            if (cut === null || cut.isRoot) key = String.fromCharCode(...text);
          } else if ((cut === null || cut.isRoot) && text.length < 20) text.push(byte);
          continue;
        }
        if (byte === QUOTE) {
          isInString = true;
          text = [];
          if (cut !== null && !cut.isRoot) continue;
          const top = stack.at(-1);
          if ((top === undefined || top.kind === "records") && !isInScalar) onStray(line);
        } else if (cut !== null && !cut.isRoot) inRecord(chunk, index, byte);
        else outside(chunk, index, byte);
      }
      keep(chunk, chunk.length);
    },
    /** The line of what was opened last and never closed. */
    openLine: (): number | null => cut?.line ?? stack.at(-1)?.line ?? null,
  };
}
