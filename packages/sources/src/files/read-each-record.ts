import type { Complain } from "./complaints.ts";
import { type Batch, type BatchBuilder, batchBuilder } from "./define-file-format.ts";
import { type JsonRecord, readJsonRecords } from "./json-records.ts";
import type { OpenedFile } from "./open-text.ts";

type Place = { file: OpenedFile; complain: Complain; out: BatchBuilder };

/** Gives the records of JSON files to `readRecord` one by one, which fills the batches that come out. */
export async function* readEachRecord(
  files: OpenedFile[],
  readRecord: (record: JsonRecord, place: Place) => void,
): AsyncGenerator<Batch> {
  const out = batchBuilder();
  for (const file of files) {
    const place = { file, complain: out.complainOf(file), out };
    for await (const records of readJsonRecords(file, place.complain)) {
      for (const record of records) {
        readRecord(record, place);
        if (out.isFull()) yield out.take();
      }
    }
  }
  if (!out.isEmpty()) yield out.take();
}
