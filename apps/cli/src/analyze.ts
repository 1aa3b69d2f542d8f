import { type Coverage, coverageOf } from "@cidadao/detectors/coverage";
import { createFrameBuilder, openFrame } from "@cidadao/detectors/frame/frame";
import { detectInFrame } from "@cidadao/detectors/run-detectors";
import type { Detection } from "@cidadao/domain/dataset";
import type { SanctionList } from "@cidadao/domain/sanction";
import type { ComplaintKind } from "@cidadao/sources/files/complaints";
import { fileFormats } from "@cidadao/sources/files/formats";
import { type FileReading, readFiles, type ReadSummary } from "@cidadao/sources/files/read-files";
import { type Analysis, readAnalysis } from "./analysis-arguments.ts";
import { analyzeReleases } from "./analyze-releases.ts";
import type { Command, CommandContext } from "./command.ts";
import {
  findingLine,
  shownComplaints,
  shownCoverage,
  shownFindings,
  shownReports,
  shownRisks,
} from "./analysis-tables.ts";
import { areReleases } from "./release-lines.ts";
import { createProgressBar } from "./progress-bar.ts";

/** As JSON, all of them; a bound all the same. */
const FINDINGS_PRINTED_MAX = 1_000_000;

/** The rest of such a file was not read; which of the files it is does not matter, since a list may be in any. */
const CUT_SHORT: ReadonlySet<ComplaintKind> = new Set(["truncated-gzip", "unreadable-file"]);

export const analyzeCommand: Command = {
  usage: `analyze FILE… [--format ${fileFormats.map(({ id }) => id).join("|")}] [--detectors ID,ID] [--sanctions FILE]… [--param DETECTOR.NAME=VALUE]… [--top N] [--json]`,
  summary:
    "Runs the detectors over files of contracts or OCDS releases (.gz, cp1252 and UTF-8 alike; - is the standard input)",
  run: async (args, context) => {
    const analysis = readAnalysis(args);
    if (await isAboutReleases(analysis)) return analyzeReleases(analysis, context);
    const { reading, frame } = await readFrame(analysis, context);
    const coverage = coverageOf(frame);
    if (!analysis.json) for (const line of shownCoverage(coverage, reading.summary())) context.write(line);
    const detection = detectInFrame(frame, {
      ...(analysis.detectors ? { detectors: analysis.detectors } : {}),
      params: analysis.params,
      findingsMax: analysis.json ? FINDINGS_PRINTED_MAX : analysis.shown,
    });
    if (analysis.json) writeJson(detection, { coverage, summary: reading.summary() }, context);
    else writeTables(detection, reading.summary(), analysis.shown, context);
    return frame.contracts.size > 0 ? 0 : 1;
  },
};

export async function isAboutReleases({ format, paths }: Pick<Analysis, "format" | "paths">): Promise<boolean> {
  return format === undefined ? areReleases(paths) : format === "ocds";
}

/** Reads the files into a frame, with a bar on a terminal. */
export async function readFrame(
  { paths, format, sanctions }: Pick<Analysis, "paths" | "format" | "sanctions">,
  { signal }: CommandContext,
) {
  const bar = createProgressBar(process.stderr);
  const reading: FileReading = readFiles({
    paths,
    ...(format ? { format } : {}),
    sanctions,
    stdin: process.stdin,
    onProgress: bar.update,
  });
  const builder = createFrameBuilder();
  const lists = new Set<SanctionList>();
  let isCutShort = false;
  for await (const batch of reading.batches) {
    signal.throwIfAborted();
    builder.add(batch);
    for (const { list } of batch.sanctions) if (list !== "tcu") lists.add(list);
    isCutShort ||= batch.complaints.some(({ kind }) => CUT_SHORT.has(kind));
  }
  bar.end();
  // A list of which a part is missing proves nobody's absence from it.
  if (!isCutShort) builder.add({ sanctionListsRead: [...lists] });
  return { reading, frame: openFrame(builder.data()) };
}

function writeJson(
  detection: Detection,
  { coverage, summary }: { coverage: Coverage; summary: ReadSummary },
  { write }: CommandContext,
): void {
  for (const finding of detection.findings) write(findingLine(finding));
  const { findingsTotal, reports, risks } = detection;
  write(
    JSON.stringify({
      coverage: { ...coverage, files: summary.files, complaints: summary.complaints },
      findings: findingsTotal,
      reports,
      risks,
    }),
  );
}

function writeTables(detection: Detection, summary: ReadSummary, shown: number, { write }: CommandContext): void {
  for (const line of [
    ...shownFindings(detection.findings, { shown, total: detection.findingsTotal }),
    ...shownReports(detection.reports),
    ...shownRisks(detection.risks),
    ...shownComplaints(summary.complaints),
  ]) {
    write(line);
  }
}
