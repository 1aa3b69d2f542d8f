import { type PncpServer, startPncp } from "@cidadao/testing/pncp/start-pncp";
import { recordsOf } from "@cidadao/testing/pncp/records";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { finalStatuses, openSystem, type System } from "./support/system.ts";
import { until } from "./support/until.ts";

const agency = { code: "63000", cnpj: "00394460005887", name: "ADVOCACIA-GERAL DA UNIAO" };
const january = { from: "2024-01-01", to: "2024-01-31" };
const both = ["portal-transparencia", "pncp"];

type Coverage = {
  source: string;
  asked: number;
  answered: number;
  records: number;
  missing: { what: string; why: string }[];
  twins?: number;
  apart?: { what: string; why: string }[];
};
type Ended = {
  id: string;
  status: string;
  outcome: string;
  records: number;
  coverage: Coverage[];
  scope: Record<string, unknown>;
};
type PortalRow = {
  numero: string;
  unidadeGestora: { codigo: string };
  fornecedor: { cnpjFormatado: string };
};

let system: System;
let pncp: PncpServer;
/** A contract of a company, as the Portal gives it. */
let twin: PortalRow;

beforeAll(async () => {
  pncp = await startPncp({ records: recordsOf({}, "2024-01-15") });
  system = await openSystem({
    queue: "postgres",
    environment: {
      SOURCES: "portal-transparencia,pncp",
      PNCP_CONSULTA_URL: pncp.consultaUrl,
      PNCP_URL: pncp.detailUrl,
      PNCP_PER_MINUTE: "1000000",
      ALERT_WEBHOOKS: "",
      CACHE_TTL: "0",
    },
  });
  const question = "codigoOrgao=63000&dataInicial=01/01/2024&dataFinal=31/01/2024&pagina=1";
  const answer = await fetch(`${system.portal.url}/contratos?${question}`, {
    headers: { "chave-api-dados": "test-key" },
  });
  const rows = (await answer.json()) as PortalRow[];
  twin = rows.find(({ fornecedor }) => /^\d{2}\.\d{3}/.test(fornecedor.cnpjFormatado))!;
  const published = [
    contract(1, { numeroContratoEmpenho: twin.numero, niFornecedor: twin.fornecedor.cnpjFormatado }),
    contract(2, { numeroContratoEmpenho: twin.numero, niFornecedor: "11222333000181" }),
    contract(3, { numeroContratoEmpenho: "00777/2024" }),
  ];
  pncp.setRecords(
    recordsOf({ contracts: published, tenders: [tender(1, "2611606"), tender(2, "2607901")] }, "2024-01-15"),
  );
  system.start("api");
  system.start("worker");
  await system.untilReady();
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await pncp.stop();
});
beforeEach(async () => {
  await pncp.setFaults({});
  await system.portal.setFaults({});
});

const entity = (unit: string, state: string, ibge: string) => ({
  orgaoEntidade: { cnpj: agency.cnpj, razaoSocial: agency.name, poderId: "E", esferaId: "F" },
  unidadeOrgao: { codigoUnidade: unit, nomeUnidade: "Unidade", ufSigla: state, codigoIbge: ibge, municipioNome: "X" },
});

function contract(sequence: number, given: Record<string, unknown>) {
  return contractOf(sequence, { ...entity(twin.unidadeGestora.codigo, "DF", "5300108"), ...given });
}

function contractOf(sequence: number, given: Record<string, unknown>) {
  return {
    numeroControlePNCP: `${agency.cnpj}-2-00000${sequence}/2024`,
    anoContrato: 2024,
    sequencialContrato: sequence,
    objetoContrato: "Serviço",
    receita: false,
    dataAssinatura: "2024-01-10",
    dataVigenciaInicio: "2024-01-10",
    dataVigenciaFim: "2024-12-31",
    dataPublicacaoPncp: "2024-01-15T00:30:04",
    dataAtualizacaoGlobal: "2024-01-15T00:30:04",
    niFornecedor: "33000167000101",
    tipoPessoa: "PJ",
    nomeRazaoSocialFornecedor: "FORNECEDOR",
    valorInicial: 1_000,
    valorGlobal: 1_000,
    valorParcela: 1_000,
    numeroParcelas: 1,
    ...entity("1", "DF", "5300108"),
    ...given,
  };
}

