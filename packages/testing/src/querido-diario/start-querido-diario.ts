import type { FaultPlan } from "../portal/faults.ts";
import { htmlReply, jsonReply, type RecordedServer, startRecordedServer } from "../recorded-server.ts";

export type QueridoDiarioServer = Omit<RecordedServer, "origin"> & { url: string };

const ROWS_MAX = 100;

/** The search of Querido Diário on the loopback interface: it finds the editions of the days and places asked for. */
export async function startQueridoDiario(options: {
  gazettes: Record<string, unknown>[];
  faults?: FaultPlan;
}): Promise<QueridoDiarioServer> {
  const { origin, ...server } = await startRecordedServer({
    pathBelow: (pathname) => (pathname === "/gazettes" ? pathname : null),
    answer: ({ params }) => {
      const [since, until] = [params.get("published_since") ?? "", params.get("published_until") ?? "~"];
      const places = params.get("territory_ids")?.split(",") ?? null;
      const found = options.gazettes.filter(
        ({ date, territory_id }) =>
          String(date) >= since && String(date) <= until && (places?.includes(String(territory_id)) ?? true),
      );
      const [offset, size] = [Number(params.get("offset") ?? 0), Number(params.get("size") ?? 10)];
      if (size > ROWS_MAX) return jsonReply(422, '{"detail":[{"loc":["query","size"]}]}');
      const shown = found.slice(offset, offset + size);
      return jsonReply(200, JSON.stringify({ total_gazettes: found.length, gazettes: shown }));
    },
    refusals: {
      rateLimited: () => htmlReply(429, "<h1>429</h1>"),
      keyInvalid: () => htmlReply(403, "<h1>403</h1>"),
      forbidden: () => jsonReply(404, '{"detail":"Not Found"}'),
      broken: (status) => htmlReply(status, "<h1>error</h1>"),
    },
    ...(options.faults ? { faults: options.faults } : {}),
  });
  return { ...server, url: origin() };
}
