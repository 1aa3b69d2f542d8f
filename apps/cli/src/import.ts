import { parseArgs } from "node:util";
import { databaseConfig, openStore } from "@cidadao/database/store";
import { importFiles, type ImportSummary } from "@cidadao/operations/import-files";
import { parseConfig } from "@cidadao/runtime/config";
import { fileFormats } from "@cidadao/sources/files/formats";
import Table from "cli-table3";
import { shownComplaints } from "./analysis-tables.ts";
import { formatOf } from "./analyze.ts";
import { type Command, asUsage } from "./command.ts";
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
    const summary = await importFiles({ store }, input, signal).finally(bar.end);
    const seconds = (performance.now() - startedMs) / 1000;
    for (const line of [...shownImport(summary, seconds), ...shownComplaints(summary.read.complaints)]) write(line);
    return summary.records > 0 ? 0 : 1;
  },
};

function readArguments(args: string[]) {
  return asUsage(() => {
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
  });
}

function shownImport({ read, inserted, updated, unchanged }: ImportSummary, seconds: number): string[] {
  const table = new Table({ style: { head: [], border: [] }, colAligns: ["left", "right"] });
  const kinds = [
    ["contratos", read.contracts],
    ["itens", read.items],
    ["aditivos", read.amendments],
    ["sanções", read.sanctions],
    ["cadastros", read.registrations],
  ] as const;
  for (const [name, count] of kinds) if (count > 0) table.push([`${name} lidos`, count]);
  table.push(
    ["registros novos, com órgãos e fornecedores", inserted],
    ["registros alterados", updated],
    ["registros iguais", unchanged],
  );
  return [table.toString(), `Em ${seconds.toFixed(1)} s.`];
}