function tender(sequence: number, ibge: string) {
  return {
    numeroControlePNCP: `${agency.cnpj}-1-00000${sequence}/2024`,
    anoCompra: 2024,
    sequencialCompra: sequence,
    numeroCompra: String(sequence),
    objetoCompra: "Compra",
    modalidadeId: 8,
    modalidadeNome: "Dispensa",
    valorTotalEstimado: 10,
    dataPublicacaoPncp: "2024-01-15T00:30:04",
    dataAtualizacaoGlobal: "2024-01-15T00:30:04",
    ...entity("1", "PE", ibge),
  };
}

async function run(body: Record<string, unknown>): Promise<Ended> {
  const answer = await system.post(body);
  expect(answer.status).toBe(202);
  const { id } = (await answer.json()) as { id: string };
  await system.untilFinal([id]);
  return (await system.data.sql<Ended>("select * from investigations where id = $1", [id]))[0]!;
}
const of = (ended: Ended, source: string) => ended.coverage.find((one) => one.source === source)!;

describe("an investigation of two sources", () => {
  const scope = { sources: both, agencyCodes: [agency.code], agencyCnpjs: [agency.cnpj], ...january };

  test("reads both, looks at what both give once, and keeps apart what only shares a number", async () => {
    const alone = await run({ scope: { agencyCodes: [agency.code], ...january } });
    const ended = await run({ scope });
    expect(ended).toMatchObject({ status: "completed", records: alone.records + 2 });
    expect(["anomalies_found", "no_anomalies"]).toContain(ended.outcome);
    expect(of(ended, "pncp")).toMatchObject({ asked: 1, answered: 1, records: 3, missing: [], twins: 1 });
    expect(of(ended, "pncp").apart).toEqual([
      { what: `contrato ${agency.cnpj}-2-000002/2024`, why: expect.stringContaining("de outro fornecedor") as string },
    ]);
    expect(of(ended, "portal-transparencia").missing).toEqual([]);
  });

  test("is partial, with the reason, when either is down, and the other is looked at all the same", async () => {
    await pncp.setFaults({ down: true });
    const withoutPncp = await run({ scope });
    expect(withoutPncp).toMatchObject({ status: "completed", outcome: "partial" });
    expect(withoutPncp.records).toBeGreaterThan(0);
    expect(of(withoutPncp, "pncp")).toMatchObject({ asked: 1, answered: 0 });
    expect(of(withoutPncp, "pncp").missing[0]).toMatchObject({ what: expect.stringContaining(agency.cnpj) as string });

    await pncp.setFaults({});
    await system.portal.setFaults({ rules: [{ fault: { kind: "html" } }] });
    await system.data.sql("truncate ingest_runs, contracts, suppliers, agencies, sanctions cascade");
    const withoutPortal = await run({ scope });
    expect(withoutPortal).toMatchObject({ status: "completed", outcome: "partial", records: 3 });
    expect(of(withoutPortal, "portal-transparencia").missing[0]!.why).toMatch(/HTML/);
    expect(of(withoutPortal, "pncp")).toMatchObject({ answered: 1, records: 3, twins: 0 });
  });

  test("says that the sources are unavailable, and not that there is nothing, when both are down", async () => {
    await pncp.setFaults({ down: true });
    await system.portal.setFaults({ rules: [{ fault: { kind: "server_error", status: 503 } }] });
    await system.data.sql("truncate ingest_runs, contracts, suppliers, agencies, sanctions cascade");
    const ended = await run({ scope });
    expect(ended).toMatchObject({ status: "completed", outcome: "source_unavailable", records: 0 });
    expect(ended.coverage.flatMap(({ missing }) => missing).length).toBeGreaterThanOrEqual(2);
  });

  test("says what a source cannot be asked for", async () => {
    const places = await run({ scope: { sources: both, states: ["PE"], ...january } });
    expect(places.outcome).toBe("partial");
    expect(of(places, "portal-transparencia").missing[0]!.why).toMatch(/só pode ser perguntado por um órgão federal/);
    const supplier = await run({ scope: { sources: ["pncp"], supplierCnpj: "33000167000101", ...january } });
    expect(supplier.outcome).toBe("source_unavailable");
    expect(of(supplier, "pncp").missing[0]!.why).toMatch(/não pode ser perguntado por um fornecedor/);
    const wide = await run({ scope: { states: ["PE"], from: "2024-01-01", to: "2024-03-31" } });
    expect(of(wide, "pncp").missing[0]!.why).toMatch(/no máximo 31 dias/);
  });
});

