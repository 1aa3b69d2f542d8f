import { parseArgs } from "node:util";
import type { Store } from "@cidadao/database/store";
import { parseDate } from "@cidadao/domain/dates";
import { ingestThroughPauses } from "@cidadao/operations/ingest-through-pauses";
import { type ContractReading, ingestContract } from "@cidadao/operations/ingest-contract";
import type { WindowInput, WindowSummary } from "@cidadao/operations/ingest-window";
import type { IngestScope, OpenedSource, Source } from "@cidadao/sources/define-source";
import { sources } from "@cidadao/sources/registry";
import { type Command, type CommandContext, asUsage } from "./command.ts";
import { openOutbound } from "./open-outbound.ts";

/** Pauses that a source or the database asked for are sat out here: nobody else waits for this process. */
const PAUSE_SECONDS_MAX = 900;
const PROGRESS_MS = 1_000;

export const ingestCommand: Command = {
  usage:
    "ingest SOURCE --from YYYY-MM-DD --to YYYY-MM-DD [--agency CODE|CNPJ] [--place UF|IBGE] [--company CNPJ] [--item CODE] [--resource ID]… [--resume] [--json]\n       ingest SOURCE --contract ID [--json]",
  summary:
    "Brings what a source published in a window of days into the database; --resume goes on where it stopped; --contract brings all it has about one contract or procedure, by its id there",
  run: async (args, context) => {
    const asked = readArguments(args);
    await using open = new AsyncDisposableStack();
    const { store, outbound } = await openOutbound(context.environment, open);
    const opened = asked.source.open(context.environment, outbound);
    if (asked.contractId === undefined) return await bringWindow(store, { ...asked, opened }, context);
    return await bringContract(store, { ...asked, opened }, context);
  },
};

async function bringWindow(
  store: Store,
  { resources, json, ...asked }: Omit<Reading, "resource"> & { resources: string[]; json: boolean },
  context: CommandContext,
): Promise<number> {
  const show = json ? () => {} : context.write;
  let isComplete = true;
  for (const resource of resources) {
    const summary = await readThrough({ store, write: show }, { ...asked, resource }, context);
    if (json) context.write(JSON.stringify({ source: asked.source.id, resource, ...summary }));
    else describe(summary, resource, context);
    isComplete &&= summary.missing.length === 0;
  }
  return isComplete ? 0 : 1;
}

async function bringContract(
  store: Store,
  { json, ...asked }: { source: Source; opened: OpenedSource; contractId: string; json: boolean },
  { write, signal }: CommandContext,
): Promise<number> {
  const onRead = ({ resource, coverage, written, sample }: ContractReading) => {
    const { records, rejected, missing } = coverage;
    if (json) {
      write(JSON.stringify({ source: asked.source.id, resource, records, rejected, written, missing, sample }));
      return;
    }
    const left = rejected === 0 ? "" : `; ${rejected} ilegíveis, na quarentena`;
    write(`${resource}: ${records} registros, ${written} linhas novas ou alteradas${left}`);
    for (const line of shownEnd(missing, sample)) write(line);
  };
  const readings = await ingestContract({ store }, { ...asked, onRead }, signal);
  return readings.every(({ coverage }) => coverage.missing.length === 0) ? 0 : 1;
}

type Reading = { source: Source; opened: OpenedSource; resource: string; scope: IngestScope; resume: boolean };

function readThrough(
  { store, write }: Pick<CommandContext, "write"> & { store: Store },
  reading: Reading,
  { signal }: CommandContext,
): Promise<WindowSummary> {
  let shownMs = 0;
  const onProgress: NonNullable<WindowInput["onProgress"]> = (progress) => {
    const nowMs = performance.now();
    if (nowMs - shownMs < PROGRESS_MS) return;
    shownMs = nowMs;
    const { slicesDone, slices, pages, records } = progress;
    write(`${reading.resource}: ${slicesDone} de ${slices} consultas, ${pages} páginas, ${records} registros`);
  };
  const onPause = (why: string, seconds: number) => write(`${why}; espera de ${seconds} s`);
  return ingestThroughPauses(
    { store },
    { ...reading, pauseSecondsMax: PAUSE_SECONDS_MAX, onProgress, onPause },
    signal,
  );
}

function readArguments(args: string[]) {
  return asUsage(() => {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        from: { type: "string" },
        to: { type: "string" },
        agency: { type: "string" },
        place: { type: "string" },
        company: { type: "string" },
        item: { type: "string" },
        resource: { type: "string", multiple: true },
        contract: { type: "string" },
        resume: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    });
    const source = sources.find(({ id }) => id === positionals[0]);
    if (!source || positionals.length !== 1) {
      throw new Error(`name one source: ${sources.map(({ id }) => id).join(", ")}`);
    }
    const { contract: contractId, json, ...others } = values;
    if (contractId !== undefined) {
      const given = Object.entries(others).flatMap(([name, value]) =>
        value === undefined || value === false ? [] : [name],
      );
      if (given.length > 0) throw new Error(`--contract asks for one contract: leave out --${given.join(", --")}`);
      return { source, contractId, json };
    }
    const windowed = Object.entries(source.resources).flatMap(([id, { isWindowed }]) => (isWindowed ? [id] : []));
    const unknown = values.resource?.find((id) => !windowed.includes(id));
    if (unknown !== undefined) throw new Error(`no resource ${unknown}: ${windowed.join(", ")}`);
    const [from, to] = [parseDate(values.from ?? ""), parseDate(values.to ?? "")];
    if (from === null || to === null) throw new Error("--from and --to are days, as YYYY-MM-DD");
    if (from > to) throw new Error("the window ends before it begins");
    return {
      source,
      resources: values.resource ?? windowed.filter((id) => !source.resources[id]!.onlyNamed),
      scope: {
        from,
        to,
        agency: values.agency ?? null,
        ...(values.place ? { place: values.place } : {}),
        ...(values.company ? { company: values.company } : {}),
        ...(values.item ? { item: values.item } : {}),
      },
      resume: values.resume,
      json,
    };
  });
}

function describe(summary: WindowSummary, resource: string, { write }: CommandContext): void {
  const { asked, answered, settled, records, inserted, updated, unchanged, rejected, quarantined, excluded } = summary;
  write(
    [
      `${resource}: ${answered} de ${asked} consultas lidas até o fim, ${settled} delas já antes`,
      `  páginas    ${summary.pages}, das quais ${summary.pagesFromCache} do cache`,
      `  registros  ${records}: ${inserted} linhas novas, ${updated} alteradas, ${unchanged} iguais`,
      `  fora       ${excluded} que não são compras; ${rejected} ilegíveis, ${quarantined} delas novas na quarentena`,
      ...shownEnd(summary.missing, summary.sample),
    ].join("\n"),
  );
}

const MISSING_SHOWN_MAX = 20;

function shownEnd(missing: WindowSummary["missing"], sample: string | null): string[] {
  return [
    ...missing.slice(0, MISSING_SHOWN_MAX).map(({ what, why }) => `  falta      ${what}: ${why}`),
    ...(sample ? [`  AMOSTRA    ${sample}`] : []),
  ];
}
