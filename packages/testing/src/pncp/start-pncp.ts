import {
  type Asked,
  htmlReply,
  jsonReply,
  type RecordedServer,
  type Reply,
  startRecordedServer,
} from "../recorded-server.ts";
import { driftRows, type FaultPlan, pageAsked } from "../portal/faults.ts";
import type { LoggedRequest } from "../portal/request-log.ts";
import type { PncpRecord, PncpRecords } from "./records.ts";

export type PncpServer = Omit<RecordedServer, "origin"> & {
  /** Base address of the consulta API, without /v1. */
  consultaUrl: string;
  /** Base address of the detail API, without /v1. */
  detailUrl: string;
  /** What is published from now on. */
  setRecords: (records: PncpRecords) => void;
};

export type PncpServerOptions = {
  records: PncpRecords;
  /** Above it the page size is refused, as it is for some lists on some days. */
  pageRowsMax?: number;
  /** The label that marks its answers as a sample. */
  sample?: string;
  /** Told of each request before it is answered. */
  onRequest?: (request: LoggedRequest) => void;
  port?: number;
  faults?: FaultPlan;
};

const CONSULTA = "/api/consulta/v1";
const DETAIL = "/api/pncp/v1";
const TENDER_ROWS_MAX = 50;
const ROWS_MIN = 10;
const METHOD_MAX = 14;
const DAYS_MAX = 365;

/** The PNCP on the loopback interface: its envelope, its limits, its ways to say no, and, when asked, its faults. */
export async function startPncp(options: PncpServerOptions): Promise<PncpServer> {
  const { pageRowsMax = 500 } = options;
  let { records } = options;
  const headers: Record<string, string> = options.sample
    ? { "x-cidadao-sample": encodeURIComponent(options.sample) }
    : {};
  const { origin, ...server } = await startRecordedServer({
    pathBelow: (pathname) => (pathname.startsWith(CONSULTA) || pathname.startsWith(DETAIL) ? pathname : null),
    answer: (asked) => {
      const base = asked.path.startsWith(CONSULTA) ? CONSULTA : DETAIL;
      const isList = base === CONSULTA && !asked.path.startsWith(`${CONSULTA}/orgaos/`);
      const reply = isList ? answerList(records, pageRowsMax, asked) : answerDetail(records, base, asked);
      return { ...reply, headers: { ...reply.headers, ...headers } };
    },
    refusals: {
      rateLimited: () =>
        htmlReply(429, "<title>Limite de Requisições Excedido</title><h1>Limite de Requisições Excedido</h1>"),
      keyInvalid: () => refusal(403, "Acesso negado"),
      forbidden: () => htmlReply(403, "<title>403 Forbidden</title>"),
      // Recorded: a JSON content type over a plain text.
      broken: (status) => jsonReply(status, "Erro na comunicação com o banco de dados."),
    },
    ...(options.onRequest ? { onRequest: options.onRequest } : {}),
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.faults ? { faults: options.faults } : {}),
  });
  return {
    ...server,
    consultaUrl: `${origin()}/api/consulta`,
    detailUrl: `${origin()}/api/pncp`,
    setRecords: (next) => {
      records = next;
    },
  };
}

function answerList(records: PncpRecords, pageRowsMax: number, { path, params, fault }: Asked): Reply {
  const list = path.slice(CONSULTA.length);
  const isTenders = list === "/contratacoes/publicacao" || list === "/contratacoes/atualizacao";
  const rows = isTenders ? records.tenders : listOf(records, list);
  if (rows === null) return refusal(404, `No endpoint GET ${path}.`);
  const [from, to] = [dayOf(params.get("dataInicial")), dayOf(params.get("dataFinal"))];
  if (from === null || to === null) return refusal(400, "Required request parameter 'dataInicial' is not present");
  if (Date.parse(to) - Date.parse(from) > DAYS_MAX * 86_400_000)
    return refusal(422, "Período inicial e final maior que 365 dias.");
  const method = params.get("codigoModalidadeContratacao");
  if (isTenders && method === null)
    return refusal(400, "Required request parameter 'codigoModalidadeContratacao' is not present");
  if (isTenders && Number(method) > METHOD_MAX) return refusal(422, "Código da modalidade de contratação inválido.");
  const size = Number(params.get("tamanhoPagina") ?? ROWS_MIN);
  if (size < ROWS_MIN || size > Math.min(pageRowsMax, isTenders ? TENDER_ROWS_MAX : pageRowsMax))
    return refusal(400, "Tamanho de página inválido");
  const page = Number(params.get("pagina"));
  if (!Number.isInteger(page) || page < 1) return refusal(400, "Required request parameter 'pagina' is not present");

  const cnpj = params.get("cnpjOrgao") ?? params.get("cnpj");
  const [state, municipality] = [params.get("uf"), params.get("codigoMunicipioIbge")];
  const isThere = (json: string) =>
    (state === null || json.includes(`"ufSigla":"${state}"`)) &&
    (municipality === null || json.includes(`"codigoIbge":"${municipality}"`));
  const found = rows.filter(
    (row) =>
      row.day >= from &&
      row.day <= to &&
      (cnpj === null || row.cnpj === cnpj) &&
      (!isTenders || (row.method === Number(method) && isThere(row.json))),
  );
  if (found.length === 0) return { status: 204, headers: {}, body: "" };
  const pages = Math.ceil(found.length / size);
  if (page > pages) return refusal(400, "Página inválida");
  const start = pageAsked(fault, page, size);
  const shown = found.slice(start, start + size).map((row) => row.json);
  const drifted = fault ? driftRows(shown, fault) : shown;
  const rest = {
    totalRegistros: found.length,
    totalPaginas: pages,
    numeroPagina: page,
    paginasRestantes: pages - page,
  };
  if (fault?.kind === "envelope") return jsonReply(200, `[${drifted.join(",")}]`);
  return jsonReply(200, `{"data":[${drifted.join(",")}],${JSON.stringify({ ...rest, empty: false }).slice(1)}`);
}

function listOf(records: PncpRecords, list: string): PncpRecord[] | null {
  if (list === "/contratos" || list === "/contratos/atualizacao") return records.contracts;
  return list === "/atas/atualizacao" ? records.priceRegistrations : null;
}

function answerDetail(records: PncpRecords, base: string, { path, params, fault }: Asked): Reply {
  const rows = records.details[path.slice(base.length)];
  if (!rows) return refusal(404, "Nenhum registro encontrado.");
  if (!Array.isArray(rows)) return jsonReply(200, JSON.stringify(rows));
  const [page, size] = [Number(params.get("pagina") ?? 1), Number(params.get("tamanhoPagina") ?? rows.length)];
  const shown = rows.slice((page - 1) * size, page * size).map((row) => JSON.stringify(row));
  return jsonReply(200, `[${(fault ? driftRows(shown, fault) : shown).join(",")}]`);
}

function dayOf(text: string | null): string | null {
  return text && /^\d{8}$/.test(text) ? `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}` : null;
}

function refusal(status: number, message: string): Reply {
  return jsonReply(status, JSON.stringify({ message, status, timestamp: "2025-07-17T23:09:25.765-03:00" }));
}