describe("a question in words", () => {
  test("reads a federal agency from both sources once the PNCP knows it, and from the Portal until then", async () => {
    await system.data.sql("truncate ingest_runs, contracts, suppliers, agencies, sanctions cascade");
    const query = "Há algo estranho nos contratos da AGU em janeiro de 2024?";
    expect((await run({ query })).scope).toEqual({
      sources: ["portal-transparencia"],
      agencyCodes: [agency.code],
      ...january,
    });
    await run({ scope: { agencyCnpjs: [agency.cnpj], ...january } });
    const ended = await run({ query });
    expect(ended.scope).toEqual({ sources: both, agencyCodes: [agency.code], ...january });
    expect(of(ended, "pncp")).toMatchObject({ answered: 1, records: 3, twins: 1, missing: [] });
  });

  test("about a municipality asks the PNCP for its procedures", async () => {
    const place = (code: string, name: string, state: string) =>
      `('ibge', '${code}', 'h', 'u', now(), '${code}', '${name}', '${state}')`;
    await system.data.sql(
      `insert into municipalities (source, source_id, content_hash, url, retrieved_at, code, name, state) values
       ${[place("2611606", "Recife", "PE"), place("1702109", "Bom Jesus", "TO"), place("2201903", "Bom Jesus", "PI")].join()}`,
    );
    const ended = await run({ query: "compras da prefeitura do Recife em janeiro de 2024" });
    expect(ended.scope).toEqual({ sources: ["pncp"], municipalityCodes: ["2611606"], ...january });
    expect(of(ended, "pncp")).toMatchObject({ asked: 12, answered: 12, records: 1 });
  });

  test.each([
    ["contratos esquisitos", /não nomeia nenhum órgão federal/],
    [
      "compras da prefeitura de Bom Jesus em 2024",
      /2 municípios «bom jesus»: diga o estado, como em .*Bom Jesus\/(TO|PI)/,
    ],
    ["compras da prefeitura de Passárgada em 2024", /Não há município «passargada»/],
    ["o fornecedor 33.000.167/0001-01 e o fornecedor 11.222.333/0001-81", /mais de um fornecedor/],
  ])("%s is refused with what to say instead", async (query, why) => {
    const answer = await system.post({ query });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { detail: string }).detail).toMatch(why);
  });

  test("opens one investigation a key, also when it would ask for something else, or for nothing, by then", async () => {
    const query = "compras da prefeitura do Recife em janeiro de 2024";
    const post = (body: unknown) => system.post(body, { "idempotency-key": "recife" });
    const first = await post({ query });
    expect(first.status).toBe(202);
    await system.data.sql("truncate municipalities");
    const again = await post({ query });
    expect([again.status, ((await again.json()) as { id: string }).id]).toEqual([
      202,
      ((await first.json()) as { id: string }).id,
    ]);
    expect((await post({ query: `${query}?` })).status).toBe(422);
    expect((await system.post({ query })).status).toBe(400);
  });

  test("that is missing, with no scope, is refused", async () => {
    expect((await system.post({})).status).toBe(400);
  });
});

