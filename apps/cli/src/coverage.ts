import { coverageOf } from "@cidadao/detectors/coverage";
import { readAnalysis } from "./analysis-arguments.ts";
import { isAboutReleases, readFrame } from "./analyze.ts";
import { shownComplaints, shownCoverage } from "./analysis-tables.ts";
import type { Command } from "./command.ts";
import { writeReleaseCoverage } from "./release-coverage.ts";

export const coverageCommand: Command = {
  usage: "coverage FILE… [--format FORMAT] [--sanctions FILE]… [--json]",
  summary:
    "What a file can feed: fields filled and detectors that can answer; for OCDS releases, every path and how often it is filled",
  run: async (args, context) => {
    const asked = readAnalysis(args);
    if (await isAboutReleases(asked)) return writeReleaseCoverage(asked.paths, context);
    const { reading, frame } = await readFrame(asked, context);
    const summary = reading.summary();
    const coverage = coverageOf(frame);
    if (asked.json)
      context.write(
        JSON.stringify({ coverage: { ...coverage, files: summary.files, complaints: summary.complaints } }),
      );
    else
      for (const line of [...shownCoverage(coverage, summary), ...shownComplaints(summary.complaints)])
        context.write(line);
    return 0;
  },
};
