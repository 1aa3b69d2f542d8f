import { existsSync, readdirSync } from "node:fs";
import { federativeUnits } from "@cidadao/domain/federative-units";
import { expect, test } from "vitest";
import { sources } from "./registry.ts";

test("lists every folder with a source, in alphabetical order", () => {
  const folders = readdirSync(new URL(".", import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/source.ts`, import.meta.url)))
    .map((entry) => entry.name)
    .sort();
  expect(sources.map((source) => source.id)).toEqual(folders);
});

test.each(sources)("$id covers states that there are", ({ coverage }) => {
  const named = coverage.states === "all" ? [] : coverage.states;
  expect(named.filter((code) => !(code in federativeUnits))).toEqual([]);
});
