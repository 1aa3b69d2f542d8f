import type { Sanction } from "@cidadao/domain/sanction";
import type { Agency, Amendment, Contract, ContractItem } from "@cidadao/domain/contract";

/** A field that was there and made no sense, or was missing: the record is kept without it, and this says so. */
export type Complaint = { sourceId: string; field: string; reason: string };

/** A record that could not be used at all. `raw` is what came, cut short and with CPFs masked. */
export type Reject = { sourceId: string | null; reason: string; raw: unknown };

export type SourceRecord = Agency | Contract | ContractItem | Amendment | Sanction;

export type SourcePage<Item extends SourceRecord> = {
  records: Item[];
  rejects: Reject[];
  complaints: Complaint[];
  fromCache: boolean;
  /** What the recording is and of when, when the answer comes from a recorded sample; `null` for live data. */
  sample: string | null;
};

/** The answer of a probe: the source is up and gave this many rows. */
export type Probe = { records: number; sample: string | null };

export type Source<Context> = {
  id: string;
  name: string;
  publisher: string;
  homepage: string;
  /** Words to show wherever its data is shown. */
  attribution: string;
  licence: string;
  /** What of the public sector it covers; state codes (UF), or all of them. */
  coverage: { spheres: ("federal" | "state" | "municipal")[]; states: "all" | string[] };
  needsKey: boolean;
  /** Fewest rows the probe must see; fewer means that the source shrank in silence. */
  probeRecordsMin: number;
  /** One cheap question, never answered from the cache; rejects with `AppError` when the source is not well. */
  probe: (context: Context, signal: AbortSignal) => Promise<Probe>;
};

export function defineSource<Context>(source: Source<Context>): Source<Context> {
  return source;
}
