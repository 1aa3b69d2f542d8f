import type { Frame } from "@cidadao/detectors/frame/frame";
import type { Dataset } from "@cidadao/domain/dataset";
import type { Random } from "@cidadao/detectors/seeded-random";

/** What the cases may start from. `directAwards` is there where a folder with more data was named. */
export type Grounds = { month: Dataset; years: Dataset; directAwards: Dataset | null };

/** Data in which there is nothing of what one detector looks for. */
export type NullCase = {
  detector: string;
  /** In Portuguese, for the page. */
  what: string;
  draws: number;
  /** Share of draws with a flag that the detector promises not to exceed. */
  nominal: number;
  /** Called once; what it returns is called once a draw. */
  prepare: (grounds: Grounds) => (random: Random) => Frame;
};

export const DRAWS = 200;

type Columns = Partial<Frame["contracts"]>;

export function withContracts(frame: Frame, columns: Columns): Frame {
  return { ...frame, contracts: { ...frame.contracts, ...columns } };
}

export function withItems(frame: Frame, columns: Partial<Frame["items"]>): Frame {
  return { ...frame, items: { ...frame.items, ...columns } };
}

export function rowsOf(frame: Frame): number[] {
  return Array.from({ length: frame.contracts.size }, (_, row) => row);
}

/** Standard normal, by Box and Muller. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
