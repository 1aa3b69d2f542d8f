import type { Reason } from "@cidadao/domain/dataset";
import { type Contracts, keyText } from "./frame/contracts.ts";
import type { Flag, Group, Groups, Verdict } from "./verdict.ts";

/** What a detector answers, as its report counts it. */
export type Tally = {
  contracts: Contracts;
  candidates: Candidate[];
  /** One for each contract: 1 where it got an answer, alone or with its group. */
  available: Uint8Array;
  notFired: number;
  notes: Counter;
  notComputable: Counter;
  excluded: Counter;
  /** Every verdict, where somebody wants them one by one. */
  verdicts: { subjectId: () => string; verdict: Verdict }[] | null;
};

/** A subject that a detector raises. */
export type Candidate = {
  /** Made when asked: a million ids are not needed to rank them. */
  subjectId: () => string;
  rows: ArrayLike<number>;
  flag: Flag;
};

export function createTally(contracts: Contracts, { keepsVerdicts = false } = {}): Tally {
  return {
    contracts,
    candidates: [],
    available: new Uint8Array(contracts.size),
    notFired: 0,
    notes: createCounter(),
    notComputable: createCounter(),
    excluded: createCounter(),
    verdicts: keepsVerdicts ? [] : null,
  };
}

/* Functions of the tally, never closures over it: they are compiled once, not for every detector of every frame. */

/** The verdict on the contract in `row`. */
export function answerContract(tally: Tally, row: number, verdict: Verdict): void {
  const flag = count(tally, verdict);
  if (isAnswer(verdict)) tally.available[row] = 1;
  if (flag !== null) tally.candidates.push({ subjectId: keyOf(tally.contracts, row), rows: [row], flag });
  if (tally.verdicts !== null) tally.verdicts.push({ subjectId: keyOf(tally.contracts, row), verdict });
}

/** The verdict on contracts that are judged together. */
export function answerGroup(tally: Tally, { id, rows }: Group, verdict: Verdict): void {
  const flag = count(tally, verdict);
  if (isAnswer(verdict)) for (let index = 0; index < rows.length; index++) tally.available[rows[index]!] = 1;
  if (flag !== null) tally.candidates.push({ subjectId: id, rows, flag });
  if (tally.verdicts !== null) tally.verdicts.push({ subjectId: id, verdict });
}

/** The verdict on one of many groups: nothing is made for it but its verdict, unless it fired. */
export function answerOneOf(tally: Tally, { groups, idOf }: Groups, group: number, verdict: Verdict): void {
  const { start, rows } = groups;
  const flag = count(tally, verdict);
  if (isAnswer(verdict))
    for (let index = start[group]!; index < start[group + 1]!; index++) tally.available[rows[index]!] = 1;
  if (flag !== null) {
    tally.candidates.push({ subjectId: () => idOf(group), rows: rows.subarray(start[group], start[group + 1]), flag });
  }
  if (tally.verdicts !== null) tally.verdicts.push({ subjectId: () => idOf(group), verdict });
}

function keyOf(contracts: Contracts, row: number): () => string {
  return () => keyText(contracts, row);
}

function isAnswer({ outcome }: Verdict): boolean {
  return outcome === "fired" || outcome === "not_fired";
}

function count(tally: Tally, verdict: Verdict): Flag | null {
  switch (verdict.outcome) {
    case "fired":
      return verdict.flag;
    case "not_fired":
      tally.notFired++;
      if (verdict.note !== null) addReason(tally.notes, verdict.note);
      return null;
    case "not_computable":
      addReason(tally.notComputable, verdict.reason);
      return null;
    case "excluded":
      addReason(tally.excluded, verdict.reason);
      return null;
  }
}

/** Counts by reason. Neighbours mostly share theirs, and then no table is asked. */
export type Counter = { counts: Map<string, { count: number }>; lastReason: string; last: { count: number } };

function createCounter(): Counter {
  return { counts: new Map(), lastReason: "", last: { count: 0 } };
}

export function addReason(counter: Counter, reason: string, count = 1): void {
  if (reason !== counter.lastReason) {
    const known = counter.counts.get(reason) ?? { count: 0 };
    counter.counts.set(reason, known);
    counter.lastReason = reason;
    counter.last = known;
  }
  counter.last.count += count;
}

/** Most frequent first, then by text. */
export function reasonsOf({ counts }: Counter): Reason[] {
  return [...counts]
    .map(([reason, { count }]) => ({ reason, count }))
    .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
}
