import type { Commitment } from "@cidadao/domain/commitment";
import type { Amendment, Contract, ContractItem } from "@cidadao/domain/contract";
import type { Provenance } from "@cidadao/domain/provenance";
import type { Registration } from "@cidadao/domain/registration";
import type { Sanction } from "@cidadao/domain/sanction";
import type { Tenderer } from "@cidadao/domain/tenderer";
import { type FieldReader, fieldReader } from "../reading.ts";
import type { Complain, FileComplaint } from "./complaints.ts";
import type { OpenedFile } from "./open-text.ts";
import type { Sighting } from "./seen.ts";

/** What a while of reading gave; the rows that gave nothing are in the complaints. */
export type Batch = {
  contracts: Contract[];
  items: ContractItem[];
  amendments: Amendment[];
  tenderers: Tenderer[];
  commitments: Commitment[];
  sanctions: Sanction[];
  registrations: Registration[];
  complaints: FileComplaint[];
};

export type ReadContext = {
  /** When the file was obtained. */
  retrievedAt: (file: OpenedFile) => string;
  /** What the recording is and of when, if the files are a recorded sample. */
  sample: string | null;
};

export type FileFormat = {
  id: string;
  title: string;
  /** What the file is and where it comes from, for people. */
  description: string;
  attribution: string;
  /** Whether the first lines of a file look like it. */
  recognises: (head: string) => boolean;
  /** Reads all files of a run: they may belong together. */
  read: (files: OpenedFile[], context: ReadContext) => AsyncGenerator<Batch>;
};

export function defineFileFormat<const Format extends FileFormat>(format: Format): Format {
  return format;
}

const BATCH_RECORDS_MAX = 2000;

/** Collects records and complaints until they fill a batch. */
export function batchBuilder() {
  let batch = emptyBatch();
  const size = () =>
    batch.contracts.length +
    batch.items.length +
    batch.amendments.length +
    batch.tenderers.length +
    batch.commitments.length +
    batch.sanctions.length +
    batch.registrations.length +
    batch.complaints.length;
  return {
    get batch(): Batch {
      return batch;
    },
    isFull: (): boolean => size() >= BATCH_RECORDS_MAX,
    isEmpty: (): boolean => size() === 0,
    take(): Batch {
      const taken = batch;
      batch = emptyBatch();
      return taken;
    },
    complainOf:
      (file: OpenedFile): Complain =>
      (kind, { line, reason, field = null, count = 1 }) =>
        void batch.complaints.push({ kind, file: file.name, line, field, reason, count }),
  };
}

export type BatchBuilder = ReturnType<typeof batchBuilder>;

function emptyBatch(): Batch {
  return {
    contracts: [],
    items: [],
    amendments: [],
    tenderers: [],
    commitments: [],
    sanctions: [],
    registrations: [],
    complaints: [],
  };
}

/** Reads the fields of the row at a line; what is odd about them becomes complaints there. */
export function rowFields(sourceId: string, line: number, complain: Complain): FieldReader {
  return fieldReader(sourceId, (kind, field, reason) => complain(kind, { line, field, reason }));
}

/** Says that a row adds nothing, unless it is new. */
export function isNew(sighting: Sighting, line: number, complain: Complain): boolean {
  if (sighting === "same") complain("duplicate-row", { line, reason: "the same row again, kept once" });
  if (sighting === "different") {
    const reason = "the id was already used by a record with other content, which was kept";
    complain("duplicate-id-different-content", { line, reason });
  }
  return sighting === "new";
}

export function provenanceOf(
  context: ReadContext,
  file: OpenedFile,
  record: Pick<Provenance, "source" | "sourceId" | "url">,
): Provenance {
  return { ...record, retrievedAt: context.retrievedAt(file), sample: context.sample };
}

/** Where a record without a page of its own can be checked: in the file itself. */
export function fileUrl(file: OpenedFile, line: number): string {
  return `arquivo:${encodeURI(file.name)}#L${line}`;
}
