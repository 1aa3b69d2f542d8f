/** Local hours in which people sleep: from the first until before the second, over midnight where it is smaller. */
export type QuietHours = { from: number; to: number };

const ZONE = "America/Sao_Paulo";
const QUARTER_MS = 900_000;
const QUARTERS_IN_TWO_DAYS = 192;

export function parseQuietHours(text: string): QuietHours | null {
  const [from, to] = text.split("-").map(Number);
  return from === undefined || to === undefined || from === to ? null : { from, to };
}

/** When the quiet hours that `now` lies in are over; `null` outside of them. */
export function quietUntil(hours: QuietHours | null, now: Date): Date | null {
  if (hours === null || !isQuiet(hours, now)) return null;
  // Zones change in whole quarters of an hour, so the end is at one.
  const quarter = Math.floor(now.getTime() / QUARTER_MS);
  for (let ahead = 1; ahead <= QUARTERS_IN_TWO_DAYS; ahead++) {
    const at = new Date((quarter + ahead) * QUARTER_MS);
    if (!isQuiet(hours, at)) return at;
  }
  return null;
}

const hourFormat = new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, hour: "2-digit", hourCycle: "h23" });

function isQuiet({ from, to }: QuietHours, at: Date): boolean {
  const hour = Number(hourFormat.format(at));
  return from < to ? hour >= from && hour < to : hour >= from || hour < to;
}
