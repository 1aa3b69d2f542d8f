import { maskCpfsInText } from "@cidadao/domain/tax-id";
import { pino } from "pino";

export type Logger = Pick<pino.Logger, "trace" | "debug" | "info" | "warn" | "error" | "fatal"> & {
  child(bindings: Record<string, unknown>): Logger;
};

const secrets: readonly (readonly [RegExp, string])[] = [
  [/(\/api\/webhooks\/\d+\/)[\w-]+/g, "$1[secret]"],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, "[token]"],
  [/\b(Bearer\s+)[\w.~+/-]+=*/gi, "$1[secret]"],
  [/\b(?:sk|gsk|ck)[-_][\w-]{16,}/g, "[secret]"],
  [/\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b/g, "[e-mail]"],
];

/** Takes personal data and secrets out of the final line, whatever field or message they came in by. */
export function scrub(line: string): string {
  let clean = maskCpfsInText(line);
  for (const [pattern, replacement] of secrets) clean = clean.replace(pattern, replacement);
  return clean;
}

/** JSON lines on standard output, one object an event. */
export function createLogger(options: { process: string; level: string; write?: (line: string) => void }): Logger {
  const write = options.write ?? ((line: string) => void process.stdout.write(line));
  return pino(
    {
      level: options.level,
      base: { process: options.process, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => write(scrub(line)) },
  );
}
