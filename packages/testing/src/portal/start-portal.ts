import { gzipSync } from "node:zlib";
import type { RequestLog } from "./request-log.ts";
import { type Asked, htmlReply, jsonReply, type Reply, startRecordedServer } from "../recorded-server.ts";
import { driftRows, type FaultPlan, pageAsked } from "./faults.ts";
import { digitsOf, isoDate, openSample, type Sample } from "./sample.ts";

export type PortalServer = AsyncDisposable & {
  /** Base address, up to and including "/api-de-dados". */
  url: string;
  requests: RequestLog;
  /** Replaces the plan; counts start again. Resolves when the port listens, or no longer does. */
  setFaults(plan: FaultPlan): Promise<void>;
  /** CSV rows left out because they could not be read. */
  skippedRows(): number;
  stop(): Promise<void>;
};

export type PortalServerOptions = {
  /** The folder with portal-compras-202401/ and sancoes/. */
  dataFolder: string;
  /** Any other key is refused. */
  apiKey: string;
  /** 0 or left out: any free port. */
  port?: number;
  faults?: FaultPlan;
  /** Rows of paths of which nothing is recorded, by path; without them, these paths know of nothing. */
  unrecorded?: Record<string, unknown[]>;
};

const BASE = "/api-de-dados";
const PAGE_ROWS = 15;

/**
 * The Portal da Transparência API on the loopback interface, answering from the recorded sample in the portal's own
 * form: bare lists of 15, its error bodies and charsets, and, when asked, its faults.
 */
export async function startPortal(options: PortalServerOptions): Promise<PortalServer> {
  const sample = openSample(options.dataFolder);
  const server = await startRecordedServer({
    pathBelow: (pathname) => (pathname.startsWith(BASE) ? pathname.slice(BASE.length) : null),
    answer: (asked) => answer({ sample, unrecorded: options.unrecorded ?? {} }, options.apiKey, asked),
    refusals: {
      rateLimited: () => portalError(429, "Limite de requisições excedido"),
      keyInvalid,
      forbidden,
      broken: portalError,
    },
    status: () => ({ skippedRows: sample.skippedRows() }),
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.faults ? { faults: options.faults } : {}),
  });
  return { ...server, url: `${server.origin()}${BASE}`, skippedRows: () => sample.skippedRows() };
}

type Kept = { sample: Sample; unrecorded: Record<string, unknown[]> };

function answer(kept: Kept, apiKey: string, asked: Asked): Reply {
  const { request, path, params, fault } = asked;
  const key = request.headers["chave-api-dados"];
  if (!key) return keyMissing();
  if (key !== apiKey) return keyInvalid();
  if (request.method !== "GET") return forbidden();
  const found = rowsFor(kept, path, params);
  if (found === null) return forbidden();
  if (typeof found === "string") return portalError(400, found);
  if (found.single) return jsonReply(200, found.rows[0] ?? "null", found.headers);

  let rows = found.rows;
  if (found.paged) {
    const asksFor = Number(params.get("pagina"));
    if (!Number.isInteger(asksFor) || asksFor < 1) return portalError(400, missing("pagina"));
    const start = pageAsked(fault, asksFor, PAGE_ROWS);
    rows = rows.slice(start, start + PAGE_ROWS);
  }
  if (fault) rows = driftRows(rows, fault);
  const list = `[${rows.join(",")}]`;
  return jsonReply(200, fault?.kind === "envelope" ? `{"data":${list}}` : list, found.headers);
}

type Found = { rows: string[]; headers: Record<string, string>; paged: boolean; single?: boolean };

function fromContracts(rows: string[]): Found {
  return { rows, headers: CONTRACTS_HEADERS, paged: true };
}

/** The sample holds nothing of this path: what is given in its stead is somebody's own. */
function fromNothing(rows: unknown[] | undefined, paged: boolean): Found {
  return { rows: (rows ?? []).map((row) => JSON.stringify(row)), headers: UNRECORDED_HEADERS, paged };
}

const MONTH_MS = 31 * 86_400_000;

