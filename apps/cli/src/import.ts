import { parseArgs } from "node:util";
import { databaseConfig, openStore } from "@cidadao/database/store";
import { importFiles, type ImportSummary } from "@cidadao/operations/import-files";
import { parseConfig } from "@cidadao/runtime/config";
import { messageOf } from "@cidadao/runtime/errors";
import { fileFormats } from "@cidadao/sources/files/formats";
import Table from "cli-table3";
import { shownComplaints } from "./analysis-tables.ts";
import { formatOf } from "./analyze.ts";
import { type Command, UsageError } from "./command.ts";
import { createProgressBar } from "./progress-bar.ts";

export const importCommand: Command = {
  name: "import",
  usage: `import FILE… [--source ${fileFormats.map(({ id }) => id).join("|")}] [--sanctions FILE]… [--sample TEXT]`,
  summary:
    "Stores downloaded files in the database (the format is recognised where --source is left out); the same files again write nothing",
  run: async (args, { environment, write, signal }) => {
    const { paths, format, sanctions, sample } = readArguments(args);
    const store = openStore(parseConfig(databaseConfig, environment));
    const bar = createProgressBar(process.stderr);
    const startedMs = performance.now();
    const input = {
      paths,
      ...(format ? { format } : {}),
      sanctions,
      sample,
      stdin: process.stdin,
      onProgress: bar.update,
    };
    const { read, written } = await importFiles({ store }, input, signal).finally(bar.end);
    const seconds = (performance.now() - startedMs) / 1000;
    for (const line of [...shownWritten(written, seconds), ...shownComplaints(read.complaints)]) write(line);
    return read.contracts + read.sanctions + read.registrations > 0 ? 0 : 1;
  },
};

function readArguments(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        source: { type: "string" },
        sanctions: { type: "string", multiple: true, default: [] },
        sample: { type: "string" },
      },
    });
    if (positionals.length + values.sanctions.length === 0) {
      throw new Error("name at least one file, or - for the standard input");
    }
    return {
      paths: positionals,
      format: values.source === undefined ? undefined : formatOf(values.source),
      sanctions: values.sanctions,
      sample: values.sample ?? null,
    };
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function shownWritten(written: ImportSummary["written"], seconds: number): string[] {
  const table = new Table({
    head: ["Tabela", "novos", "alterados", "iguais"],
    style: { head: [], border: [] },
    colAligns: ["left", "right", "right", "right"],
  });
  let rows = 0;
  for (const [name, { inserted, updated, unchanged }] of Object.entries(written)) {
    const total = inserted + updated + unchanged;
    if (total > 0) table.push([name, inserted, updated, unchanged]);
    rows += total;
  }
  return [table.toString(), `${rows} registros em ${seconds.toFixed(1)} s.`];
}
