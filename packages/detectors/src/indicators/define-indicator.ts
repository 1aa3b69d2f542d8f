import type { LegalReference } from "@cidadao/domain/anomaly";
import type { z } from "zod";
import type { ReleaseFacts } from "./read-release.ts";
import type { Tally } from "./tally.ts";

export const indicatorCodes = [
  "R003",
  "R018",
  "R024",
  "R025",
  "R028",
  "R030",
  "R035",
  "R036",
  "R038",
  "R048",
  "R058",
] as const;
export type IndicatorCode = (typeof indicatorCodes)[number];

/** What a result is about, named as in the output; in the order of the output. */
export const groups = ["OCID", "Buyer", "ProcuringEntity", "Tenderer"] as const;
export type Group = (typeof groups)[number];

/** Which organizations belong to which process; in the order of the output. */
export const mapNames = [
  "ocid_buyer_r038",
  "ocid_procuringentity_r038",
  "ocid_tenderer",
  "ocid_tenderer_r024",
  "ocid_tenderer_r028",
  "ocid_tenderer_r030",
  "ocid_tenderer_r035",
  "ocid_tenderer_r058",
] as const;
export type MapName = (typeof mapNames)[number];
export type OrganizationsOf = Map<string, string | Set<string>>;

/** Settings that every indicator of a run shares. */
export type CommonSettings = {
  /** `null`: the first currency that a price indicator meets. */
  currency: string | null;
  /** If not empty, only these are compared by price, and the deny list has no effect. */
  priceComparisonMethods: ReadonlySet<string>;
  noPriceComparisonMethods: ReadonlySet<string>;
  excludedMethodDetails: ReadonlySet<string>;
  /** Whether to remember the organizations of each process, which costs memory. */
  keepsMaps: boolean;
};

/**
 * A pass over the processes that can be cut anywhere: merging the states of the slices in order gives the state of the
 * single pass. States are plain data, so that they cross to another thread. Two indicators that name the same fold
 * share its state.
 */
export type Fold<State, Settings> = {
  name: string;
  start(): State;
  /** Changes `state`. */
  add(state: State, release: ReleaseFacts, settings: Settings, common: CommonSettings): void;
  /** `b` comes after `a`. Takes both over: they are not used afterwards. */
  merge(a: State, b: State): State;
  /** The first currency this fold meets in the process, for the run whose settings name none. */
  firstCurrency?(release: ReleaseFacts, common: CommonSettings): string | null;
};

export type Finished = {
  results: { group: Group; id: string; value: number }[];
  /** Quartiles and fences, not rounded; NaN where there was nothing to compute them from. */
  meta: [key: string, value: number][];
  /** By the groups whose members are the subjects of the indicator. */
  tallies: Partial<Record<Group, Tally>>;
  maps?: Partial<Record<MapName, OrganizationsOf>>;
  /** Bids left out for their currency. */
  currencyMismatches?: number;
};

export type FinishContext<Settings> = {
  settings: Settings;
  common: CommonSettings;
  /** `null` when no price was seen. */
  mainCurrency: string | null;
};

/** `settings` is a settings file; left out: the section of the indicator alone, empty. */
export type IndicatorExample = {
  title: string;
  releases: unknown[];
  settings?: string;
  expected: PlainGroups;
  meta?: Record<string, number | null>;
};

export type PlainGroups = Partial<Record<Group, Record<string, Partial<Record<IndicatorCode, number>>>>>;

type IndicatorFields = {
  code: IndicatorCode;
  name: string;
  title: string;
  question: string;
  /** What the numbers of its report count, in the plural. */
  subjects: string;
  method: string;
  legalBasis: LegalReference[];
  references: string[];
  exclusions: string[];
  assumptions: string[];
  innocentExplanations: string[];
  examples: IndicatorExample[];
};

export type Indicator = IndicatorFields & {
  settings: z.ZodObject;
  fold: Fold<unknown, unknown>;
  finish(state: unknown, context: FinishContext<unknown>): Finished;
};

export function defineIndicator<State, Settings extends z.ZodObject>(
  spec: IndicatorFields & {
    settings: Settings;
    fold: Fold<State, z.output<Settings>>;
    finish(state: State, context: FinishContext<z.output<Settings>>): Finished;
  },
): Indicator {
  return spec;
}
