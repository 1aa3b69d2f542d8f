import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withoutMemorySaver } from "./memory-saver.ts";

const flags = vi.hoisted(() => ({ set: [] as string[] }));
vi.mock("node:v8", () => ({ setFlagsFromString: (flag: string) => flags.set.push(flag) }));

const startedWith = process.execArgv;
beforeEach(() => {
  flags.set.length = 0;
  process.execArgv = [...startedWith, "--memory-saver-mode"];
});
afterEach(() => {
  process.execArgv = startedWith;
});

test("the memory saver is off while any of several works runs, and on again after the last, even one that fails", async () => {
  const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const works = [withoutMemorySaver(() => first.promise), withoutMemorySaver(() => second.promise)];
  expect(flags.set).toEqual(["--no-memory-saver-mode"]);
  first.resolve("done");
  await expect(works[0]).resolves.toBe("done");
  expect(flags.set).toEqual(["--no-memory-saver-mode"]);
  second.reject(new Error("broken"));
  await expect(works[1]).rejects.toThrow("broken");
  expect(flags.set).toEqual(["--no-memory-saver-mode", "--memory-saver-mode"]);
});

test("a process that was started without the memory saver is never switched to it", async () => {
  process.execArgv = startedWith;
  await withoutMemorySaver(async () => "done");
  expect(flags.set).toEqual([]);
});
