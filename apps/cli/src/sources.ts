import { lastCompleteRun } from "@cidadao/database/ingest-runs";
import { sources } from "@cidadao/sources/registry";
import Table from "cli-table3";
import type { Command } from "./command.ts";
import { openOutbound } from "./open-outbound.ts";

export const sourcesCommand: Command = {
  usage: "sources",
  summary: "Lists the sources: on, off or left alone for now, when each was last read whole, calls left this minute",
  run: async (_args, { environment, write, signal }) => {
    await using open = new AsyncDisposableStack();
    const { store, limits } = await openOutbound(environment, open);
    const table = new Table({ head: ["source", "state", "last read whole", "calls left this minute"] });
    for (const source of sources) {
      const missing = source.missing(environment);
      const pause = await limits.pauses.get(source.id);
      const isPaused = pause !== null && pause.untilMs > Date.now();
      const state =
        missing.length > 0
          ? `off: ${missing.join(", ")} is not set`
          : isPaused
            ? `left alone until ${new Date(pause.untilMs).toISOString()}: ${pause.reason}`
            : "on";
      const last = await lastCompleteRun(store, source.id, null, signal);
      const limit = Number(source.config.shape[source.perMinute]?.parse(environment[source.perMinute]));
      const used = await limits.usedThisMinute(source.id);
      const left = used === null ? `${limit} (not shared: no Redis)` : `${Math.max(0, limit - used)} of ${limit}`;
      table.push([source.id, state, last?.finishedAt ?? "never", left]);
    }
    write(table.toString());
    return 0;
  },
};
