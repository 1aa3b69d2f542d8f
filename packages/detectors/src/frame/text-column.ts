/**
 * Texts of a column, one a row, packed outside the heap: a million records would otherwise leave the collector millions
 * of strings to walk. Reading one decodes it. With room to spare; `trimmedTexts` has none.
 */
export type TextColumn = TextColumnData & {
  rows: number;
  /** Bytes used of the last chunk. */
  used: number;
  lastText: string | null;
  lastPosition: number;
  lastLength: number;
};

/** Plain data. The bytes of row r begin at `positions[r]`, chunk × 2^24 + offset, and are `lengths[r]` long; -1 is `null`. */
export type TextColumnData = { chunks: Uint8Array[]; positions: Float64Array; lengths: Int32Array };

const CHUNK_BYTES = 2 ** 24;
/** The first chunk; each is four times the one before, so that few texts take little room when they cross to a thread. */
const FIRST_CHUNK_BYTES = 2 ** 12;
const ROWS_MIN = 256;
const NULL = -1;
/** UTF-8 takes at most three bytes for a UTF-16 unit. */
const BYTES_PER_UNIT_MAX = 3;

export function createTextColumn(): TextColumn {
  return {
    chunks: [],
    positions: new Float64Array(ROWS_MIN),
    lengths: new Int32Array(ROWS_MIN),
    rows: 0,
    used: 0,
    lastText: null,
    lastPosition: 0,
    lastLength: NULL,
  };
}

export function pushText(column: TextColumn, text: string | null): void {
  if (column.rows === column.positions.length) {
    column.positions = widened(column.positions, new Float64Array(column.rows * 2));
    column.lengths = widened(column.lengths, new Int32Array(column.rows * 2));
  }
  setText(column, column.rows++, text);
}

/** Replaces the text of a row; the old bytes stay unused. */
export function setText(column: TextColumn, row: number, text: string | null): void {
  if (text === null) {
    column.lengths[row] = NULL;
    return;
  }
  // Records of one file share its address: its bytes are kept once.
  if (text !== column.lastText) writeText(column, text);
  column.positions[row] = column.lastPosition;
  column.lengths[row] = column.lastLength;
}

/** Exactly the rows pushed, which later ones do not change. */
export function trimmedTexts({ chunks, positions, lengths, rows }: TextColumn): TextColumnData {
  return { chunks: chunks.slice(), positions: positions.slice(0, rows), lengths: lengths.slice(0, rows) };
}

function writeText(column: TextColumn, text: string): void {
  const room = text.length * BYTES_PER_UNIT_MAX;
  const chunk = chunkFor(column, room);
  const { used } = column;
  const length = writeShort(text, chunk, used) ? text.length : chunk.write(text, used, "utf8");
  column.lastText = text;
  column.lastPosition = (column.chunks.length - 1) * CHUNK_BYTES + used;
  column.lastLength = length;
  column.used += length;
}

/** The last chunk, or a new one where that has too little room. */
function chunkFor(column: TextColumn, room: number): Buffer {
  const { chunks, used } = column;
  const last = chunks.at(-1);
  if (last !== undefined && used + room <= Math.min(CHUNK_BYTES, last.length)) return last as Buffer;
  const chunk = Buffer.alloc(Math.max(Math.min(CHUNK_BYTES, FIRST_CHUNK_BYTES * 4 ** chunks.length), room));
  chunks.push(chunk);
  column.used = 0;
  return chunk;
}

/** Writes a short text of ASCII alone, as ids and numbers are: for those the way into native code costs more than the copy. */
function writeShort(text: string, chunk: Buffer, offset: number): boolean {
  const { length } = text;
  if (length > SHORT_MAX) return false;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > ASCII_MAX) return false;
    chunk[offset + index] = code;
  }
  return true;
}

const SHORT_MAX = 24;
const ASCII_MAX = 127;

export function textAt({ chunks, positions, lengths }: TextColumnData, row: number): string | null {
  const length = lengths[row]!;
  if (length === NULL) return null;
  const position = positions[row]!;
  const index = Math.floor(position / CHUNK_BYTES);
  const offset = position - index * CHUNK_BYTES;
  const chunk = chunks[index]!;
  // What has crossed to another thread has come out as a plain array.
  const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return bytes.toString("utf8", offset, offset + length);
}

function widened<Column extends Float64Array | Int32Array>(column: Column, wider: Column): Column {
  wider.set(column);
  return wider;
}
