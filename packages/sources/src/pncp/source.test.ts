import { readFileSync } from "node:fs";
import { AppError } from "@cidadao/runtime/errors";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { generateContracts, noRecords, recordsOf } from "@cidadao/testing/pncp/records";
import { type PncpServer, startPncp } from "@cidadao/testing/pncp/start-pncp";
import type { Fault } from "@cidadao/testing/portal/faults";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SourcePage, SourceRecord } from "../define-source.ts";
import type { Outbound } from "../outbound.ts";
import { createPncpContext, type PncpOptions } from "./client.ts";
import { contracts, items, pncp, priceRegistrations, tenders, terms } from "./source.ts";

const never = new AbortController().signal;
const http = createHttpClient({ userAgent: "cidadao-tests" });
const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8"));
type Raw = Record<string, unknown>;
const rowsOf = (name: string) => (fixture(name) as { data: Raw[] }).data;
const details = fixture("derived-details.json") as Record<"itens" | "resultados" | "termos", Raw[]>;

const day = { by: "publicacao" as const, from: "2025-06-24", to: "2025-06-24", agency: null };
const generated = { ...noRecords, contracts: generateContracts({ days: ["2025-06-24"], perDay: 230 }) };
const recorded = recordsOf(
  {
    contracts: rowsOf("recorded-contratos.json"),
    tenders: rowsOf("recorded-contratacoes.json"),
    priceRegistrations: rowsOf("recorded-atas.json"),
  },
  day.from,
);

let server: PncpServer;
beforeAll(async () => {
  server = await startPncp({ records: generated });
});
beforeEach(async () => {
  server.setRecords(generated);
  await server.setFaults({});
  server.requests.reset();
});
afterAll(async () => {
  await http.close();
  await server.stop();
});

function contextWith(options: Partial<PncpOptions & Outbound> = {}) {
  const outbound: Outbound = {
    http,
    ...openSharedLimits(null),
    cache: createMemoryCache(),
    cacheTtlSeconds: 3_600,
    ...options,
  };
  return createPncpContext({
    outbound,
    consultaUrl: server.consultaUrl,
    detailUrl: server.detailUrl,
    perMinute: 1_000_000,
    timeoutMs: 5_000,
    pageRows: 100,
    backoff: { baseMs: 1, maxMs: 2 },
    ...options,
  });
}

async function collect<Item extends SourceRecord>(pages: AsyncIterable<SourcePage<Item>>) {
  const all = { pages: 0, records: [] as Item[], rejects: 0, complaints: [] as string[], excluded: [] as string[] };
  for await (const page of pages) {
    all.pages++;
    all.records.push(...page.records);
    all.rejects += page.rejects.length;
    all.complaints.push(...page.complaints.map(({ field, reason }) => `${field}: ${reason}`));
    all.excluded.push(...page.excluded.map(({ reason }) => reason));
  }
  return all;
}

const failureOf = async (work: Promise<unknown>): Promise<AppError> => {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
};

describe("pages", () => {
  test("are read until none is left, and not one further", async () => {
    const found = await collect(contracts(contextWith(), day, never));
    expect(found).toMatchObject({ pages: 3, rejects: 0 });
    expect(new Set(found.records.map(({ provenance }) => provenance.sourceId)).size).toBe(230);
    expect(server.requests.total()).toBe(3);
  });

  test("go on from any position, as if the reading had not stopped", async () => {
    const context = contextWith();
    const whole = (await collect(contracts(context, day, never))).records;
    for await (const page of contracts(context, day, never)) {
      if (page.next === null) break;
      const rest = (await collect(contracts(context, day, never, page.next))).records;
      expect(rest).toEqual(whole.slice(Number(page.next["rows"])));
    }
  });

  test("of a day with nothing are none: 204 without a body", async () => {
    const found = await collect(contracts(contextWith(), { ...day, from: "2025-06-23", to: "2025-06-23" }, never));
    expect(found).toMatchObject({ pages: 0, records: [] });
    expect(server.requests.total()).toBe(1);
  });

  test("are asked for smaller when the portal refuses their size, from the same row on and ever after", async () => {
    await using small = await startPncp({ records: generated, pageRowsMax: 50 });
    const context = contextWith({ consultaUrl: small.consultaUrl, pageRows: 500 });
    const found = await collect(contracts(context, day, never));
    expect(found.records).toHaveLength(230);
    expect(small.requests.total()).toBe(1 + 5);
    await collect(contracts(context, { ...day, agency: found.records[0]!.agencyCode }, never));
    expect(small.requests.count({ params: { tamanhoPagina: "500" } })).toBe(1);
  });

  test("that repeat or are fewer than announced are an error, not an end", async () => {
    await server.setFaults({ rules: [{ fault: { kind: "duplicate_page" } }] });
    expect(await failureOf(collect(contracts(contextWith(), day, never)))).toMatchObject({ code: "source_invalid" });
    await server.setFaults({});
    const context = contextWith();
    for await (const page of contracts(context, day, never)) {
      if (page.next === null) break;
      await server.setFaults({ rules: [{ fault: { kind: "duplicate_page" } }] });
      const resumed = failureOf(collect(contracts(contextWith(), day, never, page.next)));
      expect((await resumed).message).toContain("repetiu");
      await server.setFaults({});
    }
    const body = { data: [{}], totalRegistros: 7, totalPaginas: 1, paginasRestantes: 0 };
    const short = { request: async () => ({ status: 200, headers: {}, text: JSON.stringify(body), url: "" }) };
    const error = await failureOf(collect(contracts(contextWith({ http: short }), day, never)));
    expect(error.message).toContain("anunciou 7 registros e deu 1");
  });

  test("that shift while they are read give some records twice and lose none", async () => {
    await server.setFaults({ rules: [{ fault: { kind: "shifted_page", rows: 3 } }] });
    const { records } = await collect(contracts(contextWith(), day, never));
    expect(records.length).toBeGreaterThan(230 - 3);
    expect(new Set(records.map(({ provenance }) => provenance.sourceId)).size).toBeGreaterThanOrEqual(227);
  });
});

