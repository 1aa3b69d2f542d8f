import { AppError } from "@cidadao/runtime/errors";

/**
 * Pages for as long as there is time. Where it is over before the first or between two of them, the question fails with
 * `deadline_exceeded`: what was not asked is told as missing, and whoever waits is not kept waiting.
 */
export function inTime<Page>(
  pages: (signal: AbortSignal) => AsyncIterable<Page>,
  time: { isOver: () => boolean; why: string },
): (signal: AbortSignal) => AsyncGenerator<Page, void, void> {
  return async function* (signal) {
    const check = () => {
      if (time.isOver()) throw new AppError("deadline_exceeded", time.why);
    };
    check();
    for await (const page of pages(signal)) {
      yield page;
      check();
    }
  };
}
