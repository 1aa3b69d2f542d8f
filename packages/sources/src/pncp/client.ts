import { AppError } from "@cidadao/runtime/errors";
import type { HttpResponse } from "@cidadao/runtime/http-client";
import type { CacheParams } from "@cidadao/runtime/response-cache";
import { z } from "zod";
import type { Answer, Position } from "../define-source.ts";
import {
  type Answered,
  ask,
  type Backoff,
  digestOf,
  type Door,
  invalid,
  openDoor,
  type Outbound,
  type Verdict,
} from "../outbound.ts";
import { PNCP } from "./buyer.ts";

/** What every list takes; more is accepted by some, on some days. */
export const PAGE_ROWS_SAFE = 50;
/** A million rows: a hundred times a busy day. */
const PAGES_MAX = 20_000;
/** One call at a time: the PNCP refuses one in twenty at one a second. */
const CALLS_AT_ONCE = 1;
/** It names no time when it refuses for the rate. */
const PAUSE_SECONDS = 60;
const BACKOFF: Backoff = { baseMs: 4_000, maxMs: 30_000 };
const TRIES_MAX = 4;

export type PncpOptions = {
  outbound: Outbound;
  /** Both without "/v1". */
  consultaUrl: string;
  detailUrl: string;
  perMinute: number;
  timeoutMs: number;
  pageRows: number;
  backoff?: Backoff;
};

export type PncpContext = {
  consulta: Door;
  detail: Door;
  pageRows: number;
  /** Paths that refused `pageRows`; they are asked for `PAGE_ROWS_SAFE` from then on. */
  smallPages: Set<string>;
};

export function createPncpContext(options: PncpOptions): PncpContext {
  const { outbound, timeoutMs } = options;
  const door = (baseUrl: string) =>
    openDoor(outbound, {
      source: PNCP,
      name: "PNCP",
      baseUrl: `${baseUrl}/v1`,
      rate: { perMinute: options.perMinute },
      callsAtOnce: CALLS_AT_ONCE,
      timeouts: { headersMs: timeoutMs, bodyMs: timeoutMs, totalMs: timeoutMs },
      backoff: options.backoff ?? BACKOFF,
      triesMax: TRIES_MAX,
      pauseSeconds: PAUSE_SECONDS,
      judge,
    });
  return {
    consulta: door(options.consultaUrl),
    detail: door(options.detailUrl),
    pageRows: options.pageRows,
    smallPages: new Set(),
  };
}

/** A 404 that says in JSON that nothing was found is an answer; any other is a wrong address. */
function judge({ status, text }: HttpResponse): Verdict | null {
  return status === 404 && /"message"\s*:\s*"Nenhum/i.test(text) ? "nothing" : null;
}

type Question = { path: string; params: CacheParams };

const envelope = z.object({
  data: z.array(z.unknown()),
  totalRegistros: z.number().int().min(0),
  totalPaginas: z.number().int().min(0),
  paginasRestantes: z.number().int(),
});

/** Every page of a consulta list, in order, until it says that none is left. */
export async function* askAllPages(
  context: PncpContext,
  question: Question & { pageRowsMax?: number },
  from: Position | null,
  signal: AbortSignal,
): AsyncGenerator<Answer, void, void> {
  const door = context.consulta;
  const { path } = question;
  let size = Number(from?.["size"] ?? firstSize(context, question));
  let page = Number(from?.["page"] ?? 1);
  let rowsSeen = Number(from?.["rows"] ?? 0);
  let total = 0;
  // Kept with the position: a page may be repeated to the process that goes on, too.
  let previous = String(from?.["previous"] ?? "");
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const asked = { path, params: { ...question.params, pagina: page, tamanhoPagina: size } };
    let answered: Answered;
    try {
      answered = await ask(door, asked, signal, (body, text) => {
        if (body === null) return;
        if (!envelope.safeParse(body).success) throw invalid(door, `${path} não respondeu uma página de uma lista`);
        const digest = digestOf(text.replace(/"(?:numeroPagina|paginasRestantes)":\d+,?/g, ""));
        if (digest === previous) throw invalid(door, `${path} repetiu na página ${page} a página anterior`);
        previous = digest;
      });
    } catch (error) {
      if (size > PAGE_ROWS_SAFE && refusesPageSize(error)) {
        context.smallPages.add(path);
        page = Math.floor(((page - 1) * size) / PAGE_ROWS_SAFE) + 1;
        size = PAGE_ROWS_SAFE;
        continue;
      }
      throw error;
    }
    if (answered.body === null) return complainIfShort(door, path, rowsSeen, total);
    const { data, totalRegistros, paginasRestantes } = envelope.parse(answered.body);
    rowsSeen += data.length;
    total = totalRegistros;
    const isLast = data.length === 0 || paginasRestantes <= 0;
    const { body: _body, ...rest } = answered;
    const next = isLast ? null : { page: page + 1, size, rows: rowsSeen, previous };
    if (data.length > 0) yield { ...rest, rows: data, next };
    if (isLast) return complainIfShort(door, path, rowsSeen, total);
    page++;
  }
  throw invalid(door, `${path} passou do limite de ${PAGES_MAX} páginas; nada além delas foi lido`);
}

function firstSize(context: PncpContext, question: Question & { pageRowsMax?: number }): number {
  if (context.smallPages.has(question.path)) return PAGE_ROWS_SAFE;
  return Math.min(context.pageRows, question.pageRowsMax ?? context.pageRows);
}

function refusesPageSize(error: unknown): boolean {
  return error instanceof AppError && error.code === "source_refused" && /tamanho de p[aá]gina/i.test(error.message);
}

function complainIfShort(door: Door, path: string, rows: number, total: number): void {
  if (rows < total) throw invalid(door, `${path} anunciou ${total} registros e deu ${rows}`);
}

const DETAIL_ROWS = 100;
const DETAIL_PAGES_MAX = 100;

/** Every page of a bare list: items, results, terms. */
export async function* askDetails(context: PncpContext, path: string, signal: AbortSignal): AsyncGenerator<Answer> {
  const door = context.detail;
  const seen = new Set<string>();
  for (let page = 1; page <= DETAIL_PAGES_MAX; page++) {
    const asked = { path, params: { pagina: page, tamanhoPagina: DETAIL_ROWS } };
    const { body, ...answered } = await ask(door, asked, signal, (found) => {
      if (found !== null && !Array.isArray(found)) throw invalid(door, `${path} não respondeu uma lista`);
    });
    const rows = (body ?? []) as unknown[];
    // Some of these lists know no pages and send all of themselves for each.
    const fresh = rows.filter((row) => !seen.has(digestOf(JSON.stringify(row))));
    for (const row of fresh) seen.add(digestOf(JSON.stringify(row)));
    const isLast = rows.length < DETAIL_ROWS || fresh.length === 0;
    if (fresh.length > 0) yield { ...answered, rows: fresh, next: isLast ? null : { page: page + 1 } };
    if (isLast) return;
  }
  throw invalid(door, `${path} passou do limite de ${DETAIL_PAGES_MAX} páginas; nada além delas foi lido`);
}
