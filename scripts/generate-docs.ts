import { readFileSync, writeFileSync } from "node:fs";
import { apiEnvironment } from "../apps/api/src/config.ts";
import { cliEnvironment } from "../apps/cli/src/config.ts";
import { schedulerEnvironment } from "../apps/scheduler/src/config.ts";
import { workerEnvironment } from "../apps/worker/src/config.ts";
import { renderDetectorsPage } from "@cidadao/detectors/render-docs";
import { renderSourcesPage } from "@cidadao/sources/render-docs";
import type { z } from "zod";

type Variable = { name: string; description: string; processes: string[]; required: boolean; fallback: string };

const TABLE = /(<!-- environment -->)[\s\S]*?(<!-- \/environment -->)/;
const SHOWN_CHARACTERS_MAX = 60;
const processes = { web: apiEnvironment, worker: workerEnvironment, beat: schedulerEnvironment, cli: cliEnvironment };

/** Pages that are written from the code. `--check` compares instead of writing and fails on a difference. */
const pages = [
  { file: new URL("../docs/detectors.md", import.meta.url), render: () => renderDetectorsPage() },
  { file: new URL("../docs/sources.md", import.meta.url), render: () => renderSourcesPage() },
  { file: new URL("../.env.example", import.meta.url), render: () => renderEnvExample(variables()) },
  { file: new URL("../README.md", import.meta.url), render: renderReadme },
];

const check = process.argv.includes("--check");
for (const { file, render } of pages) {
  const text = render(read(file));
  if (!check) {
    writeFileSync(file, text);
  } else if (read(file) !== text) {
    console.error(`${file.pathname} is not what the code says: run npm run docs`);
    process.exitCode = 1;
  }
}

function read(file: URL): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Every variable that a process reads, from the schemas it parses the environment with. */
function variables(): Variable[] {
  const found = new Map<string, Variable>();
  for (const [process, schema] of Object.entries(processes)) {
    for (const [name, field] of Object.entries(schema.shape) as [string, z.ZodType][]) {
      const known = found.get(name);
      if (known) {
        known.processes.push(process);
        continue;
      }
      const fallback = field.safeParse(undefined);
      found.set(name, {
        name,
        description: field.description ?? field.meta()?.description ?? "",
        processes: [process],
        required: !fallback.success,
        fallback: fallback.success ? shown(fallback.data as Parameters<typeof shown>[0]) : "",
      });
    }
  }
  const undescribed = [...found.values()].filter(({ description }) => description === "").map(({ name }) => name);
  if (undescribed.length > 0) throw new Error(`no description in the schema of ${undescribed.join(", ")}`);
  return [...found.values()].toSorted((a, b) => Number(b.required) - Number(a.required) || (a.name < b.name ? -1 : 1));
}

function shown(value: string | number | string[] | undefined): string {
  if (value === undefined) return "";
  return Array.isArray(value) ? value.join(",") : String(value);
}

function renderEnvExample(all: Variable[]): string {
  const entries = all.map(({ name, description, processes: readers, required, fallback }) =>
    [`# ${description}`, `# Read by ${readers.join(", ")}.`, `${required ? "" : "# "}${name}=${fallback}`].join("\n"),
  );
  return `# Every variable the services read, written from their schemas. An empty value counts as unset.\n\n${entries.join("\n\n")}\n`;
}

function renderReadme(readme: string): string {
  const rows = variables().map(
    ({ name, description, processes: readers, required, fallback }) =>
      `| \`${name}\` | ${readers.join(", ")} | ${required ? "**required**" : fallback === "" ? "unset" : `\`${shorten(fallback)}\``} | ${description} |`,
  );
  const table = ["| variable | read by | default | meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
  return readme.replace(TABLE, (_, start: string, end: string) => `${start}\n\n${table}\n\n${end}`);
}

function shorten(text: string): string {
  return text.length <= SHOWN_CHARACTERS_MAX ? text : `${text.slice(0, SHOWN_CHARACTERS_MAX)}…`;
}
