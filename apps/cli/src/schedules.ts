import { findRun, latestRuns, type ScheduleRun } from "@cidadao/database/schedule-runs";
import { databaseConfig, openStore, type Store } from "@cidadao/database/store";
import { triggerSchedule } from "@cidadao/operations/trigger-schedule";
import { chooseBackend, queueConfig } from "@cidadao/queue/backend";
import { openProducer } from "@cidadao/queue/produce";
import { SCHEDULE_ZONE, schedules } from "@cidadao/queue/schedules";
import { describeCatchUp, nextSlot } from "@cidadao/queue/slots";
import { parseConfig } from "@cidadao/runtime/config";
import { pause } from "@cidadao/runtime/deadline";
import { createLogger } from "@cidadao/runtime/logger";
import Table from "cli-table3";
import { type Command, type CommandContext, UsageError } from "./command.ts";

const POLL_MS = 500;

export const schedulesCommand: Command = {
  usage: "schedules [run ID]",
  summary: "The timetable and how each schedule last went; with run ID, runs one now and waits for its end",
  run: async (args, context) => {
    const [verb, id, ...rest] = args;
    const isKnown = verb === undefined || (verb === "run" && id !== undefined && rest.length === 0);
    if (!isKnown) throw new UsageError(`unknown arguments: ${args.join(" ")}`);
    if (verb === "run") return runOne(id!, context);
    const store = openStore(parseConfig(databaseConfig, context.environment));
    context.write(await render(store, context.signal));
    return 0;
  },
};

async function render(store: Store, signal: AbortSignal): Promise<string> {
  const latest = await latestRuns(
    store,
    schedules.map(({ id }) => id),
    signal,
  );
  const now = new Date();
  const table = new Table({ head: ["schedule", "cron", "catch-up", "next", "last", "outcome"], style: { head: [] } });
  for (const { id, cron, catchUp } of schedules) {
    const run = latest.get(id)?.run ?? null;
    const next = local(nextSlot(cron, now).toISOString());
    table.push([id, cron, describeCatchUp(catchUp), next, run === null ? "never" : local(run.slot), outcomeOf(run)]);
  }
  return table.toString();
}

function outcomeOf(run: ScheduleRun | null): string {
  if (run === null) return "";
  if (run.problem !== null) return `${run.status}: ${run.problem}`;
  if (run.startedAt === null || run.finishedAt === null) return run.status;
  return `${run.status} in ${((Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1_000).toFixed(1)} s`;
}

function local(timestamp: string): string {
  return new Date(timestamp).toLocaleString("pt-BR", {
    timeZone: SCHEDULE_ZONE,
    dateStyle: "short",
    timeStyle: "short",
  });
}

async function runOne(scheduleId: string, { environment, signal, write }: CommandContext): Promise<number> {
  const config = parseConfig(databaseConfig.extend(queueConfig.shape), environment);
  const logger = createLogger({ process: "cli", level: "warn", write: (line) => void process.stderr.write(line) });
  const store = openStore(config);
  await using producer = openProducer(chooseBackend(config), logger);
  const opened = await triggerSchedule({ store, enqueue: producer.enqueue, logger }, { scheduleId }, signal);
  write(`${scheduleId}: stored, waits for a worker`);
  for (;;) {
    const run = await findRun(store, opened, signal);
    if (run?.status === "completed" || run?.status === "failed") {
      write(`${outcomeOf(run)}${run.result === null ? "" : `\n${JSON.stringify(run.result, null, 2)}`}`);
      return run.status === "completed" ? 0 : 1;
    }
    signal.throwIfAborted();
    await pause(POLL_MS, signal);
  }
}
