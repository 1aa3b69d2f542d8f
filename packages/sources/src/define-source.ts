import type { Agency, Amendment, Contract, ContractItem, PriceRegistration } from "@cidadao/domain/contract";
import type { Gazette } from "@cidadao/domain/gazette";
import type { IsoDate } from "@cidadao/domain/dates";
import type { Commitment } from "@cidadao/domain/commitment";
import type { CompanyFlags } from "@cidadao/domain/company-flags";
import type { ExpenseDocument } from "@cidadao/domain/expense-document";
import type { Municipality } from "@cidadao/domain/municipality";
import type { ReferencePrice } from "@cidadao/domain/reference-price";
import type { Registration } from "@cidadao/domain/registration";
import type { RegisterEntry } from "@cidadao/domain/register-entry";
import type { Sanction } from "@cidadao/domain/sanction";
import type { Tenderer } from "@cidadao/domain/tenderer";
import { parseConfig } from "@cidadao/runtime/config";
import type { z } from "zod";
import type { Outbound } from "./outbound.ts";
import type { Complaint } from "./reading.ts";

/** A record that could not be used at all. `raw` is what came, cut short and with CPFs masked. */
export type Reject = { sourceId: string | null; reason: string; raw: unknown };

export type SourceRecord =
  | Agency
  | Contract
  | ContractItem
  | Amendment
  | PriceRegistration
  | Sanction
  | Registration
  | RegisterEntry
  | Municipality
  | ReferencePrice
  | CompanyFlags
  | ExpenseDocument
  | Tenderer
  | Commitment
  | Gazette;

/** What the records of a resource are; each kind has its tables, but for gazettes, which are searched and not stored. */
export type RecordKind =
  | "agencies"
  | "contracts"
  | "items"
  | "amendments"
  | "price_registrations"
  | "sanctions"
  | "registrations"
  | "register_entries"
  | "municipalities"
  | "reference_prices"
  | "company_flags"
  | "expense_documents"
  | "tenderers"
  | "commitments"
  | "gazettes";

/** Where the reading of a list goes on: whatever the source needs to ask for the next page. */
export type Position = Record<string, number | string>;

/** One answer of a source before anyone has read its rows. */
export type Answer = {
  rows: unknown[];
  headers: Record<string, string>;
  retrievedAt: string;
  fromCache: boolean;
  /** The position after it; `null` when it was the last. */
  next: Position | null;
};

/** `excluded`: understood, and not what is looked for; each with its reason. */
export type Reading<Item extends SourceRecord> = {
  records: Item[];
  rejects: Reject[];
  complaints: Complaint[];
  excluded: { sourceId: string; reason: string }[];
};

export type SourcePage<Item extends SourceRecord> = Reading<Item> & {
  fromCache: boolean;
  next: Position | null;
  /** What the recording is and of when, when the answer comes from a recorded sample; `null` for live data. */
  sample: string | null;
};

/** The answer of a probe: the source is up and gave this many rows. */
export type Probe = { records: number; sample: string | null };

/**
 * Days, both included, of everything or of one agency as the source numbers them. `place`: of a state (UF) or of a
 * municipality (IBGE code); `company`: about one, by its CNPJ; `item`: of a catalogue, by its code. Each where the source
 * can be asked for it.
 */
export type IngestScope = {
  from: IsoDate;
  to: IsoDate;
  agency: string | null;
  place?: string;
  company?: string;
  item?: string;
};

