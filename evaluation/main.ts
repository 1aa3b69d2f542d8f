import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cardinalSection } from "./cardinal.ts";
import { collusionSection } from "./collusion.ts";
import { figuresSection } from "./figures.ts";
import { mixedSection } from "./mixed.ts";
import { nullDataSection } from "./null-data.ts";
import { plantedSection } from "./planted.ts";
import type { EvaluationData, Section } from "./section.ts";
import { topFindingsSection } from "./top-findings.ts";

/* `npm run evaluate -- --data FOLDER` measures everything and writes docs/evaluation.md. Without a folder what needs more
 * than the committed data is left out, and the page is printed, not written over a fuller one. */

const sections: readonly ((data: EvaluationData) => Promise<Section>)[] = [
  figuresSection,
  cardinalSection,
  collusionSection,
  plantedSection,
  mixedSection,
  nullDataSection,
  topFindingsSection,
];

const root = fileURLToPath(new URL("..", import.meta.url));
const page = path.join(root, "docs/evaluation.md");
const { values } = parseArgs({ options: { data: { type: "string" } } });
const folder = values.data === undefined ? null : path.resolve(values.data);
if (folder !== null && !existsSync(folder)) {
  console.error(`No folder ${folder}. --data takes the folder that holds portal-compras-202401 and its neighbours.`);
  process.exit(2);
}
const data: EvaluationData = { committed: path.join(root, "data"), folder };

const done: Section[] = [];
for (const section of sections) {
  const startedMs = performance.now();
  const one = await section(data);
  done.push(one);
  const state = one.failures.length === 0 ? "ok" : `${one.failures.length} failures`;
  console.error(`${one.title}: ${state}, ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
}
const text = `${[
  "# Avaliação dos detectores",
  "Escrita por `npm run evaluate -- --data PASTA`, onde PASTA tem os dados públicos de referência; sem ela, mede-se só o que os dados " +
    "do repositório permitem, e esta página não é reescrita. Os mesmos dados dão a mesma página.",
  ...done.map(({ title, markdown }) => `## ${title}\n\n${markdown}`),
].join("\n\n")}\n`;
if (folder !== null || !existsSync(page)) writeFileSync(page, text);
else process.stdout.write(text);

const failures = done.flatMap(({ title, failures: own }) => own.map((failure) => `${title}: ${failure}`));
for (const failure of failures) console.error(`FAILED  ${failure}`);
if (failures.length > 0) process.exitCode = 1;
