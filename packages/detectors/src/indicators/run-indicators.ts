import {
  groups,
  type CommonSettings,
  type Finished,
  type Fold,
  type Group,
  type Indicator,
  type IndicatorCode,
  type MapName,
  type OrganizationsOf,
} from "./define-indicator.ts";
import { addWarning, mergeWarnings, type LineWarning } from "./line-warnings.ts";
import { parseLine } from "./parse-line.ts";
import { readRelease } from "./read-release.ts";
import { indicators } from "./registry.ts";
import type { IndicatorSettings } from "./settings.ts";
import { submittingTenderers } from "./submitting-tenderers.ts";
import { addCount, mergeCounts, type Tally } from "./tally.ts";

/** All that a run knows; plain data, so that slices of a file can be folded elsewhere. */
export type IndicatorState = {
  folds: Map<string, unknown>;
  /** The first currency a price indicator met. */
  firstCurrency: string | null;
  /** Processes that no indicator looks at, by reason. */
  excluded: Map<string, number>;
  /** Processes that the indicators looked at. */
  processes: number;
  warnings: LineWarning[];
};

export type IndicatorResult = {
  /** Only groups with results. */
  groups: Map<Group, Map<string, Map<IndicatorCode, number>>>;
  /** Not rounded; NaN where nothing could be computed. */
  meta: Map<IndicatorCode, Map<string, number>>;
  /** Empty unless asked for. */
  maps: Map<MapName, OrganizationsOf>;
  mainCurrency: string | null;
  processes: number;
  excluded: Map<string, number>;
  /** Of the indicators that ran. */
  tallies: Map<IndicatorCode, Partial<Record<Group, Tally>>>;
  warnings: LineWarning[];
};

export type IndicatorRun = {
  /** Blank lines are nothing; what cannot be read is a warning. Never throws. */
  addLine: (text: string, lineNumber: number) => void;
  addRelease: (value: unknown, lineNumber?: number | null) => void;
  /** Takes over the state of a run with the same settings over the lines that follow. */
  merge: (later: IndicatorState) => void;
  /** Leaves the run as it is. */
  finish: () => IndicatorResult;
  readonly state: IndicatorState;
  readonly warnings: readonly LineWarning[];
};

/** `map`: also say which organizations belong to which process. */
export function createIndicatorRun(settings: IndicatorSettings, { map = false } = {}): IndicatorRun {
  const common: CommonSettings = { ...settings.common, keepsMaps: map };
  const chosen = indicators.filter(({ code }) => settings.indicators.has(code));
  const folds = foldsOf(chosen, settings, map);
  const state: IndicatorState = {
    folds: new Map([...folds].map(([name, { fold }]) => [name, fold.start()])),
    firstCurrency: null,
    excluded: new Map(),
    processes: 0,
    warnings: [],
  };

  const addRelease = (value: unknown, lineNumber: number | null = null) => {
    const release = readRelease(value);
    if (typeof release === "string") return addWarning(state.warnings, release, lineNumber);
    if (release.tenderStatus === "cancelled") return addCount(state.excluded, "processo cancelado");
    const details = release.procurementMethodDetails;
    if (details !== null && common.excludedMethodDetails.has(details)) {
      return addCount(state.excluded, "procedimento excluído pelas configurações");
    }
    state.processes += 1;
    for (const [name, { fold, settings }] of folds) {
      if (common.currency === null) state.firstCurrency ??= fold.firstCurrency?.(release, common) ?? null;
      fold.add(state.folds.get(name), release, settings, common);
    }
  };

  return {
    state,
    warnings: state.warnings,
    addRelease,
    addLine: (text, lineNumber) => {
      const line = parseLine(text);
      if (line.kind === "json") addRelease(line.value, lineNumber);
      else if (line.kind === "invalid-json") addWarning(state.warnings, "invalid-json", lineNumber);
    },
    merge: (later) => {
      for (const [name, { fold }] of folds) {
        state.folds.set(name, fold.merge(state.folds.get(name), later.folds.get(name)));
      }
      state.firstCurrency ??= later.firstCurrency;
      state.excluded = mergeCounts(state.excluded, later.excluded);
      state.processes += later.processes;
      mergeWarnings(state.warnings, later.warnings);
    },
    finish: () => {
      const mainCurrency = common.currency ?? state.firstCurrency;
      const finished = chosen.map((indicator) => {
        const context = { settings: settings.indicators.get(indicator.code), common, mainCurrency };
        return { indicator, ...indicator.finish(state.folds.get(indicator.fold.name), context) };
      });
      return {
        ...collect(
          finished,
          map ? (state.folds.get(submittingTenderers.name) as OrganizationsOf | undefined) : undefined,
        ),
        mainCurrency,
        processes: state.processes,
        excluded: new Map(state.excluded),
        warnings: withMismatches(state.warnings, finished),
      };
    },
  };
}

/** By name, so that indicators that share a fold share its state; in the order in which they meet a process. */
function foldsOf(chosen: readonly Indicator[], settings: IndicatorSettings, map: boolean) {
  const folds = new Map<string, { fold: Fold<unknown, unknown>; settings: unknown }>();
  const shared = chosen.filter(({ code }) => code === "R024" || code === "R058");
  for (const { fold, code } of [...shared, ...chosen]) {
    if (!folds.has(fold.name)) folds.set(fold.name, { fold, settings: settings.indicators.get(code) });
  }
  const isMapped = chosen.some(({ code }) => code === "R025" || code === "R038" || code === "R048");
  if (map && isMapped) {
    folds.set(submittingTenderers.name, { fold: submittingTenderers, settings: null });
  }
  return folds;
}

type FinishedIndicator = Finished & { indicator: Indicator };

function collect(finished: readonly FinishedIndicator[], tenderersOf: OrganizationsOf | undefined) {
  const byGroup = new Map<Group, Map<string, Map<IndicatorCode, number>>>(groups.map((group) => [group, new Map()]));
  const meta: IndicatorResult["meta"] = new Map();
  const maps: IndicatorResult["maps"] = new Map();
  const tallies: IndicatorResult["tallies"] = new Map();
  if (tenderersOf !== undefined) maps.set("ocid_tenderer", tenderersOf);
  for (const { indicator, ...one } of finished) {
    for (const { group, id, value } of one.results) {
      const subjects = byGroup.get(group)!;
      const values = subjects.get(id) ?? new Map<IndicatorCode, number>();
      subjects.set(id, values.set(indicator.code, value));
    }
    if (one.meta.length > 0) meta.set(indicator.code, new Map(one.meta));
    for (const [name, map] of Object.entries(one.maps ?? {})) maps.set(name as MapName, map);
    tallies.set(indicator.code, one.tallies);
  }
  return { groups: new Map([...byGroup].filter(([, subjects]) => subjects.size > 0)), meta, maps, tallies };
}

function withMismatches(warnings: readonly LineWarning[], finished: readonly FinishedIndicator[]): LineWarning[] {
  const all = warnings.map((warning) => ({ ...warning }));
  const byFold = new Map(
    finished.map(({ indicator, currencyMismatches = 0 }) => [indicator.fold.name, currencyMismatches]),
  );
  const count = [...byFold.values()].reduce((sum, one) => sum + one, 0);
  if (count > 0) addWarning(all, "currency-mismatch", null, count);
  return all;
}
