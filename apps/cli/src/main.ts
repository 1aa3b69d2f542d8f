#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import path from "node:path";
import { ConfigError } from "@cidadao/runtime/config";
import { messageOf } from "@cidadao/runtime/errors";
import { type Command, UsageError } from "./command.ts";

// A command starts in half the time when what it loads was compiled by the one before. Not in the system's folder of
// temporary files, where anybody could leave code for us.
enableCompileCache(path.resolve(import.meta.dirname, "../../../node_modules/.cache/node"));

/** Each is loaded only when it is asked for. */
const commands: Record<string, () => Promise<Command>> = {
  analyze: async () => (await import("./analyze.ts")).analyzeCommand,
  coverage: async () => (await import("./coverage.ts")).coverageCommand,
  detectors: async () => (await import("./detectors.ts")).detectorsCommand,
  doctor: async () => (await import("./doctor.ts")).doctorCommand,
  gazettes: async () => (await import("./gazettes.ts")).gazettesCommand,
  import: async () => (await import("./import.ts")).importCommand,
  indicators: async () => (await import("./indicators.ts")).indicatorsCommand,
  ingest: async () => (await import("./ingest.ts")).ingestCommand,
  investigate: async () => (await import("./investigate.ts")).investigateCommand,
  schedules: async () => (await import("./schedules.ts")).schedulesCommand,
  sources: async () => (await import("./sources.ts")).sourcesCommand,
};

const [name = "help", ...args] = process.argv.slice(2);
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort(new Error(signal)));
// Whoever reads the output may stop early, as head does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

let command: Command | null = null;
try {
  if (["help", "--help", "-h"].includes(name)) write(await help());
  else {
    if (!Object.hasOwn(commands, name))
      throw new UsageError(`There is no command ${name}; npx cidadao help lists them.`);
    command = await commands[name]!();
    process.exitCode = await command.run(args, { environment: process.env, write, signal: stop.signal });
  }
} catch (error) {
  process.exitCode = error instanceof UsageError ? 2 : error instanceof ConfigError ? 78 : 1;
  process.stderr.write(
    `${messageOf(error)}\n${error instanceof UsageError && command ? `Usage: npx cidadao ${command.usage}\n` : ""}`,
  );
}

async function help(): Promise<string> {
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  return ["Usage: npx cidadao COMMAND", "", ...all.map(({ usage, summary }) => `  ${usage}\n      ${summary}`)].join(
    "\n",
  );
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
