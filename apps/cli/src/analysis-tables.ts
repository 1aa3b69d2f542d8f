import { styleText } from "node:util";
import { type Coverage, fieldNames } from "@cidadao/detectors/coverage";
import { detectors } from "@cidadao/detectors/registry";
import type { Finding } from "@cidadao/domain/anomaly";
import type { DetectorReport, Reason, Risk } from "@cidadao/domain/dataset";
import { formatBrl } from "@cidadao/domain/money";
import { sanctionLists } from "@cidadao/domain/sanction";
import { severityNames } from "@cidadao/domain/severity";
import type { ReadSummary } from "@cidadao/sources/files/read-files";
import Table from "cli-table3";

const COLUMNS_DEFAULT = 140;
const COLUMNS_MIN = 100;
const RISKS_SHOWN = 5;
const REASONS_SHOWN = 3;

/** One finding as a line of JSON, in the shape that other programs read. */
export function findingLine(finding: Finding): string {
  const { detector, detectorVersion, subject, severity, score, amountAtRiskCents, evidence, reason, ...rest } = finding;
  const { title, agencyCode, agencyName, supplierTaxId, supplierName, legalBasis, innocentExplanations } = rest;
  return JSON.stringify({
    detector,
    version: detectorVersion,
    subject,
    severity,
    score,
    amountAtRiskCents,
    evidence,
    explanation: reason,
    title,
    agencyCode,
    agencyName,
    supplierTaxId,
    supplierName,
    legalBasis,
    innocentExplanations,
  });
}

export function shownCoverage(coverage: Coverage, { files }: Pick<ReadSummary, "files">): string[] {
  const { records, fields } = coverage;
  const table = tableOf(["detector", "pode responder", "contratos prontos", "o que falta"], [0.2, 0.12, 0.16, 0.52]);
  const words = { yes: "sim", partly: "em parte", no: "não" };
  for (const { detector, feeds, ready, total, missing } of coverage.detectors) {
    table.push([titleOf(detector), words[feeds], `${ready} de ${total}`, missing ?? ""]);
  }
  return [
    styleText("bold", "O que estes dados permitem calcular"),
    files.map(({ name, format }) => `${name} (${format ?? "sem formato"})`).join(", "),
    `${records.contracts} contratos, ${records.items} itens, ${records.amendments} aditivos, ${records.sanctions} sanções, ` +
      `${records.registrations} registros do cadastro CNPJ.`,
    ...(records.sanctions > 0 ? [listsText(coverage)] : []),
    `Preenchido: ${fields.map(({ field, filled, total }) => `${fieldNames[field]} ${percent(filled, total)}`).join(", ")}.`,
    table.toString(),
  ];
}

export function shownFindings(findings: Finding[], { shown, total }: { shown: number; total: number }): string[] {
  if (total === 0) return ["", "Nenhum indício. O que não pôde ser calculado está abaixo."];
  const table = tableOf(
    ["#", "gravidade", "o quê", "quem", "R$ em atenção", "por quê"],
    [0.03, 0.1, 0.17, 0.22, 0.15, 0.33],
  );
  for (const [index, finding] of findings.slice(0, shown).entries()) {
    const who = [finding.agencyName, finding.supplierName].filter(Boolean).join(" → ");
    table.push([
      index + 1,
      `${severityNames[finding.severity]} ${finding.score.toFixed(2)}`,
      finding.title,
      who === "" ? finding.subject.label : who,
      { content: formatBrl(finding.amountAtRiskCents), hAlign: "right" },
      `${finding.reason}\n${finding.evidence.records[0]?.label ?? ""}`,
    ]);
  }
  return [
    "",
    styleText(
      "bold",
      `Os ${Math.min(shown, total)} indícios mais graves de ${total}. Um indício é um motivo para olhar, não uma acusação.`,
    ),
    table.toString(),
  ];
}

export function shownReports(reports: DetectorReport[]): string[] {
  const table = tableOf(
    ["detector", "apontados", "testados", "não calculáveis", "excluídos"],
    [0.24, 0.1, 0.1, 0.3, 0.26],
  );
  for (const { detector, fired, notFired, notComputable, excluded } of reports) {
    table.push([titleOf(detector), fired, fired + notFired, reasonsText(notComputable), reasonsText(excluded)]);
  }
  return ["", styleText("bold", "O que cada detector respondeu"), table.toString()];
}

export function shownRisks(risks: Risk[]): string[] {
  const names = { contract: "Contratos", supplier: "Fornecedores", agency: "Órgãos" };
  return (["contract", "supplier", "agency"] as const).flatMap((kind) => {
    const own = risks.filter((risk) => risk.kind === kind).slice(0, RISKS_SHOWN);
    if (own.length === 0) return [];
    return [
      "",
      styleText("bold", `${names[kind]} de maior risco composto (0 a 10; apontados de calculáveis)`),
      ...own.map(
        ({ name, risk, fired, available }) =>
          `  ${risk.toFixed(1).padStart(4)}  ${name}: ${fired.length} de ${available} (${fired.map(titleOf).join("; ")})`,
      ),
    ];
  });
}

export function shownComplaints(complaints: ReadSummary["complaints"]): string[] {
  if (complaints.length === 0) return [];
  return [
    "",
    styleText("bold", "O que não fez sentido nos arquivos (o resto foi analisado)"),
    ...complaints.map(({ kind, count, example, places }) => {
      const lines = places.map(({ file, line }) => `${file}:${line}`).join(", ");
      return `  ${count} × ${kind}: ${example}${lines === "" ? "" : ` (${lines})`}`;
    }),
  ];
}

function listsText({ sanctionListsRead }: Coverage): string {
  const names = (lists: readonly string[]) => lists.map((list) => list.toUpperCase()).join(", ") || "nenhuma";
  const missing = sanctionLists.filter((list) => !sanctionListsRead.includes(list));
  const lacks = missing.length === 0 ? "" : `; falta ${names(missing)}`;
  return `Listas de sanções lidas por inteiro: ${names(sanctionListsRead)}${lacks}.`;
}

function titleOf(id: string): string {
  return detectors.find((one) => one.id === id)?.title ?? id;
}

function reasonsText(reasons: Reason[]): string {
  const shown = reasons.slice(0, REASONS_SHOWN).map(({ reason, count }) => `${count} ${reason}`);
  const rest = reasons.slice(REASONS_SHOWN).reduce((sum, { count }) => sum + count, 0);
  return [...shown, ...(rest > 0 ? [`${rest} por outras razões`] : [])].join("\n");
}

function percent(filled: number, total: number): string {
  return total === 0 ? "–" : `${Math.round((100 * filled) / total)} %`;
}

function tableOf(head: string[], shares: number[]) {
  const columns = Math.max(process.stdout.columns ?? COLUMNS_DEFAULT, COLUMNS_MIN) - head.length - 1;
  return new Table({
    head,
    colWidths: shares.map((share) => Math.floor(share * columns)),
    wordWrap: true,
    style: { head: [], border: [] },
  });
}
