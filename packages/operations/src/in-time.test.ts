import { expect, test } from "vitest";
import { inTime } from "./in-time.ts";

const never = new AbortController().signal;

async function* threePages() {
  yield 1;
  yield 2;
  yield 3;
}

async function collect(pages: AsyncIterable<number>) {
  const seen: number[] = [];
  let why = "";
  try {
    for await (const page of pages) seen.push(page);
  } catch (error) {
    why = (error as Error).message;
  }
  return { seen, why };
}

test.each([
  [0, [], "no time left"],
  [2, [1, 2], "no time left"],
  [9, [1, 2, 3], ""],
])("with time for %i pages gives those, and says why the others are missing", async (left, seen, why) => {
  let checks = 0;
  const time = { isOver: () => ++checks > left, why: "no time left" };
  expect(await collect(inTime(threePages, time)(never))).toEqual({ seen, why });
});

test("asks nothing at all once the time is over", () => {
  const pages = inTime(() => expect.unreachable(), { isOver: () => true, why: "over" });
  return expect(pages(never).next()).rejects.toMatchObject({ code: "deadline_exceeded" });
});
