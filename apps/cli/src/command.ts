import { messageOf } from "@cidadao/runtime/errors";

export type CommandContext = {
  environment: Record<string, string | undefined>;
  write: (line: string) => void;
  signal: AbortSignal;
};

export type Command = {
  usage: string;
  summary: string;
  /** Resolves with the exit code. */
  run: (args: string[], context: CommandContext) => Promise<number>;
};

/** Whatever goes wrong in reading the arguments is wrong about them. */
export function asUsage<Arguments>(read: () => Arguments): Arguments {
  try {
    return read();
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

/** The command line was wrong; the message says in which way. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
