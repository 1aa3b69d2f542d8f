#!/usr/bin/env node
import { ConfigError } from "@cidadao/runtime/config";
import { messageOf } from "@cidadao/runtime/errors";
import { analyzeCommand } from "./analyze.ts";
import { coverageCommand } from "./coverage.ts";
import { detectorsCommand } from "./detectors.ts";
import { doctorCommand } from "./doctor.ts";
import { gazettesCommand } from "./gazettes.ts";
import { importCommand } from "./import.ts";
import { indicatorsCommand } from "./indicators.ts";
import { ingestCommand } from "./ingest.ts";
import { investigateCommand } from "./investigate.ts";
import { schedulesCommand } from "./schedules.ts";
import { sourcesCommand } from "./sources.ts";
import { type Command, UsageError } from "./command.ts";

const commands: readonly Command[] = [
  analyzeCommand,
  coverageCommand,
  detectorsCommand,
  doctorCommand,
  gazettesCommand,
  importCommand,
  indicatorsCommand,
  ingestCommand,
  investigateCommand,
  schedulesCommand,
  sourcesCommand,
];

const [name = "help", ...args] = process.argv.slice(2);
const command = commands.find((one) => one.name === name);
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort(new Error(signal)));
// Whoever reads the output may stop early, as head does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  if (command) {
    process.exitCode = await command.run(args, { environment: process.env, write, signal: stop.signal });
  } else {
    write(
      ["Usage: npx cidadao COMMAND", "", ...commands.map(({ usage, summary }) => `  ${usage}\n      ${summary}`)].join(
        "\n",
      ),
    );
    if (!["help", "--help", "-h"].includes(name)) process.exitCode = 2;
  }
} catch (error) {
  process.exitCode = error instanceof UsageError ? 2 : error instanceof ConfigError ? 78 : 1;
  process.stderr.write(
    `${messageOf(error)}\n${error instanceof UsageError && command ? `Usage: npx cidadao ${command.usage}\n` : ""}`,
  );
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
