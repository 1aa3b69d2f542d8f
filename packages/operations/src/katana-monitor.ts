import { loadContracts } from "@cidadao/database/records";
import { addDays, type Timestamp } from "@cidadao/domain/dates";
import { SCOPE_DAYS_MAX } from "@cidadao/domain/investigation";
import type { OpenedSource } from "@cidadao/sources/define-source";
import { katanaScan } from "@cidadao/sources/katana-scan/source";
import { ingestThroughPauses } from "./ingest-through-pauses.ts";
import { localDay } from "./local-day.ts";
import type { ReportProgress } from "./run-scheduled.ts";
import { investigateTriggers, screenContracts, type ScreeningContext } from "./screen-contracts.ts";

/** A worker waits no longer for the feed; the next run reads all of it again. */
const PAUSE_SECONDS_MAX = 120;

/**
 * Stores the direct awards of Katana Scan and screens each new one by the opening rule. Those with points enough open one
 * investigation an agency, over the stored awards of that agency. The feed is one answer with everything, so a run after a
 * gap leaves nothing out. `katana` is `null` where the feed is not configured: the run says so.
 */
export async function watchDirectAwards(
  context: ScreeningContext & { katana: OpenedSource | null },
  input: { slot: Timestamp },
  signal: AbortSignal,
  report: ReportProgress,
): Promise<Record<string, unknown>> {
  const { store, katana } = context;
  if (katana === null) return { off: "KATANA_URL and KATANA_TOKEN are not set, or SOURCES leaves Katana Scan out" };
  const source = katanaScan.id;
  const to = localDay(new Date(input.slot));
  const scope = { from: addDays(to, -SCOPE_DAYS_MAX), to };
  const { missing, ...counts } = await ingestThroughPauses(
    { store },
    {
      source: katanaScan,
      opened: katana,
      resource: "awards",
      scope: { ...scope, agency: null },
      resume: true,
      pauseSecondsMax: PAUSE_SECONDS_MAX,
      onPause: (why, seconds) => void report({ message: `${why}; espera de ${seconds} s` }).catch(() => {}),
    },
    signal,
  );
  if (missing.length > 0) throw new Error(missing.map(({ what, why }) => `${what}: ${why}`).join("; "));
  const contracts = await loadContracts(store, source, scope, signal);
  const { triggers, counts: screened } = await screenContracts(context, { source, contracts, to }, signal);
  const asked = {
    source,
    name: "katana-monitor",
    what: "Dispensas novas",
    triggers,
    scope: { ...scope, storedSource: source },
  };
  return { ...counts, ...screened, ...(await investigateTriggers(context, asked, signal)) };
}
