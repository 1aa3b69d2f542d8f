import { compareFindings, type Finding } from "@cidadao/domain/anomaly";
import type { Dataset, Detection } from "@cidadao/domain/dataset";
import { severityOf } from "@cidadao/domain/severity";
import { rankRisks } from "./composite-risk.ts";
import type { Detector } from "./define-detector.ts";
import type { DetectorRun, Raised } from "./detector-run.ts";
import { fact } from "./evidence.ts";
import { type Frame, frameOf } from "./frame/frame.ts";
import { detectors } from "./registry.ts";
import { materialityOf, rarityOf, round4, scoreOf } from "./score.ts";
import { falseDiscoveryCutoff } from "./statistics.ts";
import { addReason, type Candidate, createTally, reasonsOf } from "./tally.ts";
import { type Flag, notFired, type Verdict } from "./verdict.ts";

/** Benjamini-Hochberg rate for the detectors that give p-values. */
export const FALSE_DISCOVERY_RATE = 0.05;
/** Findings that are described in full, gravest first; a report counts all. */
const FINDINGS_MAX = 2_000;

export type RunOptions = {
  /** Ids; left out: every detector. */
  detectors?: readonly string[];
  /** By detector id; what is left out takes its default. */
  params?: Record<string, unknown>;
  findingsMax?: number;
};

/** The same dataset gives the same answer byte for byte, in whatever order its records come. */
export function runDetectors(dataset: Dataset, options: RunOptions = {}): Detection {
  return detectInFrame(frameOf(dataset), options);
}

/**
 * Runs the detectors one after the other over a frame. Throws a `RangeError` for an unknown detector and a `ZodError`
 * for parameters that do not fit.
 */
export function detectInFrame(frame: Frame, options: RunOptions = {}): Detection {
  const { detectors: ids, params = {}, findingsMax = FINDINGS_MAX } = options;
  const unknown = [...(ids ?? []), ...Object.keys(params)].find((id) => !detectors.some((one) => one.id === id));
  if (unknown !== undefined) throw new RangeError(`unknown detector: ${unknown}`);
  const chosen = detectors.filter(({ id }) => ids === undefined || ids.includes(id));
  const runs = chosen.map((detector) => runDetector(detector, frame, params[detector.id] ?? null));
  const raised = runs.flatMap((run) => run.raised);
  return {
    findings: gravest(raised, findingsMax)
      .map((one) => findingOf(one))
      .sort(compareFindings),
    findingsTotal: raised.length,
    reports: runs.map(({ report }) => report),
    risks: rankRisks(frame, runs),
  };
}

function runDetector(detector: Detector, frame: Frame, params: unknown): DetectorRun {
  const tally = createTally(frame.contracts);
  detector.detect(frame, params, tally);
  const { candidates } = tally;
  const tested = candidates.length + tally.notFired;
  const pValues = pValuesOf(candidates);
  const cutoff = cutoffOf(pValues, tested);
  const kept = candidates.filter(({ flag }) => isDiscovery(flag, cutoff));
  const dropped = candidates.length - kept.length;
  if (dropped > 0) addReason(tally.notes, CHANCE_NOTE, dropped);
  const baseRate = { tested, fired: kept.length };
  const rarity = rarityOf(baseRate);
  return {
    detector,
    available: tally.available,
    raised: kept.map(({ subjectId, rows, flag }) => ({
      subjectId,
      rows,
      flag,
      detector,
      baseRate,
      score: scoreOf({ strength: flag.strength, materiality: materialityOf(flag.amountAtRiskCents), rarity }),
    })),
    report: {
      detector: detector.id,
      version: detector.version,
      fired: kept.length,
      notFired: tally.notFired + dropped,
      notComputable: reasonsOf(tally.notComputable),
      excluded: reasonsOf(tally.excluded),
      notFiredNotes: reasonsOf(tally.notes),
      falseDiscovery:
        pValues.length === 0 ? null : { rate: FALSE_DISCOVERY_RATE, tests: tested, candidates: pValues.length, cutoff },
    },
  };
}

const CHANCE_NOTE = "diferença que o acaso explica entre tantos testes (controle de falsas descobertas)";

/** Every verdict of a detector with its subject, as the report counts it, in the detector's own order. */
export function assess(
  detector: Detector,
  dataset: Dataset,
  params: unknown,
): { subjectId: string; verdict: Verdict }[] {
  const frame = frameOf(dataset);
  const tally = createTally(frame.contracts, { keepsVerdicts: true });
  detector.detect(frame, params, tally);
  const { candidates, notFired: calm, verdicts } = tally;
  const cutoff = cutoffOf(pValuesOf(candidates), candidates.length + calm);
  return verdicts!.map(({ subjectId, verdict }) => {
    const isChance = verdict.outcome === "fired" && !isDiscovery(verdict.flag, cutoff);
    return { subjectId: subjectId(), verdict: isChance ? notFired(CHANCE_NOTE) : verdict };
  });
}

function pValuesOf(candidates: readonly Candidate[]): number[] {
  const pValues: number[] = [];
  for (const { flag } of candidates) if (flag.pValue !== null) pValues.push(flag.pValue);
  return pValues;
}

function cutoffOf(pValues: number[], tests: number): number {
  return pValues.length === 0 ? -1 : falseDiscoveryCutoff(pValues, { tests, q: FALSE_DISCOVERY_RATE });
}

function isDiscovery({ pValue }: Flag, cutoff: number): boolean {
  return pValue === null || pValue <= cutoff;
}

function findingOf({ detector, subjectId, flag, score, baseRate }: Raised): Finding {
  const { formula, facts, records, legalBasis, subject, ...description } = flag.describe();
  const materiality = materialityOf(flag.amountAtRiskCents);
  return {
    detector: detector.id,
    detectorVersion: detector.version,
    title: detector.title,
    subject: { kind: subject.kind, id: subjectId(), label: subject.label },
    ...description,
    score,
    severity: severityOf(score),
    amountAtRiskCents: flag.amountAtRiskCents,
    evidence: {
      formula: `${formula}; score = √(strength × materiality × rarity)`,
      facts: [
        ...facts,
        ...(flag.pValue === null
          ? []
          : [fact("p_value", "Chance de uma diferença assim por acaso", flag.pValue, "score")]),
        fact("strength", "Força da evidência", round4(flag.strength), "score"),
        fact("materiality", "Peso do valor em jogo", materiality, "score"),
        fact("rarity", "Peso da raridade na análise", rarityOf(baseRate), "score"),
      ],
      records,
      baseRate,
    },
    legalBasis,
    innocentExplanations: detector.innocentExplanations,
  };
}

/** Only what can be among the first is put in order. */
function gravest(raised: Raised[], count: number): Raised[] {
  const scores = Float64Array.from(raised, ({ score }) => score).sort();
  const least = scores[Math.max(0, scores.length - count)] ?? 0;
  return raised
    .filter(({ score }) => score >= least)
    .sort(compareRaised)
    .slice(0, count);
}

/** As `compareFindings`, on what is known before a finding is described. */
function compareRaised(a: Raised, b: Raised): number {
  return (
    b.score - a.score ||
    b.flag.amountAtRiskCents - a.flag.amountAtRiskCents ||
    compareText(a.detector.id, b.detector.id) ||
    compareText(a.subjectId(), b.subjectId())
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