describe("records", () => {
  test("of recorded contracts are read; revenue is left out and told", async () => {
    server.setRecords(recorded);
    const found = await collect(contracts(contextWith(), day, never));
    expect(found.rejects).toBe(0);
    const revenue = rowsOf("recorded-contratos.json").filter((row) => row["receita"] === true);
    expect(revenue.length).toBeGreaterThan(0);
    expect(found.excluded).toEqual(revenue.map(() => "receita: o Estado recebe, não é compra"));
    expect(found.records).toHaveLength(rowsOf("recorded-contratos.json").length - revenue.length);
    for (const { provenance } of found.records) {
      expect(provenance.url).toMatch(/^https:\/\/pncp\.gov\.br\/app\/contratos\//);
    }
  });

  test("of a digit shift are kept and flagged", async () => {
    const [good] = rowsOf("recorded-contratos.json").slice(3);
    const shifted = { ...good, valorGlobal: 120_000, valorParcela: 1_000, numeroParcelas: 12, receita: false };
    server.setRecords(recordsOf({ contracts: [shifted] }, day.from));
    const found = await collect(contracts(contextWith(), day, never));
    expect(found.records).toHaveLength(1);
    expect(found.complaints).toContainEqual(expect.stringContaining("differ by exactly 10 times"));
  });

  test("of recorded purchases are read method by method", async () => {
    server.setRecords(recorded);
    const slices = pncp
      .open(
        { PNCP_CONSULTA_URL: server.consultaUrl, PNCP_URL: server.detailUrl, PNCP_PER_MINUTE: "1000000" },
        contextWith().consulta.outbound,
      )
      .slices("tenders", { from: "2025-06-24", to: "2025-06-24", agency: null });
    expect(slices.map(({ name }) => name)).toHaveLength(12);
    const methods = new Set(rowsOf("recorded-contratacoes.json").map((row) => row["modalidadeId"] as number));
    const context = contextWith();
    const found = await Promise.all([...methods].map((method) => collect(tenders(context, { ...day, method }, never))));
    expect(found.flatMap(({ records }) => records)).toHaveLength(5);
    expect(found.flatMap(({ excluded }) => excluded)).toEqual(["leilão: o Estado vende"]);
    expect(found.flatMap(({ complaints }) => complaints).filter((text) => text.includes("unknown method"))).toEqual([]);
  });

  test("of recorded price registrations are read, cancelled ones too", async () => {
    server.setRecords(recorded);
    const { records, rejects } = await collect(priceRegistrations(contextWith(), day, never));
    expect(rejects).toBe(0);
    expect(records.length).toBeGreaterThan(0);
    expect(records.every(({ tenderId }) => /-1-\d{6}\/\d{4}$/.test(tenderId ?? ""))).toBe(true);
  });

  test("of items carry the price that was awarded, and no estimate", async () => {
    const tenderId = "00394460005887-1-000020/2025";
    const base = "/orgaos/00394460005887/compras/2025/20/itens";
    server.setRecords({
      ...noRecords,
      details: { [base]: details.itens, [`${base}/1/resultados`]: details.resultados },
    });
    const found = await collect(items(contextWith(), { tenderId }, never));
    expect(found.excluded).toEqual(["resultado cancelado"]);
    expect(found.records).toMatchObject([
      { number: "2", unitPriceCents: null, quantity: 50 },
      { number: "1", unitPriceCents: 2_290, quantity: 60, classificationId: "461878", contractId: tenderId },
    ]);
    expect((await collect(items(contextWith(), { tenderId: "00394460005887-1-000021/2025" }, never))).pages).toBe(0);
  });

  test("of items beyond so many awarded ones carry no price, and a complaint for each", async () => {
    const tenderId = "00394460005887-1-000020/2025";
    const base = "/orgaos/00394460005887/compras/2025/20/itens";
    const awarded = Array.from({ length: 103 }, (_, index) => ({ ...details.itens[0], numeroItem: index + 1 }));
    const results = awarded.map(({ numeroItem }) => [
      `${base}/${numeroItem}/resultados`,
      [{ ...details.resultados[0], numeroItem }],
    ]);
    server.setRecords({ ...noRecords, details: { [base]: awarded, ...Object.fromEntries(results) } });
    const found = await collect(items(contextWith(), { tenderId }, never));
    expect(found.records).toHaveLength(103);
    expect(found.records.filter(({ unitPriceCents }) => unitPriceCents === 2_290)).toHaveLength(100);
    expect(found.complaints.filter((complaint) => complaint.includes("resultados"))).toHaveLength(3);
  });

  test("of a contract or a purchase, by its control number, is itself and then what belongs to it", async () => {
    const one = rowsOf("recorded-contratos.json").find(({ receita }) => receita === false)!;
    const other = rowsOf("recorded-contratacoes.json").find(({ modalidadeId }) => modalidadeId === 6)!;
    const idOf = (row: Raw) => {
      const id = row["numeroControlePNCP"] as string;
      const [, cnpj, sequence, year] = /^(\w+)-\d-0*(\d+)\/(\d+)$/.exec(id)!;
      return { id, cnpj, year, sequence };
    };
    const [contract, tender] = [idOf(one), idOf(other)];
    const contractPath = `/orgaos/${contract.cnpj}/contratos/${contract.year}/${contract.sequence}`;
    const tenderPath = `/orgaos/${tender.cnpj}/compras/${tender.year}/${tender.sequence}`;
    server.setRecords({
      ...noRecords,
      details: {
        [contractPath]: one,
        [`${contractPath}/termos`]: details.termos,
        [tenderPath]: other,
        [`${tenderPath}/itens`]: details.itens,
      },
    });
    const urls = { PNCP_CONSULTA_URL: server.consultaUrl, PNCP_URL: server.detailUrl, PNCP_PER_MINUTE: "1000000" };
    const limits = openSharedLimits(null);
    const opened = pncp.open(urls, { http, ...limits, cache: createMemoryCache(), cacheTtlSeconds: 0 });
    const ask = async (id: string) => {
      const found: [string, SourceRecord[]][] = [];
      for (const { resource, pages } of opened.ofContract(id))
        found.push([resource, (await collect(pages(never))).records]);
      return found;
    };
    expect(await ask(contract.id)).toMatchObject([
      ["contracts", [{ provenance: { sourceId: contract.id } }]],
      ["terms", [{ contractId: contract.id }, {}, {}]],
    ]);
    expect(await ask(tender.id)).toMatchObject([
      ["tenders", [{ provenance: { sourceId: tender.id } }]],
      ["items", [{ contractId: tender.id, number: "2" }]],
    ]);
    expect(await ask("00394460005887-2-999999/2025")).toEqual([
      ["contracts", []],
      ["terms", []],
    ]);
    expect(opened.ofContract("900000001")).toEqual([]);
  });

  test("of terms say what they add and what they take away", async () => {
    const contractId = "00394460005887-2-002468/2025";
    server.setRecords({
      ...noRecords,
      details: { "/orgaos/00394460005887/contratos/2025/2468/termos": details.termos },
    });
    const found = await collect(terms(contextWith(), { contractId }, never));
    expect(found.records).toMatchObject([
      { number: "1/2025", kind: "amendment", increaseCents: 150_000, decreaseCents: null, valueAfterCents: 1_650_000 },
      { number: "2/2025", kind: "amendment", increaseCents: null, decreaseCents: 50_000 },
      { number: "3", kind: "endorsement", increaseCents: null, signedOn: null, valueAfterCents: null },
    ]);
    expect(found.complaints).toContainEqual(expect.stringContaining("dataAssinatura"));
    expect(() => terms(contextWith(), { contractId: "1" }, never)).toThrow("control number");
  });
});

describe("a portal that misbehaves", () => {
  test.each<Fault>([
    { kind: "rate_limited" },
    { kind: "server_error", status: 500 },
    { kind: "server_error", status: 504 },
    { kind: "reset" },
    { kind: "reset_in_body" },
    { kind: "stall_before_headers" },
    { kind: "stall_in_body" },
    { kind: "slow_drip", everyMs: 5 },
  ])("with $kind twice is asked again, and nothing is lost", async (fault) => {
    await server.setFaults({ rules: [{ fault, times: 2 }] });
    const found = await collect(contracts(contextWith({ timeoutMs: 400 }), day, never));
    expect(found.records).toHaveLength(230);
    expect(server.requests.total()).toBe(5);
  });

  test.each<Fault>([
    { kind: "html" },
    { kind: "malformed_json" },
    { kind: "truncated_json" },
    { kind: "envelope" },
    { kind: "gzip_bomb" },
  ])("with $kind fails in words, and nothing of it is kept", async (fault) => {
    await server.setFaults({ rules: [{ fault, times: 1 }] });
    const context = contextWith();
    const error = await failureOf(collect(contracts(context, day, never)));
    expect(error).toMatchObject({ code: "source_invalid", retry: false });
    expect(error.message).not.toContain("<");
    expect((await collect(contracts(context, day, never))).records).toHaveLength(230);
  });

  test.each<Fault>([{ kind: "wrong_charset" }, { kind: "wrong_content_type" }])("with $kind is read", async (fault) => {
    await server.setFaults({ rules: [{ fault }] });
    expect((await collect(contracts(contextWith(), day, never))).records).toHaveLength(230);
  });

  test.each<[Fault, number]>([
    [{ kind: "field_missing", field: "numeroControlePNCP" }, 0],
    [{ kind: "field_null", field: "orgaoEntidade" }, 0],
    [{ kind: "field_value", field: "valorGlobal", value: "muito" }, 0],
    [{ kind: "field_value", field: "orgaoEntidade", value: 7 }, 230],
  ])("with %j loses no record in silence", async (fault, rejects) => {
    await server.setFaults({ rules: [{ fault }] });
    const found = await collect(contracts(contextWith(), day, never));
    expect(found.records.length + found.rejects).toBe(230);
    expect(found.rejects).toBe(rejects);
  });

  test("and goes on refusing is left alone, by whoever else would ask too", async () => {
    await server.setFaults({ rules: [{ fault: { kind: "rate_limited" } }] });
    const context = contextWith();
    const error = await failureOf(collect(contracts(context, day, never)));
    expect(error).toMatchObject({ code: "rate_limited", retryAfterSeconds: 60 });
    await server.setFaults({});
    const other = await failureOf(collect(items(context, { tenderId: "00394460005887-1-000020/2025" }, never)));
    expect(other).toMatchObject({ code: "rate_limited" });
    expect(server.requests.total()).toBe(4);
  });
});

describe("recorded errors", () => {
  type Recorded = { status: number; body?: string; body_contains?: string; content_type?: string };
  const all = (fixture("recorded-errors.json") as { pncp: Recorded[] }).pncp;
  const codes: Record<number, string> = {
    400: "source_refused",
    422: "source_refused",
    429: "rate_limited",
    500: "source_unavailable",
  };

  const reading = ({ status, body, body_contains }: Recorded) => {
    const fragment = body_contains?.startsWith('"') ? `{${body_contains}"}` : body_contains;
    const text = body ?? (fragment?.startsWith("C") ? JSON.stringify({ message: fragment }) : fragment) ?? "";
    const fake = { request: async () => ({ status, headers: {}, text, url: "" }) };
    return collect(contracts(contextWith({ http: fake, pageRows: 50 }), day, never));
  };
  const saysNothing = ({ status }: Recorded) => status === 204 || status === 404;

  test.each(all.filter(saysNothing))("$status is nothing", async (error) => {
    expect(await reading(error)).toMatchObject({ pages: 0, records: [] });
  });

  test.each(all.filter((error) => !saysNothing(error)))("$status $body $body_contains", async (recordedError) => {
    const error = await failureOf(reading(recordedError));
    expect(error.code).toBe(codes[recordedError.status]);
    expect(error.message).not.toContain("<");
    const words = /Data Final inválida|banco de dados|Código da modalidade|365 dias|Tamanho|Failed to obtain/;
    expect(words.test(error.message)).toBe(words.test(JSON.stringify(recordedError)));
  });
});

test("probes without the cache", async () => {
  const probed = { ...noRecords, contracts: generateContracts({ days: ["2024-07-01"], perDay: 3 }) };
  server.setRecords(probed);
  const opened = pncp.open(
    { PNCP_CONSULTA_URL: server.consultaUrl, PNCP_URL: server.detailUrl },
    contextWith().consulta.outbound,
  );
  for (let round = 0; round < 2; round++) expect(await opened.probe(never)).toEqual({ records: 3, sample: null });
  expect(server.requests.total()).toBe(2);
});
