type Kind = "int" | "byte" | "number";
type ArrayOf<K extends Kind> = K extends "int" ? Int32Array : K extends "byte" ? Uint8Array : Float64Array;

/** Typed arrays of one length, by name. */
export type Columns<Kinds extends Record<string, Kind>> = { [Name in keyof Kinds]: ArrayOf<Kinds[Name]> };

/** Columns that grow together by doubling, with room to spare. */
export type Table<Kinds extends Record<string, Kind>> = {
  kinds: Kinds;
  columns: Columns<Kinds>;
  size: number;
  capacity: number;
};

const CAPACITY_MIN = 256;

export function createTable<const Kinds extends Record<string, Kind>>(kinds: Kinds): Table<Kinds> {
  return { kinds, columns: resized(kinds, CAPACITY_MIN, null), size: 0, capacity: CAPACITY_MIN };
}

/** Makes room for one more row and returns its index. The columns may be others then. */
export function appendRow<Kinds extends Record<string, Kind>>(table: Table<Kinds>): number {
  if (table.size === table.capacity) {
    table.capacity *= 2;
    table.columns = resized(table.kinds, table.capacity, table);
  }
  return table.size++;
}

/** Columns of exactly the rows appended. */
export function trimmedColumns<Kinds extends Record<string, Kind>>(table: Table<Kinds>): Columns<Kinds> {
  return resized(table.kinds, table.size, table);
}

function resized<Kinds extends Record<string, Kind>>(
  kinds: Kinds,
  rows: number,
  old: Table<Kinds> | null,
): Columns<Kinds> {
  return Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => {
      const column = allocate(kind, rows);
      if (old) column.set(old.columns[name]!.subarray(0, old.size));
      return [name, column];
    }),
  ) as Columns<Kinds>;
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
