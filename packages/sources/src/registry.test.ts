import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { sources } from "./registry.ts";

test("lists every source folder, in alphabetical order", () => {
  const folders = readdirSync(new URL(".", import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  expect(sources.map((source) => source.id)).toEqual(folders);
});
