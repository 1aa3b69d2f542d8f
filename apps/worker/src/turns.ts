/** Stops and starts the taking of further jobs. */
export type Intake = { pause: () => void; resume: () => void };

export type Turns = {
  /** At once, or `null`: one runs alone, or waits to. */
  together: () => Disposable | null;
  /** When nothing runs any more, with nothing new beside it; `null`: another one has asked before, or the signal came. */
  alone: (signal: AbortSignal) => Promise<Disposable | null>;
};

/** Turns in this process: many together, or one alone, for which nothing further is taken in. */
export function createTurns(intake: Intake): Turns {
  let running = 0;
  let isReserved = false;
  let onIdle = () => {};

  const leave = () => {
    running--;
    if (running === 0) onIdle();
  };

  return {
    together: () => {
      if (isReserved) return null;
      running++;
      return { [Symbol.dispose]: leave };
    },
    alone: async (signal) => {
      if (isReserved || signal.aborted) return null;
      isReserved = true;
      intake.pause();
      const release = () => {
        isReserved = false;
        intake.resume();
      };
      const idle = Promise.withResolvers<void>();
      onIdle = idle.resolve;
      if (running === 0) idle.resolve();
      signal.addEventListener("abort", () => idle.resolve(), { once: true });
      await idle.promise;
      onIdle = () => {};
      if (!signal.aborted) return { [Symbol.dispose]: release };
      release();
      return null;
    },
  };
}
