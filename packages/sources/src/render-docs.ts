import type { z } from "zod";
import type { Source } from "./define-source.ts";
import { sources } from "./registry.ts";

const SPHERES = { federal: "federal", state: "estadual", municipal: "municipal" };
const FIELDS_SHOWN_MAX = 60;

/** docs/sources.md, written from the registry. */
export function renderSourcesPage(): string {
  const head = [
    "# Sources",
    "",
    "Written from `packages/sources/src/registry.ts` by `npm run docs`. How each of them is asked (rate, retries, pauses,",
    "cache, circuit breaker) is the matter of one file for all, `packages/sources/src/outbound.ts`.",
    "",
    "A new one is a folder with `config.ts` (its variables), `client.ts` (its door and its pages), `wire.ts` (what it sends and",
    "what that becomes), `source.ts` (`defineSource`) and `fixtures/`, and one line in the registry. The tests then send it any",
    "payload (`any-answer.test.ts`), the command line reads its windows, and this page describes it.",
    "",
    "| id | publisher | resources | calls a minute |",
    "| --- | --- | --- | --- |",
    ...sources.map(
      (source) =>
        `| [${source.id}](#${source.id}) | ${source.publisher} | ${Object.keys(source.resources).join(", ")} | ${fallbackOf(source, source.perMinute)} |`,
    ),
  ];
  return [...head, ...sources.flatMap(renderSource)].join("\n") + "\n";
}

function renderSource(source: Source): string[] {
  const { coverage } = source;
  const states = coverage.states === "all" ? "all states" : coverage.states.join(", ");
  return [
    "",
    `## ${source.id}`,
    "",
    `**${source.name}**, ${source.publisher}. ${source.homepage}`,
    "",
    `- **Attribution:** ${source.attribution}`,
    `- **Licence:** ${source.licence}`,
    `- **Covers:** ${coverage.spheres.map((sphere) => SPHERES[sphere]).join(", ")}; ${states}`,
    `- **Cadence:** ${source.cadence}`,
    ...source.baseUrls.map((variable) => `- **Address:** \`${variable}\`, by default ${fallbackOf(source, variable)}`),
    `- **Calls a minute:** \`${source.perMinute}\`, by default ${fallbackOf(source, source.perMinute)}, of all processes together`,
    `- **Who asks:** ${source.auth}`,
    `- **Off without:** ${source.needs.map((variable) => `\`${variable}\``).join(", ") || "nothing; it is always on"}`,
    `- **Probe:** at least ${source.probeRecordsMin} rows, or the source has shrunk`,
    `- **Recorded answers:** ${source.fixtures.map((file) => `\`${file}\``).join(", ")}`,
    "",
    "| resource | path | records | cadence | brought in whole | rows at least | settled after |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...Object.entries(source.resources).map(([id, resource]) => {
      const settled = resource.overlapDays === undefined ? "never" : `${resource.overlapDays} days`;
      return `| \`${id}\`: ${resource.title} | \`${resource.path}\` | ${resource.kind} | ${resource.cadence} | ${resource.isWindowed ? "yes" : "no, single questions"} | ${resource.recordsMin ?? ""} | ${resource.isWindowed ? settled : ""} |`;
    }),
    "",
    ...Object.entries(source.resources).map(([id, { wire }]) => `- Fields read of \`${id}\`: ${fieldsOf(wire)}`),
  ];
}

function fieldsOf(wire: z.ZodType): string {
  const names = "shape" in wire && typeof wire.shape === "object" && wire.shape !== null ? Object.keys(wire.shape) : [];
  return names
    .slice(0, FIELDS_SHOWN_MAX)
    .map((name) => `\`${name}\``)
    .join(", ");
}

function fallbackOf(source: Source, variable: string): string {
  const field = source.config.shape[variable] as z.ZodType | undefined;
  const parsed = field?.safeParse(undefined);
  return parsed?.success ? String(parsed.data) : "unset";
}
