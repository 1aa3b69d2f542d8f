import type { LegalReference } from "@cidadao/domain/anomaly";
import { addDays, type IsoDate } from "@cidadao/domain/dates";
import type { Cents } from "@cidadao/domain/money";

/** Laws under which a contract may be awarded directly because of its small value. */
export const directAwardRegimes = ["lei-14133", "lei-8666", "lei-14065"] as const;
export type DirectAwardRegime = (typeof directAwardRegimes)[number];

/** Both days belong to the period. */
export type DirectAwardThreshold = {
  regime: DirectAwardRegime;
  validFrom: IsoDate;
  validTo: IsoDate;
  /** Works, engineering services and, under Lei 14.133, vehicle upkeep. */
  worksCents: Cents;
  otherCents: Cents;
  /** Law or decree that fixes the figures. */
  instrument: string;
};

export const directAwardThresholds: readonly DirectAwardThreshold[] = [
  row("lei-8666", "1998-05-28", "2018-07-18", 1_500_000, 800_000, "Lei 9.648/1998"),
  row("lei-8666", "2018-07-19", "2023-12-30", 3_300_000, 1_760_000, "Decreto 9.412/2018"),
  row("lei-14065", "2020-05-07", "2020-12-31", 10_000_000, 5_000_000, "MP 961/2020, Lei 14.065/2020"),
  row("lei-14133", "2021-04-01", "2021-12-31", 10_000_000, 5_000_000, "Lei 14.133/2021, art. 75"),
  row("lei-14133", "2022-01-01", "2022-12-31", 10_804_082, 5_402_041, "Decreto 10.922/2021"),
  row("lei-14133", "2023-01-01", "2023-12-31", 11_441_665, 5_720_833, "Decreto 11.317/2022"),
  row("lei-14133", "2024-01-01", "2024-12-31", 11_981_202, 5_990_602, "Decreto 11.871/2023"),
  row("lei-14133", "2025-01-01", "2025-12-31", 12_545_115, 6_272_559, "Decreto 12.343/2024"),
  row("lei-14133", "2026-01-01", "2026-12-31", 13_098_420, 6_549_211, "Decreto 12.807/2025"),
];

/** Under Lei 14.133 the value must stay below the limit; under the older laws it may reach it. */
export const limitIsInclusive: Record<DirectAwardRegime, boolean> = {
  "lei-14133": false,
  "lei-8666": true,
  "lei-14065": true,
};

export const regimeNames: Record<DirectAwardRegime, string> = {
  "lei-14133": "Lei 14.133/2021",
  "lei-8666": "Lei 8.666/1993",
  "lei-14065": "Lei 14.065/2020",
};

export const directAwardLaws: Record<DirectAwardRegime, LegalReference> = {
  "lei-14133": { norm: "Lei 14.133/2021", article: "art. 75, I, II e §1º", validFrom: "2021-04-01", validTo: null },
  "lei-8666": {
    norm: "Lei 8.666/1993",
    article: "art. 23, §5º, e art. 24, I e II",
    validFrom: "1993-06-22",
    validTo: "2023-12-30",
  },
  "lei-14065": { norm: "Lei 14.065/2020", article: "art. 1º, I", validFrom: "2020-05-07", validTo: "2020-12-31" },
};

/** A provisional figure is the last one known: the year's own update is not in the table yet. */
export type ThresholdOnDay = DirectAwardThreshold & { isProvisional: boolean };

/** The figures of a regime on a day; `null` when the regime did not apply on it. */
export function directAwardThresholdOn(date: IsoDate, regime: DirectAwardRegime): ThresholdOnDay | null {
  const rows = thresholdsOf[regime];
  const exact = rows.find(({ validFrom, validTo }) => validFrom <= date && date <= validTo);
  if (exact) return { ...exact, isProvisional: false };
  const lawEnds = directAwardLaws[regime].validTo;
  const last = rows.findLast(({ validTo }) => validTo < date);
  if (!last || (lawEnds !== null && date > lawEnds)) return null;
  return { ...last, validFrom: addDays(last.validTo, 1), validTo: `${date.slice(0, 4)}-12-31`, isProvisional: true };
}

const thresholdsOf = Object.fromEntries(
  directAwardRegimes.map((regime) => [
    regime,
    directAwardThresholds.filter((threshold) => threshold.regime === regime),
  ]),
) as Record<DirectAwardRegime, DirectAwardThreshold[]>;

/** Every regime that could be chosen on a day; from April 2021 to December 2023 there were two. */
export function directAwardRegimesOn(date: IsoDate): DirectAwardRegime[] {
  return directAwardRegimes.filter((regime) => directAwardThresholdOn(date, regime) !== null);
}

function row(
  regime: DirectAwardRegime,
  validFrom: IsoDate,
  validTo: IsoDate,
  worksCents: Cents,
  otherCents: Cents,
  instrument: string,
): DirectAwardThreshold {
  return { regime, validFrom, validTo, worksCents, otherCents, instrument };
}
