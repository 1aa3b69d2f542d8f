import { parseArgs } from "node:util";
import { createIndicatorRun } from "@cidadao/detectors/indicators/run-indicators";
import { countLines, writeResult } from "@cidadao/detectors/indicators/write-result";
import { type Command, asUsage } from "./command.ts";
import { readReleaseLines, readSettings, warn } from "./release-lines.ts";

export const indicatorsCommand: Command = {
  usage: "indicators FILE.jsonl|- [--settings FILE.ini] [--no-meta] [--map] [--count]",
  summary:
    "Cardinal's eleven red-flag indicators over OCDS compiled releases, one a line: its settings file, options and JSON. Without settings all run with their defaults",
  run: async (args, context) => {
    const { paths, values } = readArguments(args);
    const settings = await readSettings(values.settings);
    const map = values.map;
    const run = createIndicatorRun(settings, { map });
    const complaints = await readReleaseLines(paths, context, run.addLine);
    const result = run.finish();
    context.write(writeResult(result, { noMeta: values["no-meta"], map }));
    if (values.count) for (const line of countLines(result)) process.stderr.write(`${line}\n`);
    for (const note of settings.notes) process.stderr.write(`note: ${note}\n`);
    warn(
      settings.infoCurrencyMismatches
        ? result.warnings.filter(({ kind }) => kind !== "currency-mismatch")
        : result.warnings,
      complaints,
    );
    return 0;
  },
};

function readArguments(args: string[]) {
  return asUsage(() => {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        settings: { type: "string", short: "s" },
        "no-meta": { type: "boolean", default: false },
        map: { type: "boolean", default: false },
        count: { type: "boolean", short: "c", default: false },
      },
    });
    if (positionals.length === 0) throw new Error("name a file of OCDS releases, or - for the standard input");
    return { values, paths: positionals };
  });
}