/** The years that days of a scope are in, for sources that are asked by the year. */
export function yearsOf({ from, to }: Pick<IngestScope, "from" | "to">): number[] {
  const [first, last] = [from, to].map((day) => Number(day.slice(0, 4))) as [number, number];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** One question of many that cover a scope. It is read to its end, or goes on later where it stopped. */
export type Slice<Context> = {
  /** Says which question it is, in any run: "publicacao 2024-01-31 6". */
  name: string;
  /** For people, in Portuguese. */
  what: string;
  /** The last day it asks about; `null` when it asks about no day, and so is never read for good. */
  lastDay: IsoDate | null;
  pages: (context: Context, from: Position | null, signal: AbortSignal) => AsyncIterable<SourcePage<SourceRecord>>;
};

export type Resource<Context> = {
  title: string;
  /** At the source, with its base address left out. */
  path: string;
  kind: RecordKind;
  /** How often the publisher adds to it, in words. */
  cadence: string;
  /** One record as it is sent; every field that was ever null is nullable. */
  wire: z.ZodType;
  /** Reads rows as they are sent. Never throws, whatever they are. */
  read: (answer: Answer) => Reading<SourceRecord>;
  /** Asks for more than days and an agency: a reading that names no resources leaves it out. */
  onlyNamed?: true;
  /** The questions that cover a scope; left out where only single questions are asked. */
  slices?: (scope: IngestScope) => Slice<Context>[];
  /**
   * The one question about a contract or procedure of the source, of which it may be the record itself; left out where
   * nothing is asked of one.
   */
  ofContract?: {
    /** Whether one with this `sourceId` can have such records. */
    has: (contractId: string) => boolean;
    pages: (context: Context, contractId: string, signal: AbortSignal) => AsyncIterable<SourcePage<SourceRecord>>;
    /** Where one costs many calls: of how many an investigation asks it at most, and for how long. */
    costly?: Costly;
  };
  /** So many days after a day is over, what the source says of it changes no more in this resource. */
  overlapDays?: number;
  /** Fewest records of a whole reading; fewer means that the source shrank in silence. */
  recordsMin?: number;
};

export type SourceDefinition<Config extends z.ZodObject, Context> = {
  id: string;
  name: string;
  publisher: string;
  homepage: string;
  /** Words to show wherever its data is shown. */
  attribution: string;
  licence: string;
  /** What of the public sector it covers; state codes (UF), or all of them. */
  coverage: { spheres: ("federal" | "state" | "municipal")[]; states: "all" | string[] };
  /** How often its publisher adds to it, in words. */
  cadence: string;
  /** Variables of the environment; every base address and the calls a minute are among them. */
  config: Config;
  baseUrls: (keyof Config["shape"] & string)[];
  perMinute: keyof Config["shape"] & string;
  /** Variables without which it is off. */
  needs: (keyof Config["shape"] & string)[];
  /**
   * Written from descriptions, no answer of the source itself having been recorded: whose, and what is not read. Such a
   * source is in use only where it is named.
   */
  described?: { by: string; lacks: string };
  /** How callers name themselves: "chave-api-dados: TRANSPARENCY_API_KEY", or that nobody has to. */
  auth: string;
  open: (config: z.output<Config>, outbound: Outbound) => Context;
  /** Fewest rows the probe must see; fewer means that the source shrank in silence. */
  probeRecordsMin: number;
  /** One cheap question, never answered from the cache; rejects with `AppError` when the source is not well. */
  probe: (context: Context, signal: AbortSignal) => Promise<Probe>;
  resources: Record<string, Resource<Context>>;
  /** Recorded answers that its tests read, in its folder. */
  fixtures: string[];
};

/** A source with its context inside: whoever reads it need not know what that is. */
export type OpenedSource = {
  id: string;
  name: string;
  /** Where it is asked, the first where there are several. */
  address: string;
  probe: (signal: AbortSignal) => Promise<Probe>;
  /** The questions that cover a scope, bound to the source; an empty list where the resource has none. */
  slices: (resource: string, scope: IngestScope) => OpenedSlice[];
  /** What can be asked about a contract or procedure: itself first, then what belongs to it; empty where nothing can. */
  ofContract: (contractId: string) => ContractQuestion[];
};
export type ContractPages = (signal: AbortSignal) => AsyncIterable<SourcePage<SourceRecord>>;
export type Costly = { contractsMax: number; msMax: number };
export type ContractQuestion = { resource: string; kind: RecordKind; costly: Costly | null; pages: ContractPages };
export type OpenedSlice = Omit<Slice<never>, "pages"> & {
  pages: (from: Position | null, signal: AbortSignal) => AsyncIterable<SourcePage<SourceRecord>>;
};

export type Source = Omit<SourceDefinition<z.ZodObject, never>, "open" | "probe" | "resources"> & {
  resources: Record<
    string,
    Omit<Resource<never>, "slices" | "ofContract"> & { isWindowed: boolean; isOfContract: boolean }
  >;
  /** The variables that are missing; an empty list when the source can be opened. */
  missing: (environment: Environment) => string[];
  open: (environment: Environment, outbound: Outbound) => OpenedSource;
};

type Environment = Record<string, string | undefined>;

export function defineSource<const Config extends z.ZodObject, Context>(
  definition: SourceDefinition<Config, Context>,
): Source {
  const { open, probe, resources, ...described } = definition;
  return {
    ...described,
    resources: Object.fromEntries(
      Object.entries(resources).map(([id, { slices, ofContract, ...resource }]) => [
        id,
        { ...resource, isWindowed: slices !== undefined, isOfContract: ofContract !== undefined },
      ]),
    ),
    missing: (environment) => definition.needs.filter((variable) => !environment[variable]?.trim()),
    open(environment, outbound) {
      const config = parseConfig(definition.config, environment);
      const context = open(config, outbound);
      return {
        id: definition.id,
        name: definition.name,
        address: addressOf(config[definition.baseUrls[0]!]),
        probe: (signal) => probe(context, signal),
        slices: (resource, scope) =>
          (resources[resource]?.slices?.(scope) ?? []).map((slice) => ({
            ...slice,
            pages: (from, signal) => slice.pages(context, from, signal),
          })),
        ofContract: (contractId) =>
          Object.entries(resources)
            .flatMap(([resource, { kind, ofContract }]) => {
              if (!ofContract?.has(contractId)) return [];
              const { pages, costly = null } = ofContract;
              return [{ resource, kind, costly, pages: (signal: AbortSignal) => pages(context, contractId, signal) }];
            })
            .toSorted((a, b) => Number(b.kind === "contracts") - Number(a.kind === "contracts")),
      };
    },
  };
}

/** Without what a URL may hold of passwords and keys. */
function addressOf(url: unknown): string {
  const parsed = URL.parse(String(url));
  return parsed === null ? "" : `${parsed.origin}${parsed.pathname}`.replace(/\/$/, "");
}
