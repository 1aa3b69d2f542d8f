import type { Investigation, InvestigationResult } from "@cidadao/database/investigations";
import type { StoredExplanation } from "@cidadao/database/anomaly-row";
import type { Finding } from "@cidadao/domain/anomaly";
import type { Detection, DetectorReport, Risk } from "@cidadao/domain/dataset";
import { formatDate } from "@cidadao/domain/dates";
import {
  type InvestigationOutcome,
  type InvestigationScope,
  type SourceCoverage,
  sourcesOf,
} from "@cidadao/domain/investigation";
import { formatBrl } from "@cidadao/domain/money";
import { type Severity, severities, severityNames } from "@cidadao/domain/severity";

export type ReportInput = {
  investigation: Pick<Investigation, "scope" | "query">;
  outcome: InvestigationOutcome;
  contracts: number;
  detection: Detection;
  explanations: StoredExplanation[];
  coverage: SourceCoverage[];
  sample: string | null;
};

const FINDINGS_LISTED_MAX = 20;
const MISSING_LISTED_MAX = 20;

const outcomeTexts: Record<InvestigationOutcome, string> = {
  anomalies_found: "Indícios encontrados.",
  no_anomalies: "Nenhum indício encontrado nos dados lidos.",
  partial: "**Resultado parcial**: parte das fontes não respondeu, e o que falta está listado abaixo.",
  source_unavailable: "**As fontes não responderam.** Não é possível dizer se há indícios.",
};

/** The report in Markdown and its figures; only what the run found, what it could not compute and what it did not get. */
export function renderReport(input: ReportInput): InvestigationResult["report"] {
  const { detection, coverage } = input;
  const { scope } = input.investigation;
  const title = `${whichContracts(scope)} entre ${formatDate(scope.from)} e ${formatDate(scope.to)}`;
  const bySeverity = Object.fromEntries(
    severities.map((severity) => [
      severity,
      detection.findings.filter((finding) => finding.severity === severity).length,
    ]),
  ) as Record<Severity, number>;
  const markdown = [
    `# ${title}`,
    ...(input.sample ? [`> Dados: ${input.sample}. Não são dados de hoje.`] : []),
    ...(input.investigation.query ? [`Pergunta: ${input.investigation.query}`] : []),
    `${outcomeTexts[input.outcome]} ${input.contracts} contratos analisados, ${detection.findingsTotal} indícios.`,
    "Um indício é um motivo para olhar, não uma acusação: cada um traz explicações inocentes possíveis.",
    "## O que foi lido",
    ...coverage.flatMap(coverageLines),
    "## O que foi testado",
    detectorTable(detection.reports),
    ...detection.reports.flatMap(reasonLines),
    ...riskLines(detection.risks),
    "## Indícios mais graves",
    ...detection.findings
      .slice(0, FINDINGS_LISTED_MAX)
      .map((finding, index) => findingText(finding, index, input.explanations[index])),
  ].join("\n\n");
  const totals = { contracts: input.contracts, findings: detection.findingsTotal, bySeverity };
  return { title, markdown, totals, detectors: detection.reports, coverage };
}

/** The Portal is asked for terms, the PNCP for days of publication. */
function whichContracts(scope: InvestigationScope): string {
  const sources = sourcesOf(scope);
  if (!sources.includes("pncp")) return "Contratos em vigor";
  return sources.length > 1 ? "Contratos em vigor ou publicados" : "Contratos e contratações publicados";
}

function coverageLines(source: SourceCoverage): string[] {
  const { asked, answered, records, rejected, missing, twins = 0, apart = [] } = source;
  const line = `- ${source.source}: ${answered} de ${asked} consultas respondidas, ${records} registros, ${rejected} recusados.`;
  const listed = missing.slice(0, MISSING_LISTED_MAX).map(({ what, why }) => `  - falta ${what}: ${why}`);
  const more = missing.length > listed.length ? [`  - e mais ${missing.length - listed.length}`] : [];
  const same = twins > 0 ? [`  - ${twins} contratos já vieram de outra fonte, e foram vistos uma vez só`] : [];
  const kept = apart.map(({ what, why }) => `  - à parte ${what}: ${why}`);
  return [[line, ...listed, ...more, ...same, ...kept].join("\n")];
}

function detectorTable(reports: DetectorReport[]): string {
  const count = (reasons: DetectorReport["excluded"]) => reasons.reduce((sum, reason) => sum + reason.count, 0);
  const rows = reports.map((report) =>
    [
      `${report.detector} v${report.version}`,
      report.fired,
      report.notFired,
      count(report.notComputable),
      count(report.excluded),
    ].join(" | "),
  );
  return [
    "Detector | sinalizados | não sinalizados | não computáveis | excluídos",
    "--- | ---: | ---: | ---: | ---:",
    ...rows,
  ].join("\n");
}

function reasonLines(report: DetectorReport): string[] {
  const lines = [
    ...report.notComputable.map(({ reason, count }) => `- ${report.detector}, não computável (${count}): ${reason}`),
    ...report.excluded.map(({ reason, count }) => `- ${report.detector}, excluído (${count}): ${reason}`),
  ];
  return lines.length > 0 ? [lines.join("\n")] : [];
}

const RISKS_LISTED_MAX = 5;
const riskKinds = { contract: "Contratos", supplier: "Fornecedores", agency: "Órgãos" } as const;

/** The riskiest of each kind, never without how many detectors could say something about them. */
function riskLines(risks: Risk[]): string[] {
  return (["contract", "supplier", "agency"] as const).flatMap((kind) => {
    const listed = risks.filter((risk) => risk.kind === kind).slice(0, RISKS_LISTED_MAX);
    if (listed.length === 0) return [];
    const lines = listed.map(
      ({ name, risk, fired, available }) =>
        `- ${risk.toFixed(1)} de 10, ${name}: ${fired.length} de ${available} detectores que podiam responder (${fired.join(", ")})`,
    );
    return [`## ${riskKinds[kind]} de maior risco composto`, lines.join("\n")];
  });
}

function findingText(finding: Finding, index: number, explanation: StoredExplanation | undefined): string {
  const source = explanation?.source === "model" ? `modelo ${explanation.model}` : "texto gerado por regra";
  const lines = [
    `### ${index + 1}. ${finding.title} (${severityNames[finding.severity]})`,
    `${finding.subject.label}. ${finding.reason}`,
    ...(explanation ? [`${explanation.text} *(${source})*`] : []),
    `Valor em atenção: ${formatBrl(finding.amountAtRiskCents)}. Fórmula: ${finding.evidence.formula}`,
    `Base: ${finding.evidence.baseRate.fired} sinalizados em ${finding.evidence.baseRate.tested} testados.`,
    `Explicações inocentes: ${finding.innocentExplanations.join("; ")}.`,
    finding.evidence.records
      .map((record) => `- [${record.label}](${record.url}), lido em ${record.retrievedAt}`)
      .join("\n"),
  ];
  return lines.join("\n\n");
}
