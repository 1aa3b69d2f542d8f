import type { Answer } from "../define-source.ts";
import { ask, type Backoff, type Door, invalid, openDoor, type Outbound } from "../outbound.ts";

export const KATANA = "katana-scan";
const TIMEOUT_MS = 30_000;
const REFUSED_PAUSE_SECONDS = 6 * 3_600;

export type KatanaContext = { door: Door };

export function createKatanaContext(options: {
  outbound: Outbound;
  baseUrl: string;
  token: string;
  perMinute: number;
  backoff?: Backoff;
}): KatanaContext {
  const { outbound, baseUrl, token, perMinute } = options;
  return {
    door: openDoor(outbound, {
      source: KATANA,
      name: "Katana Scan",
      baseUrl,
      rate: { perMinute },
      callsAtOnce: 1,
      headers: { authorization: `Bearer ${token}` },
      secrets: [token],
      timeouts: { headersMs: TIMEOUT_MS, bodyMs: TIMEOUT_MS, totalMs: TIMEOUT_MS },
      judge: ({ status }) =>
        status === 401 || status === 403
          ? { code: "source_refused", retry: false, pauseSeconds: REFUSED_PAUSE_SECONDS, why: "O token foi recusado" }
          : null,
      ...(options.backoff ? { backoff: options.backoff } : {}),
    }),
  };
}

/** All that the feed has, in one answer: a list, or a list in an envelope. */
export async function askAll({ door }: KatanaContext, signal: AbortSignal): Promise<Answer> {
  const { body, ...answered } = await ask(door, { path: "/get-all", params: {} }, signal, (found) => {
    if (rowsIn(found) === null) throw invalid(door, "não respondeu uma lista");
  });
  return { ...answered, rows: rowsIn(body) ?? [], next: null };
}

function rowsIn(body: unknown): unknown[] | null {
  if (Array.isArray(body)) return body;
  const data = typeof body === "object" && body !== null && "data" in body ? body.data : null;
  return Array.isArray(data) ? data : null;
}
