import { readDatabaseTime } from "@cidadao/database/schedule-runs";
import { databaseConfig, openStore } from "@cidadao/database/store";
import { chooseBackend, queueConfig } from "@cidadao/queue/backend";
import { openProducer } from "@cidadao/queue/produce";
import { parseConfig } from "@cidadao/runtime/config";
import { pause } from "@cidadao/runtime/deadline";
import { messageOf } from "@cidadao/runtime/errors";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createLogger } from "@cidadao/runtime/logger";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import type { Source } from "@cidadao/sources/define-source";
import { sources } from "@cidadao/sources/registry";
import type { Command, CommandContext } from "./command.ts";

const CHECK_TIMEOUT_MS = 15_000;
const QUEUE_POLL_MS = 100;
/** Two clocks further apart than this make leases and slots hard to read. */
const CLOCK_DRIFT_MS_MAX = 2_000;

export const doctorCommand: Command = {
  usage: "doctor",
  summary: "Checks configuration, database, queue and sources, and says what to do about each problem",
  run: async (_args, context) => {
    const checks: [string, () => Promise<string>][] = [
      ["database", () => checkDatabase(context)],
      ["queue", () => checkQueue(context)],
      ...sources.map((source): [string, () => Promise<string>] => [source.name, () => checkSource(source, context)]),
    ];
    let failures = 0;
    for (const [name, check] of checks) {
      try {
        context.write(`ok      ${name}: ${await check()}`);
      } catch (error) {
        failures++;
        context.write(`FAILED  ${name}: ${messageOf(error)}`);
      }
    }
    return failures === 0 ? 0 : 1;
  },
};

async function checkDatabase({ environment }: CommandContext): Promise<string> {
  const store = openStore(parseConfig(databaseConfig, environment));
  const time = await readDatabaseTime(store, AbortSignal.timeout(CHECK_TIMEOUT_MS));
  const driftMs = Math.abs(Date.now() - time.getTime());
  if (driftMs > CLOCK_DRIFT_MS_MAX)
    throw new Error(`its clock and this machine's differ by ${driftMs} ms; set both by NTP`);
  return "answers, and the migrations are applied";
}

async function checkQueue({ environment }: CommandContext): Promise<string> {
  const backend = chooseBackend(parseConfig(queueConfig, environment));
  await using producer = openProducer(backend, createLogger({ process: "cli", level: "silent" }));
  const deadline = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  while (!producer.isReady()) {
    if (deadline.aborted) throw new Error(`${backend.kind} did not answer; check REDIS_URL or DATABASE_URL`);
    await pause(QUEUE_POLL_MS, deadline);
  }
  const depths = await producer.depths(CHECK_TIMEOUT_MS);
  return `${backend.kind} answers; waiting: ${Object.entries(depths ?? {})
    .map(([name, depth]) => `${name} ${depth}`)
    .join(", ")}`;
}

async function checkSource(source: Source, { environment }: CommandContext): Promise<string> {
  const missing = source.missing(environment);
  if (missing.length > 0) throw new Error(`${missing.join(", ")} is not set`);
  await using http = createHttpClient({ userAgent: "cidadao-ai/0.1 (doctor)" });
  const outbound = { http, ...openSharedLimits(null), cache: createMemoryCache(), cacheTtlSeconds: 0 };
  const { records, sample } = await source.open(environment, outbound).probe(AbortSignal.timeout(CHECK_TIMEOUT_MS));
  if (records < source.probeRecordsMin) throw new Error(`gave ${records} rows, fewer than it has to`);
  return sample ?? "answers";
}
