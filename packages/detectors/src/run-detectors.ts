import { compareFindings, type Finding } from "@cidadao/domain/anomaly";
import type { Dataset, Detection, DetectorReport, Reason } from "@cidadao/domain/dataset";
import { severityOf } from "@cidadao/domain/severity";
import { rankRisks } from "./composite-risk.ts";
import {
  type Answer,
  type Detector,
  type Flag,
  type Group,
  type Groups,
  notFired,
  type Verdict,
} from "./define-detector.ts";
import { fact } from "./evidence.ts";
import { type Frame, frameOf } from "./frame/frame.ts";
import { detectors } from "./registry.ts";
import { materialityOf, rarityOf, round4, scoreOf } from "./score.ts";
import { falseDiscoveryCutoff } from "./statistics.ts";

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
  const runs = chosen.map((detector) => runDetector(detector, frame, params[detector.id] ?? {}));
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

/** A subject that a detector raises, weighed but not yet described. */
export type Raised = {
  detector: Detector;
  /** Made when asked: a million ids are not needed to rank them. */
  subjectId: () => string;
  rows: ArrayLike<number>;
  flag: Flag;
  score: number;
  baseRate: Finding["evidence"]["baseRate"];
};

export type DetectorRun = {
  detector: Detector;
  raised: Raised[];
  /** One for each contract: 1 where the detector could give an answer, alone or with its group. */
  available: Uint8Array;
  report: DetectorReport;
};

type Candidate = { subjectId: () => string; rows: ArrayLike<number>; flag: Flag };

function runDetector(detector: Detector, frame: Frame, params: unknown): DetectorRun {
  const tally = createTally(frame);
  detector.detect(frame, params, tally);
  const { candidates, calm } = tally;
  const tested = candidates.length + calm.count;
  const pValues = candidates.flatMap(({ flag }) => flag.pValue ?? []);
  const cutoff = cutoffOf(pValues, tested);
  const kept = candidates.filter(({ flag }) => isDiscovery(flag, cutoff));
  const dropped = candidates.length - kept.length;
  for (let index = 0; index < dropped; index++) calm.notes.add(CHANCE_NOTE);
  const baseRate = { tested, fired: kept.length };
  const rarity = rarityOf(baseRate);
  return {
    detector,
    available: tally.available,
    raised: kept.map(({ flag, ...subject }) => ({
      ...subject,
      detector,
      flag,
      baseRate,
      score: scoreOf({ strength: flag.strength, materiality: materialityOf(flag.amountAtRiskCents), rarity }),
    })),
    report: {
      detector: detector.id,
      version: detector.version,
      fired: kept.length,
      notFired: calm.count + dropped,
      notComputable: tally.notComputable.sorted(),
      excluded: tally.excluded.sorted(),
      notFiredNotes: calm.notes.sorted(),
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
  const verdicts: { subjectId: string; verdict: Verdict }[] = [];
  detector.detect(frame, params, {
    contract: (row, verdict) => void verdicts.push({ subjectId: frame.contracts.keyText(row), verdict }),
    group: ({ id }, verdict) => void verdicts.push({ subjectId: id(), verdict }),
    groupOf: ({ idOf }, group, verdict) => void verdicts.push({ subjectId: idOf(group), verdict }),
  });
  const flags = verdicts.flatMap(({ verdict }) => (verdict.outcome === "fired" ? [verdict.flag] : []));
  const tested = flags.length + verdicts.filter(({ verdict }) => verdict.outcome === "not_fired").length;
  const cutoff = cutoffOf(
    flags.flatMap(({ pValue }) => pValue ?? []),
    tested,
  );
  return verdicts.map(({ subjectId, verdict }) => {
    const isChance = verdict.outcome === "fired" && !isDiscovery(verdict.flag, cutoff);
    return { subjectId, verdict: isChance ? notFired(CHANCE_NOTE) : verdict };
  });
}

function cutoffOf(pValues: number[], tests: number): number {
  return pValues.length === 0 ? -1 : falseDiscoveryCutoff(pValues, { tests, q: FALSE_DISCOVERY_RATE });
}

function isDiscovery({ pValue }: Flag, cutoff: number): boolean {
  return pValue === null || pValue <= cutoff;
}

function createTally(frame: Frame) {
  const available = new Uint8Array(frame.contracts.size);
  const candidates: Candidate[] = [];
  const calm = { count: 0, notes: createCounter() };
  const notComputable = createCounter();
  const excluded = createCounter();
  /** True when the subject got an answer. */
  const count = (verdict: Verdict): boolean => {
    switch (verdict.outcome) {
      case "fired":
        return true;
      case "not_fired":
        calm.count++;
        if (verdict.note !== null) calm.notes.add(verdict.note);
        return true;
      case "not_computable":
        notComputable.add(verdict.reason);
        return false;
      case "excluded":
        excluded.add(verdict.reason);
        return false;
    }
  };
  const tally: Answer = {
    contract(row, verdict) {
      if (count(verdict)) available[row] = 1;
      if (verdict.outcome === "fired")
        candidates.push({ subjectId: () => frame.contracts.keyText(row), rows: [row], flag: verdict.flag });
    },
    group({ id, rows }: Group, verdict) {
      if (count(verdict)) for (let index = 0; index < rows.length; index++) available[rows[index]!] = 1;
      if (verdict.outcome === "fired") candidates.push({ subjectId: id, rows, flag: verdict.flag });
    },
    groupOf({ groups, idOf }: Groups, group, verdict) {
      const { start, rows } = groups;
      if (count(verdict))
        for (let index = start[group]!; index < start[group + 1]!; index++) available[rows[index]!] = 1;
      if (verdict.outcome === "fired") {
        candidates.push({ subjectId: () => idOf(group), rows: groups.rowsOf(group), flag: verdict.flag });
      }
    },
  };
  return { ...tally, available, candidates, calm, notComputable, excluded };
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

/** Counts by reason. Neighbours mostly share theirs, and then no table is asked. */
function createCounter() {
  const counts = new Map<string, { count: number }>();
  let [lastReason, last] = ["", { count: 0 }];
  return {
    add(reason: string): void {
      if (reason !== lastReason) {
        const known = counts.get(reason) ?? { count: 0 };
        counts.set(reason, known);
        [lastReason, last] = [reason, known];
      }
      last.count++;
    },
    /** Most frequent first, then by text. */
    sorted: (): Reason[] =>
      [...counts]
        .map(([reason, { count }]) => ({ reason, count }))
        .sort((a, b) => b.count - a.count || compareText(a.reason, b.reason)),
  };
}
