import { createCoverageRun, writeCoverage } from "@cidadao/detectors/indicators/coverage";
import type { CommandContext } from "./command.ts";
import { readReleaseLines, warn } from "./release-lines.ts";

/** How often each path of the releases is filled, as one line of JSON. */
export async function writeReleaseCoverage(paths: string[], context: CommandContext): Promise<number> {
  const run = createCoverageRun();
  const complaints = await readReleaseLines(paths, context, run.addLine);
  context.write(writeCoverage(run.state));
  warn(run.state.warnings, complaints);
  return 0;
}
