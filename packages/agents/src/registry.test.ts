import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { agents } from "./registry.ts";

test("every file that defines an agent is listed, alphabetically", () => {
  const folder = new URL(".", import.meta.url);
  const defined = readdirSync(folder)
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .filter((name) => /= defineAgent\(/.test(readFileSync(new URL(name, folder), "utf8")))
    .map((name) => name.replace(/\.ts$/, ""));
  expect(agents.map(({ id }) => id)).toEqual(defined.toSorted());
});

test("every agent says what it is for and is bounded", () => {
  for (const agent of agents) {
    for (const text of [agent.name, agent.job, agent.title, agent.description, agent.system]) {
      expect(text.length).toBeGreaterThan(5);
    }
    expect(agent.tokensMax).toBeLessThanOrEqual(400);
  }
});
