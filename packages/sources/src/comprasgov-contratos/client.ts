import type { CacheParams } from "@cidadao/runtime/response-cache";
import { z } from "zod";
import type { Answer, Position } from "../define-source.ts";
import { ask, type Backoff, digestOf, type Door, invalid, openDoor, type Outbound } from "../outbound.ts";

const PAGE_ROWS = 500;
/** Ten million rows. */
const PAGES_MAX = 20_000;
const CALLS_AT_ONCE = 2;
/** A unit's whole list comes in one answer, after up to fifty seconds of silence. */
const WHOLE_LIST_TIMES = 3;
const BYTES_MAX = 64 * 1024 * 1024;

export type ComprasgovOptions = {
  outbound: Outbound;
  openDataUrl: string;
  contratosUrl: string;
  perMinute: number;
  timeoutMs: number;
  backoff?: Backoff;
};

export type ComprasgovContext = { openData: Door; contratos: Door; timeoutMs: number };

export function createComprasgovContext(options: ComprasgovOptions): ComprasgovContext {
  const { outbound, perMinute, timeoutMs, backoff } = options;
  const door = (source: string, name: string, baseUrl: string) =>
    openDoor(outbound, {
      source,
      name,
      baseUrl,
      rate: { perMinute },
      callsAtOnce: CALLS_AT_ONCE,
      timeouts: { headersMs: timeoutMs, bodyMs: timeoutMs, totalMs: timeoutMs },
      bytesMax: BYTES_MAX,
      ...(backoff ? { backoff } : {}),
    });
  return {
    openData: door("comprasgov", "Compras.gov.br", options.openDataUrl),
    contratos: door("comprasnet-contratos", "contratos.comprasnet", options.contratosUrl),
    timeoutMs,
  };
}

const envelope = z.object({
  resultado: z.array(z.unknown()),
  totalRegistros: z.number().int().min(0),
  paginasRestantes: z.number().int(),
});

/** Every page of a list of the open data, in order. */
export async function* askAllPages(
  { openData: door }: ComprasgovContext,
  { path, params }: { path: string; params: CacheParams },
  from: Position | null,
  signal: AbortSignal,
): AsyncGenerator<Answer, void, void> {
  let previous = "";
  let rowsSeen = Number(from?.["rows"] ?? 0);
  for (let page = Number(from?.["page"] ?? 1); page <= PAGES_MAX; page++) {
    const asked = { path, params: { ...params, pagina: page, tamanhoPagina: PAGE_ROWS } };
    const { body, ...answered } = await ask(door, asked, signal, (found, text) => {
      if (found === null) return;
      if (!envelope.safeParse(found).success) throw invalid(door, `${path} não respondeu uma página de uma lista`);
      const digest = digestOf(text.replace(/"paginasRestantes":\d+,?/g, ""));
      if (digest === previous && text.includes("{", 1)) {
        throw invalid(door, `${path} repetiu na página ${page} a página anterior`);
      }
      previous = digest;
    });
    if (body === null) return;
    const { resultado, totalRegistros, paginasRestantes } = envelope.parse(body);
    rowsSeen += resultado.length;
    const isLast = resultado.length === 0 || paginasRestantes <= 0;
    if (resultado.length > 0) {
      yield { ...answered, rows: resultado, next: isLast ? null : { page: page + 1, rows: rowsSeen } };
    }
    if (!isLast) continue;
    if (rowsSeen < totalRegistros)
      throw invalid(door, `${path} anunciou ${totalRegistros} registros e deu ${rowsSeen}`);
    return;
  }
  throw invalid(door, `${path} passou do limite de ${PAGES_MAX} páginas; nada além delas foi lido`);
}

/** A list of contratos.comprasnet, which comes whole. */
export async function askWhole(
  { contratos: door, timeoutMs }: ComprasgovContext,
  path: string,
  signal: AbortSignal,
): Promise<Answer> {
  const whole = timeoutMs * WHOLE_LIST_TIMES;
  const timeouts = { headersMs: whole, bodyMs: timeoutMs, totalMs: whole };
  const { body, ...answered } = await ask(door, { path, params: {}, timeouts }, signal, (found) => {
    if (found !== null && !Array.isArray(found)) throw invalid(door, `${path} não respondeu uma lista`);
  });
  return { ...answered, rows: (body ?? []) as unknown[], next: null };
}
