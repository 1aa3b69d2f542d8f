import type { z } from "zod";
import type { Source } from "./define-source.ts";
import { publishedDownloads } from "./downloads/published-downloads.ts";
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
    "payload (`any-answer.test.ts`), the command line reads its windows and what it has about one contract, and this page",
    "describes it.",
    "",
    "| id | publisher | resources | calls a minute |",
    "| --- | --- | --- | --- |",
    ...sources.map(
      (source) =>
        `| [${source.id}](#${source.id}) | ${source.publisher} | ${Object.keys(source.resources).join(", ")} | ${fallbackOf(source, source.perMinute)} |`,
    ),
  ];
  return [...head, ...sources.flatMap(renderSource), ...renderDownloads()].join("\n") + "\n";
}

function renderDownloads(): string[] {
  return [
    "",
    "## Downloads",
    "",
    "`npx cidadao import --download ID --period 2024-01` fetches what a publisher puts together for a month, a year, or of a",
    "list for a day, to a file that is removed again, and reads the CSV files inside it as they unpack; nothing is whole in",
    "memory. The Portal's address redirects to another host, and only hosts in `PORTAL_DOWNLOADS_HOSTS` are followed. Anything",
    "but a zip is an error with its reason, and so is a zip that would grow out of bounds. A day that is not published yet is",
    "refused with 403, which is also how the TCE-RS is said to answer the addresses of data centres; the Portal may answer",
    "programs with a challenge (405). Then the zip, brought by a browser, goes in by `npx cidadao import`.",
    "",
    "| id | of | what it brings | one for each | read as |",
    "| --- | --- | --- | --- | --- |",
    ...publishedDownloads.map(
      (download) =>
        `| \`${download.id}\` | ${download.publisher.source} | ${download.title} | ${download.period} | ${download.reads === "contracts" ? `\`${download.format}\`` : "sanctions, like those of the API"} |`,
    ),
    "",
    "There is no recorded zip of procedures (`licitacoes`) nor of the TCE-RS (`licitacon`): their columns are those of the",
    "publisher's dictionary and of public programs that read the files.",
  ];
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
    `- **Off without:** ${offWithout(source)}`,
    ...(source.described
      ? [
          `- **Written from a description, not from a recorded answer:** ${source.described.by}`,
          `- **Not read:** ${source.described.lacks}`,
        ]
      : []),
    `- **Probe:** at least ${source.probeRecordsMin} rows, or the source has shrunk`,
    `- **Recorded answers:** ${source.fixtures.map((file) => `\`${file}\``).join(", ")}`,
    "",
    "| resource | path | records | cadence | asked | rows at least | settled after |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...Object.entries(source.resources).map(([id, resource]) => {
      const settled = resource.overlapDays === undefined ? "never" : `${resource.overlapDays} days`;
      return `| \`${id}\`: ${resource.title} | \`${resource.path}\` | ${resource.kind} | ${resource.cadence} | ${askedHow(resource)} | ${resource.recordsMin ?? ""} | ${resource.isWindowed ? settled : ""} |`;
    }),
    "",
    ...Object.entries(source.resources).map(([id, { wire }]) => `- Fields read of \`${id}\`: ${fieldsOf(wire)}`),
  ];
}

function askedHow({ isWindowed, isOfContract }: Source["resources"][string]): string {
  const ways = [...(isWindowed ? ["whole"] : []), ...(isOfContract ? ["of one (`--contract`)"] : [])];
  return ways.join("; ") || "single questions";
}

function offWithout({ id, needs, described }: Source): string {
  if (described) return `its name in \`SOURCES\`: \`${id}\``;
  return needs.map((variable) => `\`${variable}\``).join(", ") || "nothing; it is always on";
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
