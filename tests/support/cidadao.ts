import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");

export type Run = { code: number | null; stdout: string; stderr: string };

/** Runs the command as a person would, in a process of its own. `input` is a file for its standard input, `environment` all it has. */
export async function cidadao(
  args: string[],
  {
    input,
    stopsReading = false,
    environment,
  }: { input?: string; stopsReading?: boolean; environment?: Record<string, string> } = {},
): Promise<Run> {
  const child = spawn(process.execPath, ["apps/cli/src/main.ts", ...args], {
    cwd: root,
    stdio: "pipe",
    ...(environment ? { env: environment } : {}),
  });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => {
    output.push(chunk);
    if (stopsReading) child.stdout.destroy();
  });
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  // A command that never reads its input closes it.
  child.stdin.on("error", () => undefined);
  if (input === undefined) child.stdin.end();
  else createReadStream(input).pipe(child.stdin);
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  return { code, stdout: Buffer.concat(output).toString(), stderr: Buffer.concat(errors).toString() };
}
