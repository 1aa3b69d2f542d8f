type Kind = "int" | "byte" | "number";
type ArrayOf<K extends Kind> = K extends "int" ? Int32Array : K extends "byte" ? Uint8Array : Float64Array;

/** Typed arrays of one length, by name. */
export type Columns<Kinds extends Record<string, Kind>> = { [Name in keyof Kinds]: ArrayOf<Kinds[Name]> };

/** Columns that grow together by doubling. */
export type Table<Kinds extends Record<string, Kind>> = {
  /** Valid until the next `append`; longer than the number of rows. */
  readonly columns: Columns<Kinds>;
  readonly size: number;
  /** Makes room for one more row and returns its index. */
  append(): number;
  /** Columns of exactly the rows appended. */
  trimmed(): Columns<Kinds>;
};

const CAPACITY_MIN = 256;

export function createTable<const Kinds extends Record<string, Kind>>(kinds: Kinds): Table<Kinds> {
  let capacity = CAPACITY_MIN;
  let size = 0;
  const resized = (rows: number, old: Columns<Kinds> | null): Columns<Kinds> =>
    Object.fromEntries(
      Object.entries(kinds).map(([name, kind]) => {
        const column = allocate(kind, rows);
        if (old) column.set(old[name]!.subarray(0, size));
        return [name, column];
      }),
    ) as Columns<Kinds>;
  let columns = resized(capacity, null);
  return {
    get columns() {
      return columns;
    },
    get size() {
      return size;
    },
    append() {
      if (size === capacity) {
        capacity *= 2;
        columns = resized(capacity, columns);
      }
      return size++;
    },
    trimmed: () => resized(size, columns),
  };
}

function allocate(kind: Kind, length: number): Int32Array | Uint8Array | Float64Array {
  switch (kind) {
    case "int":
      return new Int32Array(length);
    case "byte":
      return new Uint8Array(length);
    case "number":
      return new Float64Array(length);
  }
}
