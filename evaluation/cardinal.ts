import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { groups } from "@cidadao/detectors/indicators/define-indicator";
import { createIndicatorRun } from "@cidadao/detectors/indicators/run-indicators";
import { parseSettings } from "@cidadao/detectors/indicators/settings";
import { writeResult } from "@cidadao/detectors/indicators/write-result";
import { type EvaluationData, type Section, tableOf } from "./section.ts";

const FIXTURES = path.join(import.meta.dirname, "../packages/detectors/src/indicators/fixtures");

/** The reference's own fixtures: each with only its own indicator, its result must be the expected one number for number. */
export async function cardinalSection(_data: EvaluationData): Promise<Section> {
  const names = (await readdir(FIXTURES))
    .filter((name) => name.endsWith(".jsonl"))
    .map((name) => name.replace(/\.jsonl$/, ""))
    .toSorted();
  const answers = await Promise.all(names.map(async (name) => ({ name, ...(await compare(name)) })));
  return {
    title: "Indicadores do Cardinal",
    markdown: [
      "Cada caso de referência do Cardinal (Open Contracting Partnership, MIT) roda só com o seu indicador e com os ajustes que o nome diz; " +
        "o resultado tem de ser o publicado, sem diferença.",
      tableOf(
        ["caso", "processos", "resultados", "ok"],
        answers.map(({ name, processes, results, isEqual }) => [
          `\`${name}\``,
          processes,
          results,
          isEqual ? "sim" : "não",
        ]),
      ),
    ].join("\n\n"),
    failures: [
      ...(names.length === 0 ? ["no fixtures of Cardinal were found"] : []),
      ...answers.filter(({ isEqual }) => !isEqual).map(({ name }) => `fixture ${name}: the result differs`),
    ],
  };
}

async function compare(name: string): Promise<{ processes: number; results: number; isEqual: boolean }> {
  const [input, expected] = await Promise.all(
    ["jsonl", "expected"].map((ending) => readFile(path.join(FIXTURES, `${name}.${ending}`), "utf8")),
  );
  const run = createIndicatorRun(parseSettings(settingsOf(name)));
  for (const [index, line] of input!.split("\n").entries()) run.addLine(line, index + 1);
  const result = run.finish();
  const text = writeResult(result, { noMeta: true });
  const results = groups.reduce((sum, group) => sum + (result.groups.get(group)?.size ?? 0), 0);
  return {
    processes: result.processes,
    results,
    isEqual: canonical(JSON.parse(text)) === canonical(JSON.parse(expected!)),
  };
}

/** A fixture's name holds its settings: the code, then one key and its value, or a map and its pairs. */
function settingsOf(name: string): string {
  const [code = "", ...parts] = name.replaceAll("+", "|").split("-");
  const common = `no_price_comparison_procurement_methods = NPC\n[exclusions]\nprocurement_method_details = EXC\n[${code}]\n`;
  if (parts.length < 2) return common;
  const [first = "", ...rest] = parts;
  if (parts.length === 2) return `${common}${first} = ${rest[0]}\n`;
  const pairs = rest.flatMap((key, index) => (index % 2 === 0 ? [`${key} = ${rest[index + 1]}`] : []));
  return `${common}[${code}.${first}]\n${pairs.join("\n")}\n`;
}

/** Text that is equal for equal values, whatever the order of the keys. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(",")}}`;
}
