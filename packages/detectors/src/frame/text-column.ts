/**
 * Texts of a column, one a row, packed outside the heap: a million records would otherwise leave the collector millions
 * of strings to walk. Reading one decodes it.
 */
export type TextColumn = {
  push(text: string | null): void;
  /** Replaces the text of a row; the old bytes stay unused. */
  set(row: number, text: string | null): void;
  at(row: number): string | null;
  /** The column as it stands, with room to spare; good until the next `push`. */
  live: () => TextColumnData;
  data: () => TextColumnData;
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
  const chunks: Buffer[] = [];
  let positions = new Float64Array(ROWS_MIN);
  let lengths = new Int32Array(ROWS_MIN);
  let rows = 0;
  let used = 0;
  const last: { text: string | null; position: number; length: number } = { text: null, position: 0, length: NULL };

  const write = (row: number, text: string | null): void => {
    if (text === null) {
      lengths[row] = NULL;
      return;
    }
    // Records of one file share its address: its bytes are kept once.
    if (text === last.text) {
      positions[row] = last.position;
      lengths[row] = last.length;
      return;
    }
    const room = text.length * BYTES_PER_UNIT_MAX;
    let chunk = chunks.at(-1);
    if (chunk === undefined || used + room > Math.min(CHUNK_BYTES, chunk.length)) {
      chunk = Buffer.alloc(Math.max(Math.min(CHUNK_BYTES, FIRST_CHUNK_BYTES * 4 ** chunks.length), room));
      chunks.push(chunk);
      used = 0;
    }
    const position = (chunks.length - 1) * CHUNK_BYTES + used;
    const length = writeShort(text, chunk, used) ? text.length : chunk.write(text, used, "utf8");
    positions[row] = position;
    lengths[row] = length;
    used += length;
    [last.text, last.position, last.length] = [text, position, length];
  };

  return {
    push(text) {
      if (rows === positions.length) {
        positions = widened(positions, new Float64Array(rows * 2));
        lengths = widened(lengths, new Int32Array(rows * 2));
      }
      write(rows++, text);
    },
    set: write,
    at: (row) => textAt({ chunks, positions, lengths }, row),
    live: () => ({ chunks, positions, lengths }),
    data: () => ({ chunks, positions: positions.slice(0, rows), lengths: lengths.slice(0, rows) }),
  };
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
