import { AppError } from "@cidadao/runtime/errors";
import type { ComplaintCount } from "./complaints.ts";
import { complaintTally } from "./complaints.ts";
import { type Batch, batchBuilder, type FileFormat, type ReadContext } from "./define-file-format.ts";
import { fileFormats, type FileFormatId, findFormat, sniff } from "./formats.ts";
import { headText, type OpenedFile, openFiles, type OpenOptions } from "./open-text.ts";
import { readSanctionFiles } from "./sanctions-file.ts";

export type ReadRequest = {
  /** Files of contracts and what belongs to them; "-" is the standard input. */
  paths: string[];
  /** Of all paths; recognised file by file where left out. */
  format?: FileFormatId;
  /** Files of sanctions. */
  sanctions?: string[];
  /** ISO time at which the files were obtained; each file's last change where left out. */
  retrievedAt?: string;
  /** What the recording is and of when, if the files are a recorded sample. */
  sample?: string | null;
  stdin?: AsyncIterable<Buffer>;
  onProgress?: (progress: ReadProgress) => void;
};

/** Packed bytes of one file read so far; `sizeBytes` is `null` for a pipe. */
export type ReadProgress = { path: string; name: string; readBytes: number; sizeBytes: number | null };

export type ReadSummary = {
  files: { path: string; name: string; format: FileFormatId | "sanctions" | null }[];
  contracts: number;
  items: number;
  amendments: number;
  tenderers: number;
  commitments: number;
  sanctions: number;
  registrations: number;
  complaints: ComplaintCount[];
};

export type FileReading = {
  /** To be read once, to the end. */
  batches: AsyncGenerator<Batch>;
  /** What came so far. */
  summary: () => ReadSummary;
};

/**
 * Reads files of any known format as canonical records, a batch at a time. What makes no sense in them becomes a
 * complaint; only a file that cannot be opened or recognised is an `AppError`.
 */
export function readFiles(request: ReadRequest): FileReading {
  const tally = complaintTally();
  const summary: Omit<ReadSummary, "complaints"> = {
    files: [],
    contracts: 0,
    items: 0,
    amendments: 0,
    tenderers: 0,
    commitments: 0,
    sanctions: 0,
    registrations: 0,
  };
  const count = (batch: Batch): Batch => {
    summary.contracts += batch.contracts.length;
    summary.items += batch.items.length;
    summary.amendments += batch.amendments.length;
    summary.tenderers += batch.tenderers.length;
    summary.commitments += batch.commitments.length;
    summary.sanctions += batch.sanctions.length;
    summary.registrations += batch.registrations.length;
    for (const complaint of batch.complaints) tally.add(complaint);
    return batch;
  };
  return {
    batches: (async function* () {
      for await (const batch of readAll(request, summary.files)) yield count(batch);
    })(),
    summary: () => ({ ...summary, complaints: tally.list() }),
  };
}

/** The same for files that fit in memory. */
export async function readFilesWhole(request: ReadRequest): Promise<{ batch: Batch; summary: ReadSummary }> {
  const { batches, summary } = readFiles(request);
  const all: Batch[] = [];
  for await (const batch of batches) all.push(batch);
  const batch: Batch = {
    contracts: all.flatMap(({ contracts }) => contracts),
    items: all.flatMap(({ items }) => items),
    amendments: all.flatMap(({ amendments }) => amendments),
    tenderers: all.flatMap(({ tenderers }) => tenderers),
    commitments: all.flatMap(({ commitments }) => commitments),
    sanctions: all.flatMap(({ sanctions }) => sanctions),
    registrations: all.flatMap(({ registrations }) => registrations),
    complaints: all.flatMap(({ complaints }) => complaints),
  };
  return { batch, summary: summary() };
}

async function* readAll(request: ReadRequest, described: ReadSummary["files"]): AsyncGenerator<Batch> {
  const now = new Date().toISOString();
  const context: ReadContext = {
    retrievedAt: (file) => request.retrievedAt ?? file.modifiedAt ?? now,
    sample: request.sample ?? null,
  };
  if (request.paths.includes("-") && request.sanctions?.includes("-")) {
    throw new AppError("invalid_request", "A entrada padrão só pode ser lida uma vez: contratos ou sanções.");
  }
  const files = await openAll(request.paths, request);
  const sanctionFiles = await openAll(request.sanctions ?? [], request);
  nameApart([...files, ...sanctionFiles]);
  const { groups, unread } = await groupByFormat(files, request.format);
  for (const file of [...files, ...sanctionFiles]) {
    const format = [...groups].find(([, members]) => members.includes(file))?.[0].id as FileFormatId | undefined;
    const own = sanctionFiles.includes(file) ? "sanctions" : (format ?? null);
    described.push({ path: file.path, name: file.name, format: own });
  }
  const out = batchBuilder();
  for (const file of [...files, ...sanctionFiles]) {
    if (await isEmpty(file)) out.complainOf(file)("empty-file", { line: null, reason: "there is nothing in the file" });
  }
  for (const { file, reason } of unread) out.complainOf(file)("unread-file", { line: null, reason });
  if (!out.isEmpty()) yield out.take();
  for (const [format, members] of groups) yield* format.read(members, context);
  if (sanctionFiles.length > 0) yield* readSanctionFiles(sanctionFiles, context);
}

async function openAll(paths: string[], { stdin, onProgress }: ReadRequest): Promise<OpenedFile[]> {
  const options: OpenOptions = {
    ...(stdin ? { stdin } : {}),
    onBytes: ({ path, name, sizeBytes }, readBytes) => onProgress?.({ path, name, readBytes, sizeBytes }),
  };
  return (await Promise.all([...new Set(paths)].map((path) => openFiles(path, options)))).flat();
}

/** Records without an id are named by their file and line. */
function nameApart(files: OpenedFile[]): void {
  const counts = new Map<string, number>();
  for (const file of files) {
    const count = (counts.get(file.name) ?? 0) + 1;
    counts.set(file.name, count);
    if (count > 1) file.name = `${file.name}~${count}`;
  }
}

type Grouped = { groups: Map<FileFormat, OpenedFile[]>; unread: { file: OpenedFile; reason: string }[] };

/**
 * Empty files belong to no group, nor do strange files beside known ones in a zip. In the order of the list of formats,
 * so that the order of the paths does not matter.
 */
async function groupByFormat(files: OpenedFile[], formatId: FileFormatId | undefined): Promise<Grouped> {
  const chosen = formatId === undefined ? null : findFormat(formatId);
  if (formatId !== undefined && chosen === null) {
    const ids = fileFormats.map((format) => format.id).join(", ");
    throw new AppError("invalid_request", `Formato desconhecido: ${formatId}. Existem: ${ids}.`);
  }
  const groups = new Map<FileFormat, OpenedFile[]>(fileFormats.map((format) => [format, []]));
  const unread: Grouped["unread"] = [];
  for (const file of files) {
    const head = await headText(file);
    if (chosen !== null) groups.get(chosen)!.push(file);
    if (chosen !== null || head.trim() === "") continue;
    const found = sniff(head);
    if ("format" in found) groups.get(found.format)!.push(file);
    else unread.push({ file, reason: found.reason });
  }
  const archives = new Set([...groups.values()].flat().map(({ archive }) => archive));
  const strange = unread.find(({ file }) => file.archive === null || !archives.has(file.archive));
  if (strange) throw new AppError("invalid_request", `${strange.file.path}: ${strange.reason}`);
  return { groups: new Map([...groups].filter(([, members]) => members.length > 0)), unread };
}

async function isEmpty(file: OpenedFile): Promise<boolean> {
  return (await headText(file)).trim() === "";
}
