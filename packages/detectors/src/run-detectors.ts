import { compareFindings, type Finding } from "@cidadao/domain/anomaly";
import type { Dataset, Detection, DetectorReport, Reason } from "@cidadao/domain/dataset";
import { severityOf } from "@cidadao/domain/severity";
import type { Detector, Flag, Verdict } from "./define-detector.ts";
import { fact } from "./evidence.ts";
import { detectors } from "./registry.ts";
import { materialityOf, round4, scoreOf } from "./score.ts";

export type RunOptions = {
  /** Ids; left out: every detector. */
  detectors?: readonly string[];
  /** By detector id; what is left out takes its default. */
  params?: Record<string, unknown>;
};

/** The same dataset gives the same answer byte for byte, in whatever order its records come. */
export function runDetectors(dataset: Dataset, options: RunOptions = {}): Detection {
  const { detectors: ids, params = {} } = options;
  const unknown = [...(ids ?? []), ...Object.keys(params)].find((id) => !detectors.some((one) => one.id === id));
  if (unknown !== undefined) throw new RangeError(`unknown detector: ${unknown}`);
  const results = detectors
    .filter(({ id }) => ids === undefined || ids.includes(id))
    .map((detector) => runDetector(detector, dataset, params[detector.id] ?? {}));
  return {
    findings: results.flatMap(({ findings }) => findings).sort(compareFindings),
    reports: results.map(({ report }) => report),
  };
}

function runDetector(detector: Detector, dataset: Dataset, params: unknown) {
  const verdicts = detector.assess(dataset, params);
  const flags = verdicts.flatMap((verdict) => (verdict.outcome === "fired" ? [verdict.flag] : []));
  const notFired = verdicts.filter(({ outcome }) => outcome === "not_fired").length;
  const baseRate = { tested: flags.length + notFired, fired: flags.length };
  const report: DetectorReport = {
    detector: detector.id,
    version: detector.version,
    fired: flags.length,
    notFired,
    notComputable: countReasons(verdicts, (verdict) => (verdict.outcome === "not_computable" ? verdict.reason : null)),
    excluded: countReasons(verdicts, (verdict) => (verdict.outcome === "excluded" ? verdict.reason : null)),
    notFiredNotes: countReasons(verdicts, (verdict) => (verdict.outcome === "not_fired" ? verdict.note : null)),
  };
  return { findings: flags.map((flag) => findingOf(detector, flag, baseRate)), report };
}

function findingOf(detector: Detector, flag: Flag, baseRate: Finding["evidence"]["baseRate"]): Finding {
  const materiality = materialityOf(flag.amountAtRiskCents);
  const strength = round4(flag.strength);
  const score = scoreOf({ strength, materiality });
  return {
    detector: detector.id,
    detectorVersion: detector.version,
    subject: flag.subject,
    title: detector.title,
    reason: flag.reason,
    score,
    severity: severityOf(score),
    amountAtRiskCents: flag.amountAtRiskCents,
    agencyCode: flag.agencyCode,
    agencyName: flag.agencyName,
    supplierTaxId: flag.supplierTaxId,
    supplierName: flag.supplierName,
    evidence: {
      formula: `${flag.formula}; score = √(strength × materiality)`,
      facts: [
        ...flag.facts,
        fact("strength", "Força da evidência", strength, "score"),
        fact("materiality", "Peso do valor em jogo", materiality, "score"),
      ],
      records: flag.records,
      baseRate,
    },
    legalBasis: flag.legalBasis,
    innocentExplanations: detector.innocentExplanations,
  };
}

/** Most frequent first, then by text. */
function countReasons(verdicts: Verdict[], reasonOf: (verdict: Verdict) => string | null): Reason[] {
  const counts = new Map<string, number>();
  for (const verdict of verdicts) {
    const reason = reasonOf(verdict);
    if (reason !== null) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts]
    .map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
}
