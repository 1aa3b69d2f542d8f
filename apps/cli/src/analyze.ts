import { parseArgs } from "node:util";
import { type Coverage, coverageOf } from "@cidadao/detectors/coverage";
import { createFrameBuilder, openFrame } from "@cidadao/detectors/frame/frame";
import { detectors } from "@cidadao/detectors/registry";
import { detectInFrame } from "@cidadao/detectors/run-detectors";
import type { Detection } from "@cidadao/domain/dataset";
import type { SanctionList } from "@cidadao/domain/sanction";
import type { ComplaintKind } from "@cidadao/sources/files/complaints";
import { fileFormats, type FileFormatId } from "@cidadao/sources/files/formats";
import { type FileReading, readFiles, type ReadSummary } from "@cidadao/sources/files/read-files";
import { analyzeReleases } from "./analyze-releases.ts";
import { type Command, type CommandContext, asUsage } from "./command.ts";
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

const SHOWN_DEFAULT = 20;
/** As JSON, all of them; a bound all the same. */
const FINDINGS_PRINTED_MAX = 1_000_000;

/** The rest of such a file was not read; which of the files it is does not matter, since a list may be in any. */
const CUT_SHORT: ReadonlySet<ComplaintKind> = new Set(["truncated-gzip", "unreadable-file"]);

export type Analysis = {
  paths: string[];
  format: FileFormatId | undefined;
  sanctions: string[];
  detectors: string[] | undefined;
  params: Record<string, Record<string, unknown>>;
  json: boolean;
  shown: number;
};

export const analyzeCommand: Command = {
  usage: `analyze FILE… [--format ${fileFormats.map(({ id }) => id).join("|")}] [--detectors ID,ID] [--sanctions FILE]… [--param DETECTOR.NAME=VALUE]… [--top N] [--json]`,
  summary:
    "Runs the detectors over files of contracts or OCDS releases (.gz, cp1252 and UTF-8 alike; - is the standard input)",
  run: async (args, context) => {
    const analysis = readArguments(args);
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

export function readArguments(args: string[]): Analysis {
  return asUsage(() => {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        format: { type: "string" },
        detectors: { type: "string" },
        sanctions: { type: "string", multiple: true, default: [] },
        param: { type: "string", multiple: true, default: [] },
        top: { type: "string", default: String(SHOWN_DEFAULT) },
        json: { type: "boolean", default: false },
      },
    });
    if (positionals.length === 0) throw new Error("name at least one file, or - for the standard input");
    const shown = Number(values.top);
    if (!Number.isInteger(shown) || shown < 1) throw new Error("--top takes a whole number from 1");
    return {
      paths: positionals,
      format: values.format === undefined ? undefined : formatOf(values.format),
      sanctions: values.sanctions,
      detectors: values.detectors === undefined ? undefined : detectorsOf(values.detectors),
      params: paramsOf(values.param),
      json: values.json,
      shown,
    };
  });
}

export function formatOf(id: string): FileFormatId {
  const format = fileFormats.find((one) => one.id === id);
  if (!format) throw new Error(`no format ${id}; there are ${fileFormats.map((one) => one.id).join(", ")}`);
  return format.id;
}

function detectorsOf(list: string): string[] {
  const ids = list.split(",").filter(Boolean);
  if (ids.length === 0) throw new Error("--detectors takes ids, separated by commas; npx cidadao detectors lists them");
  return ids.map(detectorOf);
}

function detectorOf(id: string): string {
  if (!detectors.some((one) => one.id === id)) throw new Error(`no detector ${id}; npx cidadao detectors lists them`);
  return id;
}

/** "price-outlier.threshold=4" as a value of the detector's own schema; the schema says what is wrong. */
function paramsOf(given: string[]): Analysis["params"] {
  const params: Analysis["params"] = {};
  for (const text of given) {
    const match = /^([a-z0-9-]+)\.(\w+)=(.+)$/.exec(text);
    if (!match) throw new Error(`--param takes DETECTOR.NAME=VALUE, not ${text}`);
    const [, id, name, value] = match;
    const own = (params[detectorOf(id!)] ??= {});
    own[name!] = /^-?\d+(\.\d+)?$/.test(value!) ? Number(value) : value!;
  }
  for (const [id, own] of Object.entries(params)) {
    const schema = detectors.find((one) => one.id === id)!.params;
    const names = Object.keys(schema.shape);
    const unknown = Object.keys(own).find((name) => !names.includes(name));
    if (unknown !== undefined) {
      const known = names.length === 0 ? "it has none" : `there are ${names.join(", ")}`;
      throw new Error(`no parameter ${id}.${unknown}; ${known}`);
    }
    const parsed = schema.safeParse(own);
    if (!parsed.success) {
      throw new Error(parsed.error.issues.map(({ path, message }) => `${id}.${path.join(".")}: ${message}`).join("\n"));
    }
  }
  return params;
}
