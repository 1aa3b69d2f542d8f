import type { FaultPlan } from "../portal/faults.ts";
import {
  type Asked,
  htmlReply,
  jsonReply,
  type RecordedServer,
  type Reply,
  startRecordedServer,
} from "../recorded-server.ts";

export type StateCourtsServer = RecordedServer & {
  /** Variables that point every source here. */
  environment: Record<string, string>;
};

export type StateCourtsData = {
  ibge?: unknown[];
  saoPaulo?: unknown[];
  rioDeJaneiro?: Record<string, unknown>[];
  rioDeJaneiroDirect?: Record<string, unknown>[];
  /** "contrato" and "contratados". */
  ceara?: Record<string, Record<string, unknown>[]>;
  pernambuco?: Record<string, unknown>[];
  tcu?: Record<string, unknown>[];
};

/**
 * IBGE, the federal audit court and those of four states on the loopback interface, in the form in which they are described: nothing of
 * them has been recorded.
 */
export async function startStateCourts(options: {
  data: StateCourtsData;
  faults?: FaultPlan;
}): Promise<StateCourtsServer> {
  const { data } = options;
  const server = await startRecordedServer({
    pathBelow: (pathname) => pathname,
    answer: (asked) => answer(data, asked),
    refusals: {
      rateLimited: () => htmlReply(429, "<h1>429</h1>"),
      keyInvalid: () => htmlReply(401, "<h1>401</h1>"),
      forbidden: () => htmlReply(403, "<h1>403</h1>"),
      broken: (status) => htmlReply(status, "<h1>error</h1>"),
    },
    ...(options.faults ? { faults: options.faults } : {}),
  });
  const origin = server.origin();
  const environment = {
    IBGE_URL: `${origin}/ibge`,
    TCE_SP_URL: `${origin}/sp`,
    TCE_RJ_URL: `${origin}/rj`,
    TCE_CE_URL: `${origin}/ce/sim`,
    TCE_PE_URL: `${origin}/pe`,
    TCU_URL: `${origin}/tcu`,
  };
  return { ...server, environment };
}

function answer(data: StateCourtsData, { path: asked, params }: Asked): Reply {
  const [, who = "", ...rest] = asked.split("/");
  const number = (name: string) => Number(params.get(name) ?? 0);
  switch (who) {
    case "ibge":
      return list(rest[0] === "estados" ? Array.from({ length: 27 }, (_, id) => ({ id })) : (data.ibge ?? []));
    case "sp":
      return list(data.saoPaulo ?? []);
    case "rj": {
      const start = number("inicio");
      const isDirect = rest[0] === "compras_diretas_municipio";
      const all = isDirect ? data.rioDeJaneiroDirect : data.rioDeJaneiro;
      const rows = all?.slice(start, start + number("limite")) ?? [];
      return jsonReply(200, JSON.stringify({ [isDirect ? "Compras" : "Contratos"]: rows, Count: rows.length }));
    }
    case "ce": {
      const isSim = rest[0] === "sim";
      const municipality = { codigo_municipio: "057", nome_municipio: "FORTALEZA" };
      const path = rest.at(-1)!;
      if (path === "municipios") return jsonReply(200, JSON.stringify({ elements: [municipality] }));
      const rows = data.ceara?.[path] ?? [];
      const [start, size] = isSim
        ? [number("$start_index"), number("$count")]
        : [number("deslocamento"), number("quantidade")];
      return jsonReply(200, JSON.stringify({ [isSim ? "elements" : "data"]: rows.slice(start, start + size) }));
    }
    case "pe": {
      const conteudo = data.pernambuco ?? [];
      const resposta = { status: "OK", tamanhoResultado: conteudo.length, limiteResultado: 100_000, conteudo };
      const body = Buffer.from(JSON.stringify({ resposta }), "latin1");
      return { status: 200, headers: { "content-type": "application/json;charset=ISO-8859-1" }, body };
    }
    case "tcu": {
      const only = JSON.parse(params.get("q") ?? "{}") as { cpf_cnpj?: string };
      const found = (data.tcu ?? []).filter((row) => only.cpf_cnpj === undefined || row["cpf_cnpj"] === only.cpf_cnpj);
      const items = found.slice(number("offset"), number("offset") + number("limit"));
      const hasMore = found.length > number("offset") + items.length;
      return jsonReply(200, JSON.stringify({ items, hasMore, limit: number("limit"), offset: number("offset") }));
    }
    default:
      return htmlReply(404, "<h1>404</h1>");
  }
}

function list(rows: unknown[]): Reply {
  return jsonReply(200, JSON.stringify(rows));
}
