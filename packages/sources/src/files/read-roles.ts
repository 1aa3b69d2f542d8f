import type { Complain } from "./complaints.ts";
import { type CsvHeader, csvHeader, type CsvRow, readCsvRows } from "./csv-rows.ts";
import type { Batch, BatchBuilder } from "./define-file-format.ts";
import type { OpenedFile } from "./open-text.ts";
import { seenRecords, seenRows } from "./seen.ts";

/** A CSV file of several that belong together, with what was seen in those of its role. */
export type RoleFile<Role> = {
  role: Role;
  file: OpenedFile;
  header: CsvHeader;
  complain: Complain;
  isUnseen: ReturnType<typeof seenRecords>;
  isUnseenRow: ReturnType<typeof seenRows>;
};

/**
 * Reads CSV files that belong together, role by role, so that what is referred to is known before what refers to it.
 * `otherwise` is the role of a file that looks like none: `open` says what the file lacks, and gives `null` for one that is
 * of no use. What it gives otherwise, the reader of the role gets with each row.
 */
export async function* readRoles<Role extends string, Input>(
  files: OpenedFile[],
  out: BatchBuilder,
  format: {
    roles: readonly Role[];
    roleOf: (header: CsvHeader) => Role | null;
    otherwise: Role;
    /** The publisher says that it writes Windows-1252: to find it is no complaint. */
    isWindows1252: boolean;
    open: (file: RoleFile<Role>) => Input | null;
    readers: Record<Role, (row: CsvRow, input: Input) => void>;
  },
): AsyncGenerator<Batch> {
  const headers = await Promise.all(files.map(async (file) => ({ file, header: await csvHeader(file) })));
  for (const role of format.roles) {
    const seen = { isUnseen: seenRecords(), isUnseenRow: seenRows() };
    for (const { file, header } of headers) {
      if (header === null || (format.roleOf(header) ?? format.otherwise) !== role) continue;
      const complainOfFile = out.complainOf(file);
      const complain: Complain = (kind, about) => {
        if (!(format.isWindows1252 && kind === "encoding-fallback")) complainOfFile(kind, about);
      };
      const input = format.open({ role, file, header, complain, ...seen });
      if (input === null) continue;
      for await (const rows of readCsvRows(file, header, complain)) {
        for (const row of rows) format.readers[role](row, input);
        if (out.isFull()) yield out.take();
      }
    }
  }
  if (!out.isEmpty()) yield out.take();
}
