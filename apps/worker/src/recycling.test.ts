import { expect, test } from "vitest";
import { recycleReason } from "./recycling.ts";

const MB = 1024 * 1024;

test.each([
  [{ jobsMax: null, memoryMbMax: null }, { jobsDone: 1_000_000, memoryBytes: 9_000 * MB }, null],
  [{ jobsMax: 10, memoryMbMax: 200 }, { jobsDone: 9, memoryBytes: 199 * MB }, null],
  [{ jobsMax: 10, memoryMbMax: null }, { jobsDone: 10, memoryBytes: 1 }, "it has done 10 jobs"],
  [{ jobsMax: 10, memoryMbMax: 200 }, { jobsDone: 1, memoryBytes: 200 * MB }, "it holds 200 MB"],
])("with the limits %j a worker of %j says %j", (limits, state, reason) => {
  expect(recycleReason(limits, state)).toBe(reason);
});
