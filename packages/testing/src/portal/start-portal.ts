import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { driftRows, type Fault, faultDecider, type FaultPlan } from "./faults.ts";
import { createRequestLog, type RequestLog } from "./request-log.ts";
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
};

const BASE = "/api-de-dados";
const PAGE_ROWS = 15;

/**
 * The Portal da Transparência API on the loopback interface, answering from the recorded sample in the portal's own
 * form: bare lists of 15, its error bodies and charsets, and, when asked, its faults.
 */
export async function startPortal(options: PortalServerOptions): Promise<PortalServer> {
  const sample = openSample(options.dataFolder);
  const requests = createRequestLog();
  let plan = options.faults ?? {};
  let decide = faultDecider(plan);
  let port = options.port ?? 0;
  let server: Server | null = null;

  const setPlan = async (next: FaultPlan) => {
    plan = next;
    decide = faultDecider(next);
    if (!next.down) return listen();
    await stop();
    if (next.downMs !== undefined) setTimeout(() => void setPlan({}), next.downMs).unref();
  };

  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", "http://portal");
    if (url.pathname.startsWith("/__portal/")) return administer(request, response, url);
    const path = url.pathname.startsWith(BASE) ? url.pathname.slice(BASE.length) : null;
    const lastMinute = requests.add(path ?? url.pathname, url.searchParams);
    if (path === null) return send(response, forbidden());
    const page = Number(url.searchParams.get("pagina") ?? 1);
    const fault = faultFromHeader(request) ?? decide({ path, page, lastMinute });
    try {
      reply(response, { request, path, params: url.searchParams, fault });
    } catch (error) {
      send(response, portalError(500, error instanceof Error ? error.message : String(error)));
    }
  };

  const administer = (request: IncomingMessage, response: ServerResponse, url: URL) => {
    if (request.method === "GET" && url.pathname === "/__portal/requests") {
      return send(response, json(200, JSON.stringify({ ...requests.summary(), skippedRows: sample.skippedRows() })));
    }
    if (request.method !== "PUT" || url.pathname !== "/__portal/faults") return send(response, forbidden());
    void applyFaults(request, response);
  };

  const applyFaults = async (request: IncomingMessage, response: ServerResponse) => {
    const next = parseJson(await readBody(request)) as FaultPlan | null;
    if (next === null) return send(response, json(400, '{"error":"not a fault plan"}'));
    // Answered first: a plan may close the port this very request came through.
    await new Promise<void>((resolve) => {
      response.once("finish", resolve);
      send(response, json(200, "{}"));
    });
    await setPlan(next);
  };

  const reply = (response: ServerResponse, asked: Asked) => {
    const { fault } = asked;
    switch (fault?.kind) {
      case undefined:
      case "field_missing":
      case "field_null":
      case "field_value":
      case "envelope":
      case "duplicate_page":
      case "truncated_json":
      case "stall_in_body":
      case "slow_drip":
      case "reset_in_body":
        return misbehave(response, answer(sample, options.apiKey, asked), fault);
      case "rate_limited":
        return send(response, portalError(429, "Limite de requisições excedido"), retryAfter(fault.retryAfter));
      case "key_invalid":
        return send(response, keyInvalid());
      case "forbidden":
        return send(response, forbidden());
      case "server_error":
        return send(response, portalError(fault.status ?? 500, "Erro interno"), retryAfter(fault.retryAfter));
      case "html":
        return send(response, html(200, "<title>Portal da Transparência</title><h1>Em manutenção</h1>"));
      case "malformed_json":
        return send(response, json(200, '[{"id": 1, "numero": ,}]'));
      case "stall_before_headers":
        return;
      case "reset":
        response.socket?.resetAndDestroy();
        return;
    }
  };

  const listen = async () => {
    if (server) return;
    const started = createServer({ keepAliveTimeout: 60_000 }, handle);
    await new Promise<void>((resolve, reject) => {
      started.once("error", reject);
      started.listen(port, "127.0.0.1", resolve);
    });
    server = started;
    port = (started.address() as AddressInfo).port;
  };

  const stop = async () => {
    const stopping = server;
    server = null;
    if (!stopping) return;
    const closed = new Promise<void>((resolve) => void stopping.close(() => resolve()));
    stopping.closeAllConnections();
    await closed;
  };

  await listen();
  if (plan.down) await stop();
  return {
    url: `http://127.0.0.1:${port}${BASE}`,
    requests,
    setFaults: setPlan,
    skippedRows: () => sample.skippedRows(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

type Asked = { request: IncomingMessage; path: string; params: URLSearchParams; fault: Fault | null };

type Reply = { status: number; headers: Record<string, string>; body: Buffer | string };

function answer(sample: Sample, apiKey: string, asked: Asked): Reply {
  const { request, path, params, fault } = asked;
  const key = request.headers["chave-api-dados"];
  if (!key) return keyMissing();
  if (key !== apiKey) return keyInvalid();
  if (request.method !== "GET") return forbidden();
  const found = rowsFor(sample, path, params);
  if (found === null) return forbidden();
  if (typeof found === "string") return portalError(400, found);
  if (found.single) return json(200, found.rows[0] ?? "null", found.headers);

  let rows = found.rows;
  if (found.paged) {
    const asksFor = Number(params.get("pagina"));
    if (!Number.isInteger(asksFor) || asksFor < 1) return portalError(400, missing("pagina"));
    const page = fault?.kind === "duplicate_page" ? Math.max(1, asksFor - 1) : asksFor;
    rows = rows.slice((page - 1) * PAGE_ROWS, page * PAGE_ROWS);
  }
  if (fault) rows = driftRows(rows, fault);
  const list = `[${rows.join(",")}]`;
  return json(200, fault?.kind === "envelope" ? `{"data":${list}}` : list, found.headers);
}

type Found = { rows: string[]; headers: Record<string, string>; paged: boolean; single?: boolean };

function fromContracts(rows: string[]): Found {
  return { rows, headers: CONTRACTS_HEADERS, paged: true };
}

/** Rows for a path; a text is what the 400 says; `null` is a path the portal does not have. */
function rowsFor(sample: Sample, path: string, params: URLSearchParams): Found | string | null {
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
    default:
      return null;
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

function sampleHeaders(label: string, recordUrl: string): Record<string, string> {
  return { "x-cidadao-sample": encodeURIComponent(label), "x-cidadao-record-url": recordUrl };
}

function json(status: number, body: string, headers: Record<string, string> = {}): Reply {
  return { status, headers: { "content-type": "application/json", ...headers }, body };
}

function html(status: number, body: string): Reply {
  return {
    status,
    headers: { "content-type": "text/html; charset=utf-8" },
    body: `<!DOCTYPE html><html>${body}</html>`,
  };
}

function missing(parameter: string): string {
  return `Required parameter '${parameter}' is not present.`;
}

function portalError(status: number, message: string): Reply {
  return json(status, JSON.stringify({ "Erro na API": message }));
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
  return html(403, "<title>ERROR: The request could not be satisfied</title><h1>403 ERROR</h1>");
}

function retryAfter(value: number | string | undefined): Record<string, string> {
  return value === undefined ? {} : { "retry-after": String(value) };
}

function send(response: ServerResponse, reply: Reply, headers: Record<string, string> = {}): void {
  const body = typeof reply.body === "string" ? Buffer.from(reply.body) : reply.body;
  response.writeHead(reply.status, { ...reply.headers, ...headers, "content-length": body.length });
  response.end(body);
}

const DRIP_MS = 100;

function misbehave(response: ServerResponse, reply: Reply, fault: Fault | null): void {
  const body = typeof reply.body === "string" ? Buffer.from(reply.body) : reply.body;
  const kind = fault?.kind;
  if (kind === "truncated_json")
    return send(response, { ...reply, body: body.subarray(0, Math.floor(body.length * 0.6)) });
  if (kind === "stall_in_body" || kind === "reset_in_body") {
    response.writeHead(reply.status, { ...reply.headers, "content-length": body.length + 1 });
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => {
      if (kind === "reset_in_body") response.socket?.resetAndDestroy();
    });
    return;
  }
  if (fault?.kind !== "slow_drip") return send(response, reply);
  response.writeHead(reply.status, { ...reply.headers, "content-length": body.length });
  drip(response, body, fault.everyMs ?? DRIP_MS);
}

function drip(response: ServerResponse, body: Buffer, everyMs: number): void {
  let at = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(at, at + 1));
    at++;
    if (at >= body.length) response.end();
    if (at >= body.length) clearInterval(timer);
  }, everyMs);
  response.once("close", () => clearInterval(timer));
}

/** One request may ask for its own fault: a `Fault` as JSON, or only its kind. */
function faultFromHeader(request: IncomingMessage): Fault | null {
  const header = request.headers["x-cidadao-fault"];
  if (typeof header !== "string") return null;
  return parseJson(header.startsWith("{") ? header : JSON.stringify({ kind: header })) as Fault | null;
}

const ADMIN_BODY_BYTES_MAX = 100_000;

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ADMIN_BODY_BYTES_MAX) return "";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
