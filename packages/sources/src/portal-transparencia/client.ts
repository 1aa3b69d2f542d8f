import { AppError } from "@cidadao/runtime/errors";
import type { HttpTimeouts } from "@cidadao/runtime/http-client";
import type { CacheParams } from "@cidadao/runtime/response-cache";
import type { Answer, Position } from "../define-source.ts";
import { ask, type Backoff, digestOf, type Door, invalid, openDoor, type Outbound, type Rate } from "../outbound.ts";

export const SOURCE_ID = "portal-transparencia";

/** The portal gives 15 rows a page and has no parameter to change it. */
export const PAGE_ROWS = 15;
/** 150,000 rows: several times the largest list (CEIS, 23,700 rows in 2026) and the largest agency. */
const PAGES_MAX = 10_000;
/** The portal suspends a key for 8 hours; asking again meanwhile only prolongs it. */
const KEY_PAUSE_SECONDS = 8 * 3_600;
const CALLS_AT_ONCE = 16;

export type PortalOptions = {
  outbound: Outbound;
  /** Up to and including "/api-de-dados". */
  baseUrl: string;
  apiKey: string;
  rate: Rate;
  timeouts?: Partial<HttpTimeouts>;
  backoff?: Backoff;
  /** How long the key rests after the portal refused it. */
  keyPauseSeconds?: number;
  pagesMax?: number;
};

export type PortalContext = { door: Door; pagesMax: number };

export function createPortalContext(options: PortalOptions): PortalContext {
  const { outbound, baseUrl, apiKey, rate, keyPauseSeconds = KEY_PAUSE_SECONDS } = options;
  const door = openDoor(outbound, {
    source: SOURCE_ID,
    name: "Portal da Transparência",
    baseUrl,
    rate,
    callsAtOnce: CALLS_AT_ONCE,
    headers: { "chave-api-dados": apiKey },
    secrets: [apiKey],
    judge: ({ status }) =>
      status === 401 || status === 403
        ? {
            code: "source_refused",
            retry: false,
            pauseSeconds: keyPauseSeconds,
            why: "A chave foi recusada ou suspensa",
          }
        : null,
    ...(options.timeouts ? { timeouts: options.timeouts } : {}),
    ...(options.backoff ? { backoff: options.backoff } : {}),
  });
  return { door, pagesMax: options.pagesMax ?? PAGES_MAX };
}

/** `emptyToo`: a list that holds nothing is told, as one empty page: whether it is a recorded one is in its headers. */
type Question = { path: string; params: CacheParams; emptyToo?: boolean };

/** Every page of a list from `from` on, in order. Ends at an empty page or at one that is not full. */
export async function* askAllPages(
  context: PortalContext,
  question: Question,
  from: Position | null,
  signal: AbortSignal,
): AsyncGenerator<Answer, void, void> {
  const { door, pagesMax } = context;
  // Kept with the position, so that whoever goes on notices a page that was given before.
  const seen = new Set<string>(from?.["previous"] ? [String(from["previous"])] : []);
  let previous = "";
  for (let page = Number(from?.["page"] ?? 1); page <= pagesMax; page++) {
    const asked = { path: question.path, params: { ...question.params, pagina: page } };
    const answer = await askRows(context, asked, signal, (text) => {
      const digest = digestOf(text);
      if (seen.has(digest)) throw invalid(door, `${question.path} repetiu na página ${page} uma página anterior`);
      seen.add(digest);
      previous = digest;
    });
    // The portal fills every page but the last, so a short page spares the request that would only bring `[]`.
    const isLast = answer.rows.length < PAGE_ROWS;
    if (answer.rows.length > 0 || (question.emptyToo && page === 1))
      yield { ...answer, next: isLast ? null : { page: page + 1, previous } };
    if (isLast) return;
  }
  throw invalid(door, `${question.path} passou do limite de ${pagesMax} páginas; nada além delas foi lido`);
}

/** One question whose answer is a list. */
export async function askRows(
  context: PortalContext,
  question: Question,
  signal: AbortSignal,
  inspect: (text: string) => void = () => {},
): Promise<Answer> {
  const { door } = context;
  const { body, ...answered } = await ask(door, question, signal, (found, text) => {
    if (!Array.isArray(found)) throw invalid(door, `${question.path} não respondeu uma lista`);
    if (found.length > 0) inspect(text);
  });
  return { rows: body as unknown[], next: null, ...answered };
}

/** Whether the portal may have a contract with this id. */
export function isContractId(text: string): boolean {
  return /^\d{1,12}$/.test(text);
}

export function contractIdOf(text: string): string {
  if (!isContractId(text)) throw new AppError("invalid_request", "a contract id of the portal is a number");
  return text;
}