/** Rows for a path; a text is what the 400 says; `null` is a path the portal does not have. */
function rowsFor({ sample, unrecorded }: Kept, path: string, params: URLSearchParams): Found | string | null {
  const pagina = params.get("pagina");
  switch (path) {
    case "/contratos": {
      const agency = params.get("codigoOrgao");
      if (!agency) return missing("codigoOrgao");
      if (!pagina) return missing("pagina");
      const [from, to] = [params.get("dataInicial"), params.get("dataFinal")];
      if ((from && !isoDate(from)) || (to && !isoDate(to))) return "Data inválida. Use o formato DD/MM/AAAA";
      const [fromIso, toIso] = [isoDate(from ?? ""), isoDate(to ?? "") || "9999-12-31"];
      const rows = sample
        .contractsByAgency(agency)
        .filter((row) => row.startsOn <= toIso && (row.endsOn === "" || row.endsOn >= fromIso));
      return fromContracts(rows.map((row) => row.json));
    }
    case "/contratos/cpf-cnpj": {
      const code = params.get("cpfCnpj");
      if (!code) return missing("cpfCnpj");
      if (!pagina) return missing("pagina");
      return fromContracts(sample.contractsBySupplier(code).map((row) => row.json));
    }
    case "/contratos/numero": {
      const number = params.get("numero");
      if (!number) return missing("numero");
      if (!pagina) return missing("pagina");
      return fromContracts(sample.contractsByNumber(number).map((row) => row.json));
    }
    case "/contratos/apostilamento":
    case "/contratos/documentos-relacionados":
      return params.get("id") ? fromNothing(unrecorded[path], false) : missing("id");
    case "/licitacoes/modalidades":
      return fromNothing(unrecorded[path], false);
    case "/licitacoes/itens-licitados":
      if (!params.get("id")) return missing("id");
      return pagina ? fromNothing(unrecorded[path], true) : missing("pagina");
    case "/licitacoes/participantes": {
      const lacking = ["codigoUG", "numero", "codigoModalidade", "pagina"].find((name) => !params.get(name));
      return lacking === undefined ? fromNothing(unrecorded[path], true) : missing(lacking);
    }
    case "/licitacoes": {
      if (!params.get("codigoOrgao")) return missing("codigoOrgao");
      if (!pagina) return missing("pagina");
      const [from, to] = [params.get("dataInicial") ?? "", params.get("dataFinal") ?? ""].map(isoDate);
      if (!from || !to) return "Filtros mínimos: Período de até 1 mês e código do órgão";
      if (Date.parse(to) - Date.parse(from) > MONTH_MS) return "O período deve ser de no máximo 1 mês";
      const isAsked = (row: unknown) => {
        const day = (row as { dataAbertura: string }).dataAbertura;
        return day >= from && day <= to;
      };
      return fromNothing(unrecorded[path]?.filter(isAsked), true);
    }
    case "/cepim":
    case "/acordos-leniencia": {
      if (!pagina) return missing("pagina");
      const cnpj = params.get("cnpjSancionado");
      const names = (row: unknown) => !cnpj || digitsOf(JSON.stringify(row)).includes(digitsOf(cnpj));
      return fromNothing(unrecorded[path]?.filter(names), true);
    }
    case "/pessoa-juridica": {
      const cnpj = digitsOf(params.get("cnpj") ?? "");
      if (!cnpj) return missing("cnpj");
      const named = (unrecorded[path] ?? []).filter((row) => digitsOf((row as { cnpj: string }).cnpj) === cnpj);
      return { ...fromNothing(named, false), single: true };
    }
    case "/despesas/documentos": {
      const [day, phase] = [params.get("dataEmissao"), params.get("fase")];
      if (!day) return missing("dataEmissao");
      if (!phase) return missing("fase");
      if (!pagina) return missing("pagina");
      if (!params.get("unidadeGestora") && !params.get("gestao"))
        return "Informe mais um filtro além da data e da fase";
      const isAsked = (row: unknown) => {
        const { data, fase, codigoUg } = row as { data: string; fase: string; codigoUg: string };
        const named = ["", "Empenho", "Liquidação", "Pagamento"][Number(phase)];
        return data === day && fase === named && codigoUg === params.get("unidadeGestora");
      };
      return fromNothing(unrecorded[path]?.filter(isAsked), true);
    }
    case "/contratos/id":
    case "/contratos/itens-contratados":
    case "/contratos/termo-aditivo": {
      const id = Number(params.get("id") || NaN);
      if (!Number.isInteger(id)) return missing("id");
      if (path === "/contratos/termo-aditivo") return { ...fromContracts(sample.amendments(id)), paged: false };
      if (path === "/contratos/itens-contratados") return pagina ? fromContracts(sample.items(id)) : missing("pagina");
      const contract = sample.contract(id);
      return { ...fromContracts(contract ? [contract.json] : []), single: true };
    }
    case "/ceis":
    case "/cnep": {
      if (!pagina) return missing("pagina");
      const list = path === "/ceis" ? "ceis" : "cnep";
      const code = params.get("codigoSancionado");
      const name = params.get("nomeSancionado")?.toUpperCase();
      const body = params.get("orgaoSancionador")?.toUpperCase();
      const rows = (code ? sample.sanctionsByCode(list, digitsOf(code)) : sample.sanctions(list))
        .filter((row) => (!name || row.name.includes(name)) && (!body || row.body.includes(body)))
        .map((row) => row.json);
      return { rows, headers: list === "ceis" ? CEIS_HEADERS : CNEP_HEADERS, paged: true };
    }
    case "/orgaos-siafi": {
      if (!pagina) return missing("pagina");
      const [code, name] = [params.get("codigo"), params.get("descricao")?.toUpperCase()];
      const rows = sample
        .agencies()
        .filter((row) => (!code || row.code === code) && (!name || row.name.toUpperCase().includes(name)));
      return fromContracts(rows.map((row) => row.json));
    }
    default: {
      const [, id] = /^\/licitacoes\/(\d+)$/.exec(path) ?? [];
      if (id === undefined) return null;
      const named = (unrecorded["/licitacoes"] ?? []).filter((row) => String((row as { id: number }).id) === id);
      return { ...fromNothing(named, false), single: true };
    }
  }
}

