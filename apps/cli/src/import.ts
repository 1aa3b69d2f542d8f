import { parseArgs } from "node:util";
import { databaseConfig, openStore } from "@cidadao/database/store";
import { importDownload } from "@cidadao/operations/import-download";
import { importFiles, type ImportSummary } from "@cidadao/operations/import-files";
import { localDay } from "@cidadao/operations/local-day";
import { parseConfig } from "@cidadao/runtime/config";
import { downloadUrl, publishedDownloads, downloadsConfig } from "@cidadao/sources/downloads/published-downloads";
import { fileFormats } from "@cidadao/sources/files/formats";
import Table from "cli-table3";
import { shownComplaints } from "./analysis-tables.ts";
import { type Command, asUsage } from "./command.ts";
import { fileFormatOf } from "./file-format.ts";
import { openOutbound } from "./open-outbound.ts";
import { createProgressBar } from "./progress-bar.ts";

export const importCommand: Command = {
  usage:
    `import FILE… [--source ${fileFormats.map(({ id }) => id).join("|")}] [--sanctions FILE]… [--sample TEXT]\n` +
    `         import --download ${publishedDownloads.map(({ id }) => id).join("|")} --period YYYY[-MM[-DD]]…`,
  summary:
    "Stores downloaded files, zipped or not, in the database (the format is recognised where --source is left out); --download fetches what is published for a month (lists: a day; licitacon: a year); the same files again write nothing",
  run: async (args, { environment, write, signal }) => {
    const asked = readArguments(args);
    await using open = new AsyncDisposableStack();
    const bar = createProgressBar(process.stderr);
    open.defer(bar.end);
    let isComplete = true;
    const show = (summary: ImportSummary, startedMs: number) => {
      bar.end();
      const seconds = (performance.now() - startedMs) / 1000;
      for (const line of [...shownImport(summary, seconds), ...shownComplaints(summary.read.complaints)]) write(line);
      isComplete &&= summary.records > 0 && summary.missing.length === 0;
    };
    if ("paths" in asked) {
      const store = openStore(parseConfig(databaseConfig, environment));
      const input = { ...asked, stdin: process.stdin, onProgress: bar.update };
      const startedMs = performance.now();
      show(await importFiles({ store }, input, signal), startedMs);
      return isComplete ? 0 : 1;
    }
    const { download, periods } = asked;
    const { store, outbound, http } = await openOutbound(environment, open);
    const config = parseConfig(downloadsConfig, environment);
    for (const period of periods) downloadUrl(config, download, period);
    for (const period of periods) {
      write(`${download.id} ${period}: ${download.title}`);
      const startedMs = performance.now();
      const onBytes = (readBytes: number) =>
        bar.update({ name: `${download.id} ${period}`, readBytes, sizeBytes: null });
      const input = { download, period, today: localDay(new Date()), onBytes, onProgress: bar.update };
      show(await importDownload({ store, http, limiter: outbound.limiter, config }, input, signal), startedMs);
    }
    return isComplete ? 0 : 1;
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
        download: { type: "string" },
        period: { type: "string", multiple: true, default: [] },
      },
    });
    const filesNamed = positionals.length + values.sanctions.length > 0;
    if (values.download !== undefined) {
      const download = publishedDownloads.find(({ id }) => id === values.download);
      if (!download)
        throw new Error(`no download ${values.download}: ${publishedDownloads.map(({ id }) => id).join(", ")}`);
      if (filesNamed || values.source !== undefined || values.sample !== undefined) {
        throw new Error("--download goes with --period alone");
      }
      if (values.period.length === 0) throw new Error("name at least one --period");
      return { download, periods: values.period };
    }
    if (values.period.length > 0) throw new Error("--period goes with --download");
    if (!filesNamed) throw new Error("name at least one file, or - for the standard input");
    return {
      paths: positionals,
      ...(values.source === undefined ? {} : { format: fileFormatOf(values.source) }),
      sanctions: values.sanctions,
      sample: values.sample ?? null,
    };
  });
}

function shownImport({ read, inserted, updated, unchanged, missing }: ImportSummary, seconds: number): string[] {
  const table = new Table({ style: { head: [], border: [] }, colAligns: ["left", "right"] });
  const kinds = [
    ["contratos", read.contracts],
    ["itens", read.items],
    ["aditivos", read.amendments],
    ["licitantes", read.tenderers],
    ["empenhos", read.commitments],
    ["sanções", read.sanctions],
    ["cadastros", read.registrations],
  ] as const;
  for (const [name, count] of kinds) if (count > 0) table.push([`${name} lidos`, count]);
  table.push(
    ["registros novos, com órgãos e fornecedores", inserted],
    ["registros alterados", updated],
    ["registros iguais", unchanged],
  );
  const short = missing.map(({ what, why }) => `FALTA ${what}: ${why}`);
  return [table.toString(), ...short, `Em ${seconds.toFixed(1)} s.`];
}
