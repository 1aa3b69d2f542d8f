import { z } from "zod";
import type { Answer } from "../define-source.ts";
import { ask, type Backoff, type Door, invalid, openDoor, type Outbound } from "../outbound.ts";

export const QUERIDO_DIARIO = "querido-diario";
const PAGE_ROWS = 100;
const CALLS_AT_ONCE = 2;

export type QueridoDiarioContext = { door: Door };

export function createQueridoDiarioContext(options: {
  outbound: Outbound;
  baseUrl: string;
  perMinute: number;
  timeoutMs: number;
  backoff?: Backoff;
}): QueridoDiarioContext {
  const { outbound, baseUrl, perMinute, timeoutMs } = options;
  return {
    door: openDoor(outbound, {
      source: QUERIDO_DIARIO,
      name: "Querido Diário",
      baseUrl,
      rate: { perMinute },
      callsAtOnce: CALLS_AT_ONCE,
      timeouts: { headersMs: timeoutMs, bodyMs: timeoutMs, totalMs: timeoutMs },
      ...(options.backoff ? { backoff: options.backoff } : {}),
    }),
  };
}

const envelope = z.object({ total_gazettes: z.number().int().nonnegative(), gazettes: z.array(z.unknown()) });

export type SearchAnswer = Answer & { total: number };

/** The answers to one search, in the order of the source, until `rowsMax` rows or all that there are. */
export async function* askSearch(
  { door }: QueridoDiarioContext,
  question: { params: Record<string, string>; rowsMax: number },
  signal: AbortSignal,
): AsyncGenerator<SearchAnswer, void, void> {
  const { params, rowsMax } = question;
  for (let offset = 0; offset < rowsMax;) {
    const size = Math.min(PAGE_ROWS, rowsMax - offset);
    const asked = { path: "/gazettes", params: { ...params, offset, size } };
    const { body, ...answered } = await ask(door, asked, signal, (found) => {
      if (!envelope.safeParse(found).success) throw invalid(door, "não respondeu uma lista de diários");
    });
    const { gazettes: rows, total_gazettes: total } = envelope.parse(body);
    offset += rows.length;
    const isLast = rows.length === 0 || offset >= Math.min(total, rowsMax);
    if (rows.length === 0 && offset < Math.min(total, rowsMax)) {
      throw invalid(door, `anunciou ${total} diários e parou depois de ${offset}`);
    }
    yield { ...answered, rows, total, next: isLast ? null : { offset } };
    if (isLast) return;
  }
}