const DOWNLOADS = "https://portaldatransparencia.gov.br/download-de-dados";

/** Ids of the sample do not exist on the publisher's site, so the address is that of the file. */
const CONTRACTS_HEADERS = sampleHeaders(
  "amostra gravada: contratos federais publicados em janeiro de 2024 (Portal da Transparência / CGU)",
  `${DOWNLOADS}/compras/202401`,
);
const CEIS_HEADERS = sampleHeaders(
  "amostra gravada: CEIS de 2020, só empresas, sem data de início nem abrangência (Portal da Transparência / CGU)",
  `${DOWNLOADS}/ceis`,
);
const CNEP_HEADERS = sampleHeaders(
  "amostra gravada: um único registro do CNEP, lido em setembro de 2026 (Portal da Transparência / CGU)",
  `${DOWNLOADS}/cnep`,
);

const UNRECORDED_HEADERS = sampleHeaders(
  "nada gravado: linhas, se há, escritas conforme a especificação da API",
  `${DOWNLOADS}/`,
);

function sampleHeaders(label: string, recordUrl: string): Record<string, string> {
  return { "x-cidadao-sample": encodeURIComponent(label), "x-cidadao-record-url": recordUrl };
}

function missing(parameter: string): string {
  return `Required parameter '${parameter}' is not present.`;
}

function portalError(status: number, message: string): Reply {
  return jsonReply(status, JSON.stringify({ "Erro na API": message }));
}

const CACHED_ERROR = { "cache-control": "public, max-age=7200, must-revalidate" };

/** As recorded: in ISO-8859-1, and marked as cacheable for two hours. */
function keyMissing(): Reply {
  const body = JSON.stringify({
    "Erro na API":
      "Chave de API não informada! Para obter a chave acesse http://www.portaldatransparencia.gov.br/api-de-dados/cadastrar-email",
  });
  const headers = { "content-type": "application/json;charset=ISO-8859-1", "x-cache": "Error from cloudfront" };
  return { status: 401, headers: { ...headers, ...CACHED_ERROR }, body: Buffer.from(body, "latin1") };
}

/** As recorded: compressed. */
function keyInvalid(): Reply {
  const body = gzipSync(JSON.stringify({ "Erro na API": "Chave de API inválida!" }));
  const headers = { "content-type": "application/json", "content-encoding": "gzip", ...CACHED_ERROR };
  return { status: 401, headers, body };
}

/** What a path outside the specification, a suspended key and the firewall get alike. */
function forbidden(): Reply {
  return htmlReply(403, "<title>ERROR: The request could not be satisfied</title><h1>403 ERROR</h1>");
}
