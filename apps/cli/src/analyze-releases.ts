import { createBidRun } from "@cidadao/detectors/bids/run-bids";
import { indicators } from "@cidadao/detectors/indicators/registry";
import type { DetectorReport } from "@cidadao/domain/dataset";
import type { Analysis } from "./analysis-arguments.ts";
import { findingLine, shownComplaints, shownFindings, shownReports } from "./analysis-tables.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { readReleaseLines, readSettings } from "./release-lines.ts";

/** The indicators and the screens over bids, on OCDS releases, in the same shape as the detectors over contracts. */
export async function analyzeReleases(analysis: Analysis, context: CommandContext): Promise<number> {
  if (analysis.detectors || Object.keys(analysis.params).length > 0 || analysis.sanctions.length > 0) {
    throw new UsageError(
      "--detectors, --param and --sanctions are for contracts; OCDS releases are judged by the bid indicators, and npx cidadao indicators --settings takes their settings",
    );
  }
  const run = createBidRun({ retrievedAt: new Date().toISOString() }, await readSettings(undefined));
  const complaints = await readReleaseLines(analysis.paths, context, run.addLine);
  const { findings, reports, result } = run.finish();
  const warnings = result.warnings.map(({ kind, count, lines }) => ({ kind, count, lines }));
  if (analysis.json) {
    for (const finding of findings) context.write(findingLine(finding));
    const coverage = {
      processes: result.processes,
      excluded: Object.fromEntries(result.excluded),
      complaints,
      warnings,
    };
    context.write(
      JSON.stringify({
        coverage: { ...coverage, detectors: reports.map(coverOf) },
        findings: findings.length,
        reports,
      }),
    );
  } else {
    context.write(`${result.processes} processos lidos; ${indicators.length} indicadores e quatro padrões de lances.`);
    const lines = [
      ...shownReports(reports),
      ...shownFindings(findings, { shown: analysis.shown, total: findings.length }),
      ...shownComplaints(complaints),
      ...warnings.map(
        ({ kind, count, lines: places }) =>
          `  ${count} × ${kind}${places.length > 0 ? ` (linhas ${places.join(", ")})` : ""}`,
      ),
    ];
    for (const line of lines) context.write(line);
  }
  return result.processes > 0 ? 0 : 1;
}

/** Which indicators these releases can feed. */
function coverOf({ detector, fired, notFired, notComputable }: DetectorReport) {
  const ready = fired + notFired;
  const missing = notComputable.map(({ reason, count }) => `${reason} (${count})`).join("; ");
  const total = ready + notComputable.reduce((sum, { count }) => sum + count, 0);
  const feeds = ready === 0 ? "no" : ready === total ? "yes" : "partly";
  return { detector, feeds, ready, total, missing: missing === "" ? null : missing };
}
