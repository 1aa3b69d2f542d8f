import { readFileSync } from "node:fs";
import type { EvidenceFact, Finding } from "@cidadao/domain/anomaly";
import { formatDate } from "@cidadao/domain/dates";
import { formatBrl } from "@cidadao/domain/money";
import { severityNames } from "@cidadao/domain/severity";
import { runDetectors } from "@cidadao/detectors/run-detectors";
import { readJanuary2024 } from "./sample.ts";
import { type EvaluationData, type Section, tableOf } from "./section.ts";

const LISTED = 20;
const NOISE_SHARE_MAX = 0.25;

type Reading = { worth: boolean; why: string };

/** The gravest findings of the federal contracts of January 2024, each with what a person who read it says of it. */
export async function topFindingsSection({ committed }: EvaluationData): Promise<Section> {
  const readings = JSON.parse(readFileSync(new URL("readings.json", import.meta.url), "utf8")) as Record<
    string,
    Reading
  >;
  const dataset = await readJanuary2024(committed);
  const { findings, findingsTotal, reports } = runDetectors(dataset, { findingsMax: LISTED });
  const read = findings.map((finding) => ({ finding, reading: readings[`${finding.detector} ${finding.subject.id}`] }));
  const noise = read.filter(({ reading }) => reading?.worth === false).length;
  const failures = [
    ...read
      .filter(({ reading }) => !reading)
      .map(({ finding }) => `not read: ${finding.detector} ${finding.subject.id}`),
    ...(noise > NOISE_SHARE_MAX * LISTED ? [`${noise} of the ${LISTED} gravest are noise`] : []),
  ];
  const counts = tableOf(
    ["detector", "apontados", "testados"],
    reports
      .filter(({ fired, notFired }) => fired + notFired > 0)
      .map(({ detector, fired, notFired }) => [detector, fired, fired + notFired]),
  );
  return {
    title: "Os vinte indícios mais graves de janeiro de 2024, lidos um a um",
    markdown: [
      `${dataset.contracts.length} contratos, ${findingsTotal} indícios. Dos ${LISTED} mais graves, ${LISTED - noise} valem uma olhada e ${noise} são ruído, na ` +
        "leitura de quem conferiu os registros públicos. Um indício é um motivo para olhar, não uma acusação.",
      counts,
      ...read.map(({ finding, reading }, index) => findingText(finding, reading, index + 1)),
    ].join("\n\n"),
    failures,
  };
}

function findingText(finding: Finding, reading: Reading | undefined, rank: number): string {
  const { title, severity, score, agencyName, supplierName, subject, reason, amountAtRiskCents, evidence } = finding;
  const who = [agencyName, supplierName].filter(Boolean).join(" → ");
  return [
    `### ${rank}. ${title}`,
    `**${who === "" ? subject.label : who}** · gravidade ${severityNames[severity]} (${score.toFixed(2)}) · em atenção ${formatBrl(amountAtRiskCents)} · \`${finding.detector}\``,
    reason,
    `Evidência: ${evidence.facts.map(factText).join("; ")}. Fórmula: ${evidence.formula}. Registro: ${evidence.records
      .slice(0, 2)
      .map(({ label }) => label)
      .join("; ")}. Base: ${evidence.baseRate.fired} de ${evidence.baseRate.tested}.`,
    reading ? `**${reading.worth ? "Vale uma olhada" : "Ruído"}.** ${reading.why}` : "**Sem leitura.**",
  ].join("\n\n");
}

const decimal = new Intl.NumberFormat("pt-BR", { maximumFractionDigits: 4 });

function factText({ label, value, unit }: EvidenceFact): string {
  if (typeof value === "string")
    return `${label}: ${unit === "date" ? formatDate(value) : value.replaceAll(/\s+/g, " ").slice(0, 160)}`;
  if (unit === "cents") return `${label}: ${formatBrl(value)}`;
  return `${label}: ${unit === "share" ? `${decimal.format(100 * value)} %` : decimal.format(value)}`;
}
