import type { IsoDate } from "@cidadao/domain/dates";

const format = new Intl.DateTimeFormat("en-CA", { timeZone: "America/Sao_Paulo", dateStyle: "short" });

/** The day that it is in São Paulo. */
export function localDay(moment: Date): IsoDate {
  return format.format(moment);
}
