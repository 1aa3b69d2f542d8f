import { readFile, stat } from "node:fs/promises";
import type { LineWarning } from "@cidadao/detectors/indicators/line-warnings";
import { defaultSettings, type IndicatorSettings, parseSettings } from "@cidadao/detectors/indicators/settings";
import { messageOf } from "@cidadao/runtime/errors";
import { complaintTally, type ComplaintCount } from "@cidadao/sources/files/complaints";
import { sniff } from "@cidadao/sources/files/formats";
import { headText, openFile, readLines } from "@cidadao/sources/files/open-text";
import { type CommandContext, UsageError } from "./command.ts";
import { createProgressBar } from "./progress-bar.ts";

const STDIN = "-";

/** True when the first lines of the files are OCDS releases. A pipe cannot be looked at twice: `false`. */
export async function areReleases(paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    if (path === STDIN || !(await isFile(path))) return false;
    const found = sniff(await headText(await openFile(path)));
    if (!("format" in found) || found.format.id !== "ocds") return false;
  }
  return true;
}

/** What is not there is for the reading to complain about. */
function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** Gives every line of the files to `addLine`, numbered from 1 in each file; says what the reading complained about. */
export async function readReleaseLines(
  paths: readonly string[],
  { signal }: CommandContext,
  addLine: (text: string, lineNumber: number) => void,
): Promise<ComplaintCount[]> {
  const bar = createProgressBar(process.stderr);
  const tally = complaintTally();
  for (const path of paths) {
    const file = await openFile(path, {
      stdin: process.stdin,
      onBytes: ({ name, sizeBytes }, readBytes) => bar.update({ name, readBytes, sizeBytes }),
    });
    const lines = readLines(file, (kind, { line, reason, field = null, count = 1 }) =>
      tally.add({ kind, file: file.name, line, field, reason, count }),
    );
    for await (const batch of lines) {
      signal.throwIfAborted();
      for (const { line, text } of batch) addLine(text, line);
    }
  }
  bar.end();
  return tally.list();
}

/** The settings of a file in Cardinal's own form; without a file, every indicator with its defaults. */
export async function readSettings(file: string | undefined): Promise<IndicatorSettings> {
  if (file === undefined) return defaultSettings();
  try {
    return parseSettings(await readFile(file, "utf8"));
  } catch (error) {
    throw new UsageError(`${file}: ${messageOf(error)}`);
  }
}

/** Warnings go to the standard error: the standard output is the result alone. */
export function warn(warnings: readonly LineWarning[], complaints: readonly ComplaintCount[]): void {
  for (const { kind, count, lines } of warnings) {
    process.stderr.write(`warning: ${count} × ${kind}${lines.length > 0 ? ` (lines ${lines.join(", ")})` : ""}\n`);
  }
  for (const { kind, count, example } of complaints) process.stderr.write(`warning: ${count} × ${kind}: ${example}\n`);
}
