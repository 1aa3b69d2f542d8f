import { setFlagsFromString } from "node:v8";

const FLAG = "--memory-saver-mode";
let running = 0;

/**
 * Runs `work` without V8's memory saver, where the process was started with it: the saver keeps the heap of an idle
 * service small, and doubles the time of long calculations. The flag is of the whole process, threads included; works
 * that overlap share it until the last has ended.
 */
export async function withoutMemorySaver<Result>(work: () => Promise<Result>): Promise<Result> {
  if (!process.execArgv.includes(FLAG)) return work();
  if (running++ === 0) setFlagsFromString("--no-memory-saver-mode");
  try {
    return await work();
  } finally {
    if (--running === 0) setFlagsFromString(FLAG);
  }
}