describe("a purchase of the PNCP that stands out by its price", () => {
  const LARGE = 40;
  const id = `${agency.cnpj}-1-000040/2024`;
  const base = `/orgaos/${agency.cnpj}/compras/2024/${LARGE}/itens`;
  const purchases = Array.from({ length: LARGE }, (_, index) => ({
    ...tender(index + 1, "2611606"),
    numeroControlePNCP: `${agency.cnpj}-1-${String(index + 1).padStart(6, "0")}/2024`,
    objetoCompra: "Aquisição de papel sulfite",
    valorTotalHomologado: index + 1 === LARGE ? 9_000_000 : 1_000 + index * 10,
  }));
  const item = { numeroItem: 1, descricao: "Papel sulfite A4", quantidade: 1_000, temResultado: true };
  const result = { numeroItem: 1, sequencialResultado: 1, quantidadeHomologada: 1_000, valorUnitarioHomologado: 9_000 };
  beforeAll(async () => {
    // Those that a test before only opened would ask for the same.
    await until("every other investigation has ended", async () => {
      const open = `select 1 from investigations where status not in ${finalStatuses}`;
      return (await system.data.sql(open)).length === 0;
    });
    const records = recordsOf({ tenders: purchases }, "2024-01-15");
    pncp.setRecords({ ...records, details: { [base]: [item], [`${base}/1/resultados`]: [result] } });
  });

  test("is looked at again with its items and what was awarded for each; no other is asked for them", async () => {
    pncp.requests.reset();
    const ended = await run({ scope: { sources: ["pncp"], municipalityCodes: ["2611606"], ...january } });
    expect(ended).toMatchObject({ status: "completed", outcome: "anomalies_found", records: LARGE });
    expect(
      await system.data.sql(
        "select subject_id from anomalies where investigation_id = $1 and detector = 'price-outlier'",
        [ended.id],
      ),
    ).toEqual([{ subject_id: `pncp/${id}` }]);
    expect(
      await system.data.sql(
        "select contract_id, unit_price_cents::int as price from contract_items where source = 'pncp'",
      ),
    ).toEqual([{ contract_id: id, price: 900_000 }]);
    const asked = pncp.requests.list().flatMap(({ path }) => (path.endsWith("/itens") ? [path] : []));
    expect(asked).toEqual([`/api/pncp/v1${base}`]);
    expect(of(ended, "pncp")).toMatchObject({ asked: 13, answered: 13, missing: [] });
  });
});

describe("a contract of the PNCP that grew", () => {
  const scope = { sources: ["pncp"], agencyCnpjs: [agency.cnpj], ...january };
  const terms = `/orgaos/${agency.cnpj}/contratos/2024/9/termos`;
  const growthOf = ({ id }: Ended) =>
    system.data.sql("select 1 from anomalies where investigation_id = $1 and detector = 'amendment-growth'", [id]);
  const grown = contractOf(9, { numeroContratoEmpenho: "00999/2024", valorInicial: 100_000, valorGlobal: 160_000 });
  const renewal = {
    sequencialTermoContrato: 1,
    numeroTermoContrato: "1/2024",
    tipoTermoContratoNome: "Termo Aditivo",
    objetoTermoContrato: "Prorrogação da vigência por 12 meses",
    dataAssinatura: "2024-12-20",
    dataPublicacaoPncp: "2024-12-24T10:00:00",
    valorGlobal: 160_000,
  };
  beforeAll(() => {
    const records = recordsOf({ contracts: [grown] }, "2024-01-15");
    pncp.setRecords({ ...records, details: { [terms]: [renewal] } });
  });

  test("is cleared by its terms, which only renew it", async () => {
    const ended = await run({ scope });
    expect(of(ended, "pncp")).toMatchObject({ asked: 2, answered: 2, missing: [] });
    expect(await system.data.sql("select contract_id, object from amendments where source = 'pncp'")).toEqual([
      { contract_id: `${agency.cnpj}-2-000009/2024`, object: renewal.objetoTermoContrato },
    ]);
    expect(await growthOf(ended)).toEqual([]);
  });

  test("whose terms do not come stays flagged, and the result is partial", async () => {
    await system.data.sql("truncate amendments");
    await pncp.setFaults({ rules: [{ path: "/api/pncp/v1/orgaos", fault: { kind: "html" } }] });
    const ended = await run({ scope });
    expect(ended.outcome).toBe("partial");
    expect(of(ended, "pncp").missing).toMatchObject([
      { what: `aditivos de ${agency.cnpj}-2-000009/2024`, why: expect.stringContaining("HTML") as string },
    ]);
    expect(await growthOf(ended)).toHaveLength(1);
  });
});
