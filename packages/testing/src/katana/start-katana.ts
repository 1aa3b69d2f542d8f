import type { FaultPlan } from "../portal/faults.ts";
import { htmlReply, jsonReply, type RecordedServer, startRecordedServer } from "../recorded-server.ts";

export type KatanaServer = Omit<RecordedServer, "origin"> & { url: string };

/** Katana Scan on the loopback interface. Any other token than `token` is refused. */
export async function startKatana(options: {
  token: string;
  /** The answer of `/get-all`, whatever it is. */
  all: unknown;
  faults?: FaultPlan;
}): Promise<KatanaServer> {
  const { origin, ...server } = await startRecordedServer({
    pathBelow: (pathname) => (["/get-all", "/health"].includes(pathname) ? pathname : null),
    answer: ({ request, path }) => {
      if (request.headers.authorization !== `Bearer ${options.token}`) return jsonReply(401, '{"error":"token"}');
      return jsonReply(200, path === "/health" ? '{"status":"ok"}' : JSON.stringify(options.all));
    },
    refusals: {
      rateLimited: () => htmlReply(429, "<h1>429</h1>"),
      keyInvalid: () => jsonReply(401, '{"error":"token"}'),
      forbidden: () => htmlReply(404, "<h1>404</h1>"),
      broken: (status) => htmlReply(status, "<h1>error</h1>"),
    },
    ...(options.faults ? { faults: options.faults } : {}),
  });
  return { ...server, url: origin() };
}
