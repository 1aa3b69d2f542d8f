import type { FaultPlan } from "../portal/faults.ts";
import { driftRows, pageAsked } from "../portal/faults.ts";
import { htmlReply, jsonReply, type RecordedServer, startRecordedServer } from "../recorded-server.ts";

export type ComprasgovServer = Omit<RecordedServer, "origin"> & { url: string };

export type ComprasgovServerOptions = {
  /** Rows of the list of contracts, as they are sent. */
  contracts: Record<string, unknown>[];
  /** Rows of the price bank. */
  prices?: Record<string, unknown>[];
  /** Whole lists of contratos.comprasnet, by path. */
  lists: Record<string, unknown[]>;
  faults?: FaultPlan;
};

const CONTRACTS = "/modulo-contratos/1_consultarContratos";
const PRICES = "/modulo-pesquisa-preco/";
const ROWS_MIN = 10;
const ROWS_MAX = 500;

/** Both APIs of Compras.gov.br's contracts on the loopback interface, at one address. */
export async function startComprasgov(options: ComprasgovServerOptions): Promise<ComprasgovServer> {
  const { origin, ...server } = await startRecordedServer({
    pathBelow: (pathname) => pathname,
    answer: ({ path, params, fault }) => {
      const isPrices = path.startsWith(PRICES);
      if (path !== CONTRACTS && !isPrices) return jsonReply(200, JSON.stringify(options.lists[path] ?? []));
      const names = isPrices
        ? ["dataCompraInicio", "dataCompraFim"]
        : ["dataVigenciaInicialMin", "dataVigenciaInicialMax"];
      const [from, to] = names.map((name) => params.get(name));
      if (from == null || to == null) return jsonReply(400, `{"message":"${names[0]} é obrigatório"}`);
      const [page, size] = [Number(params.get("pagina") ?? 1), Number(params.get("tamanhoPagina") ?? ROWS_MIN)];
      if (size < ROWS_MIN || size > ROWS_MAX) return jsonReply(400, '{"message":"tamanhoPagina inválido"}');
      const agency = params.get("codigoOrgao");
      const item = params.get("codigoItemCatalogo");
      const found = isPrices
        ? (options.prices ?? []).filter(
            ({ dataCompra: day, codigoItemCatalogo }) =>
              String(day) >= from && String(day) <= to && String(codigoItemCatalogo) === item,
          )
        : options.contracts.filter(
            ({ dataVigenciaInicial: start, codigoOrgao }) =>
              String(start) >= from && String(start) <= to && (agency === null || codigoOrgao === agency),
          );
      const start = pageAsked(fault, page, size);
      const rows = found.slice(start, start + size).map((row) => JSON.stringify(row));
      const pages = Math.ceil(found.length / size);
      const left = Math.max(0, pages - page);
      const sent = fault ? driftRows(rows, fault) : rows;
      return jsonReply(
        200,
        `{"resultado":[${sent.join(",")}],"totalRegistros":${found.length},"totalPaginas":${pages},"paginasRestantes":${left}}`,
      );
    },
    refusals: {
      rateLimited: () => jsonReply(429, '{"message":"Too Many Requests"}'),
      keyInvalid: () => jsonReply(401, "{}"),
      forbidden: () => htmlReply(403, "<title>403 Forbidden</title>"),
      broken: (status) => jsonReply(status, '{"message":"Internal Server Error"}'),
    },
    ...(options.faults ? { faults: options.faults } : {}),
  });
  return { ...server, url: origin() };
}
