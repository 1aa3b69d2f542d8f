import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AppError } from "@cidadao/runtime/errors";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createMemoryPauses } from "@cidadao/runtime/pauses";
import { createMemoryRateLimiter, type RateLimiter } from "@cidadao/runtime/rate-limit";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import type { Fault, FaultPlan } from "@cidadao/testing/portal/faults";
import { type PortalServer, startPortal } from "@cidadao/testing/portal/start-portal";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SourcePage, SourceRecord } from "../define-source.ts";
import type { Outbound } from "../outbound.ts";
import { createPortalContext, type PortalOptions } from "./client.ts";
import { portalConfig } from "./config.ts";
import {
  agencies,
  amendments,
  contractsByAgency,
  contractsBySupplier,
  items,
  portalTransparencia,
  sanctions,
} from "./source.ts";

const API_KEY = "chave-secreta-0123456789";
const never = new AbortController().signal;
const january = { agencyCode: "26435", from: "2024-01-01", to: "2024-12-31" };

const http = createHttpClient({ userAgent: "cidadao-tests" });
let portal: PortalServer;

beforeAll(async () => {
  const dataFolder = fileURLToPath(new URL("../../../../data", import.meta.url));
  portal = await startPortal({ dataFolder, apiKey: API_KEY });
});
beforeEach(async () => {
  await portal.setFaults({});
  portal.requests.reset();
});
afterAll(async () => {
  await http.close();
  await portal.stop();
});

type Options = Omit<PortalOptions, "outbound"> & Outbound & { rateLimit: RateLimiter };

function contextWith(options: Partial<Options> = {}) {
  const { rateLimit = createMemoryRateLimiter({ perMinute: 1_000_000 }), ...given } = options;
  const outbound: Outbound = {
    http,
    limiter: () => rateLimit,
    cache: createMemoryCache(),
    pauses: createMemoryPauses(),
    cacheTtlSeconds: 3_600,
    ...given,
  };
  return createPortalContext({
    outbound,
    baseUrl: portal.url,
    apiKey: API_KEY,
    rate: { perMinute: 1_000_000 },
    backoff: { baseMs: 1, maxMs: 2 },
    ...given,
  });
}

async function collect<Item extends SourceRecord>(pages: AsyncIterable<SourcePage<Item>>) {
  const all = {
    pages: 0,
    records: [] as Item[],
    rejects: 0,
    complaints: 0,
    fromCache: 0,
    samples: new Set<string | null>(),
  };
  for await (const page of pages) {
    all.pages++;
    all.records.push(...page.records);
    all.rejects += page.rejects.length;
    all.complaints += page.complaints.length;
    if (page.fromCache) all.fromCache++;
    all.samples.add(page.sample);
  }
  return all;
}

/** The failure of an operation, after checking what holds for every failure: it is ours and does not show the key. */
async function failureOf(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AppError);
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    expect(cause.message).not.toContain(API_KEY);
  }
  return error as AppError;
}

const fault = (one: Fault, more = {}): FaultPlan => ({ rules: [{ fault: one, ...more }] });

describe("pages", () => {
  test("reads all of them and says that they are a sample", async () => {
    const found = await collect(contractsByAgency(contextWith(), january, never));
    expect(found).toMatchObject({ pages: 3, rejects: 0, complaints: 0, fromCache: 0 });
    expect(found.records).toHaveLength(44);
    expect(new Set(found.records.map((record) => record.provenance.sourceId)).size).toBe(44);
    expect([...found.samples][0]).toContain("janeiro de 2024");
    expect(portal.requests.total()).toBe(3);
  });

  test("asks once more when the last page is full, and gives no empty page", async () => {
    const found = await collect(agencies(contextWith(), {}, never));
    expect(found.records.length).toBeGreaterThan(180);
    expect((await collect(agencies(contextWith(), { agencyCode: "26435" }, never))).records).toMatchObject([
      { code: "26435", name: "Instituto Federal do Rio Grande do Norte" },
    ]);
    expect((await collect(contractsByAgency(contextWith(), { ...january, agencyCode: "99999" }, never))).pages).toBe(0);
  });

  test("stops at a visible error, not at a silent end, when there are more pages than it may read", async () => {
    const error = await failureOf(collect(contractsByAgency(contextWith({ pagesMax: 2 }), january, never)));
    expect(error).toMatchObject({ code: "source_invalid" });
    expect(error.message).toContain("2 páginas");
  });

  test("notices a portal that repeats a page, and stores no such page", async () => {
    await portal.setFaults(fault({ kind: "duplicate_page" }));
    const context = contextWith();
    expect(await failureOf(collect(contractsByAgency(context, january, never)))).toMatchObject({
      code: "source_invalid",
    });
    await portal.setFaults({});
    expect((await collect(contractsByAgency(context, january, never))).records).toHaveLength(44);
  });

  test("reads contracts of a supplier, items, amendments and sanctions", async () => {
    const context = contextWith();
    const contracts = await collect(contractsBySupplier(context, { cnpj: "15.195.707/0001-78" }, never));
    expect(contracts.records.length).toBeGreaterThan(0);
    const contractId = contracts.records[0]!.provenance.sourceId;
    const found = await collect(items(context, { contractId }, never));
    expect(found.records[0]).toMatchObject({ contractId });
    await collect(amendments(context, { contractId }, never));
    expect(portal.requests.count({ path: "/contratos/termo-aditivo", params: { id: contractId } })).toBe(1);
    const listed = await collect(sanctions(context, { list: "ceis", cnpj: "00.009.282/0001-98" }, never));
    expect(listed.records).toMatchObject([{ taxId: "00009282000198" }, { taxId: "00009282000198" }]);
    expect((await collect(sanctions(context, { list: "cnep" }, never))).records).toHaveLength(1);
    const invalid = { code: "invalid_request" };
    expect(() => contractsBySupplier(context, { cnpj: "123" }, never)).toThrow(expect.objectContaining(invalid));
  });

  test("probes without the cache", async () => {
    const environment = { TRANSPARENCY_API_KEY: API_KEY, PORTAL_TRANSPARENCIA_URL: portal.url };
    const opened = portalTransparencia.open(environment, contextWith().door.outbound);
    for (let probe = 0; probe < 2; probe++) {
      const { records } = await opened.probe(never);
      expect(records).toBeGreaterThanOrEqual(portalTransparencia.probeRecordsMin);
    }
    expect(portal.requests.total()).toBe(2);
  });

  test("lets many iterators run at once", async () => {
    const context = contextWith();
    const codes = (await collect(agencies(context, {}, never))).records.map((agency) => agency.code);
    const counts = await Promise.all(
      codes.slice(0, 40).map((agencyCode) => collect(contractsByAgency(context, { ...january, agencyCode }, never))),
    );
    expect(counts.reduce((sum, { records }) => sum + records.length, 0)).toBeGreaterThan(300);
  });
});

describe("tries again", () => {
  test.each<Fault>([
    { kind: "server_error", status: 503 },
    { kind: "server_error", status: 500, retryAfter: 0 },
    { kind: "rate_limited" },
    { kind: "rate_limited", retryAfter: 0 },
    { kind: "reset" },
    { kind: "reset_in_body" },
    { kind: "stall_before_headers" },
    { kind: "stall_in_body" },
    { kind: "slow_drip", everyMs: 5 },
  ])("twice after $kind, and is then content", async (one) => {
    await portal.setFaults(fault(one, { times: 2 }));
    const context = contextWith({ timeouts: { headersMs: 400, bodyMs: 400, totalMs: 600 } });
    expect((await collect(contractsByAgency(context, january, never))).records).toHaveLength(44);
    expect(portal.requests.count({ params: { pagina: "1" } })).toBe(3);
  });

  test.each<[Fault, string]>([
    [{ kind: "server_error", status: 502 }, "source_unavailable"],
    [{ kind: "reset" }, "source_unavailable"],
    [{ kind: "rate_limited" }, "rate_limited"],
    [{ kind: "stall_before_headers" }, "deadline_exceeded"],
  ])("three times at most after %j", async (one, code) => {
    await portal.setFaults(fault(one));
    const context = contextWith({ timeouts: { headersMs: 30 } });
    expect(await failureOf(collect(contractsByAgency(context, january, never)))).toMatchObject({ code, retry: true });
    expect(portal.requests.total()).toBe(3);
  });

  test("not at all when the portal asks for a long wait, and hands the wait over", async () => {
    await portal.setFaults(fault({ kind: "rate_limited", retryAfter: 3_600 }));
    const error = await failureOf(collect(contractsByAgency(contextWith(), january, never)));
    expect(error).toMatchObject({ code: "rate_limited", retryAfterSeconds: 3_600 });
    const date = new Date(Date.now() + 120_000).toUTCString();
    await portal.setFaults(fault({ kind: "rate_limited", retryAfter: date }));
    const dated = await failureOf(collect(contractsByAgency(contextWith(), january, never)));
    expect(dated.retryAfterSeconds).toBeGreaterThan(30);
    expect(portal.requests.total()).toBe(2);
  });

  test("and fails as unavailable when nothing listens", async () => {
    await portal.setFaults({ down: true });
    const error = await failureOf(collect(contractsByAgency(contextWith(), january, never)));
    expect(error).toMatchObject({ code: "source_unavailable", retry: true });
  });

  test.each<[Fault, string]>([
    [{ kind: "html" }, "source_invalid"],
    [{ kind: "malformed_json" }, "source_invalid"],
    [{ kind: "truncated_json" }, "source_invalid"],
    [{ kind: "envelope" }, "source_invalid"],
  ])("not after %j, which trying again would not mend", async (one, code) => {
    await portal.setFaults(fault(one));
    const error = await failureOf(collect(contractsByAgency(contextWith(), january, never)));
    expect(error).toMatchObject({ code, retry: false });
    expect(portal.requests.total()).toBe(1);
  });

  test("until the signal aborts", async () => {
    const stop = new AbortController();
    const reason = new AppError("shutting_down", "stopping");
    await portal.setFaults(fault({ kind: "stall_before_headers" }));
    const reading = failureOf(collect(contractsByAgency(contextWith(), january, stop.signal)));
    await expect.poll(() => portal.requests.total()).toBe(1);
    stop.abort(reason);
    expect(await reading).toBe(reason);
  });
});

describe("the key", () => {
  test.each<[string, FaultPlan, Partial<PortalOptions>, string]>([
    ["wrong", {}, { apiKey: "outra-chave" }, "Chave de API inválida!"],
    ["missing", {}, { apiKey: "" }, "Chave de API não informada!"],
    ["refused", fault({ kind: "key_invalid" }), {}, "HTTP 401"],
    ["suspended", fault({ kind: "forbidden" }), {}, "HTTP 403"],
  ])("rests after it was %s, and is used again when the pause is over", async (_, plan, options, words) => {
    await portal.setFaults(plan);
    const clock = { ms: Date.parse("2024-02-01T00:00:00Z"), now: () => clock.ms };
    const context = contextWith({ ...options, clock, keyPauseSeconds: 600 });
    const first = await failureOf(collect(contractsByAgency(context, january, never)));
    expect(first).toMatchObject({ code: "source_refused", retry: false, retryAfterSeconds: 600 });
    expect(first.message).toContain(words);
    expect(first.message).not.toContain("<");
    clock.ms += 599_000;
    const second = await failureOf(collect(sanctions(context, { list: "ceis" }, never)));
    expect(second).toMatchObject({ code: "source_refused", retryAfterSeconds: 1 });
    expect(portal.requests.total()).toBe(1);
    clock.ms += 1_000;
    await portal.setFaults({});
    context.door.headers["chave-api-dados"] = API_KEY;
    expect((await collect(contractsByAgency(context, january, never))).records).toHaveLength(44);
  });

  test("does not come back in an error that repeats it", async () => {
    const echoing: Pick<Outbound, "http"> = {
      http: {
        request: (request) =>
          Promise.resolve({
            status: 400,
            headers: {},
            text: JSON.stringify({ "Erro na API": `${request.headers!["chave-api-dados"]} 529.982.247-25` }),
            url: request.url,
          }),
      },
    };
    const error = await failureOf(collect(contractsByAgency(contextWith(echoing), january, never)));
    expect(error.code).toBe("source_refused");
    expect(error.message).toContain("*** ***.982.247-**");
  });
});

test("passes on the portal's own words when it refuses a request, and does not blame the key", async () => {
  const context = contextWith();
  const input = { ...january, agencyCode: "" };
  const error = await failureOf(collect(contractsByAgency(context, input, never)));
  expect(error).toMatchObject({ code: "source_refused", retry: false });
  expect(error.message).toContain("Required parameter 'codigoOrgao' is not present");
  expect((await collect(contractsByAgency(context, january, never))).pages).toBe(3);
});

describe("recorded errors", () => {
  type Recorded = { when: string; status: number; body?: string; body_contains?: string };
  const file = new URL("fixtures/recorded-errors.json", import.meta.url);
  const recorded = (JSON.parse(readFileSync(file, "utf8")) as { portal: Recorded[] }).portal;

  test.each(recorded.filter(({ status }) => status !== 200))(
    "$status: $when",
    async ({ status, body, body_contains }) => {
      const text = body ?? (body_contains ? JSON.stringify({ "Erro na API": body_contains }) : "");
      const http = { request: () => Promise.resolve({ status, headers: {}, text, url: "" }) };
      const error = await failureOf(collect(contractsByAgency(contextWith({ http }), january, never)));
      expect(error.code).toBe("source_refused");
      const words = body ? Object.values(JSON.parse(body) as Record<string, string>)[0]! : (body_contains ?? "");
      expect(error.message).toContain(words);
    },
  );
});

describe("the cache", () => {
  test("answers the same question again, with the moment it was first read", async () => {
    const clock = { ms: Date.parse("2024-02-01T00:00:00Z"), now: () => clock.ms };
    const context = contextWith({ clock });
    const first = await collect(contractsByAgency(context, january, never));
    clock.ms += 60_000;
    const again = await collect(contractsByAgency(context, january, never));
    expect(again.fromCache).toBe(3);
    expect(again.records).toEqual(first.records);
    expect(again.samples).toEqual(first.samples);
    expect(portal.requests.total()).toBe(3);
  });

  test("tells questions apart by every parameter", async () => {
    const context = contextWith();
    const others = [
      january,
      { ...january, agencyCode: "26443" },
      { ...january, from: "2024-01-02" },
      { ...january, to: "2024-12-30" },
    ];
    for (const input of others) {
      portal.requests.reset();
      expect((await collect(contractsByAgency(context, input, never))).fromCache).toBe(0);
      expect(portal.requests.total()).toBeGreaterThan(0);
    }
    await collect(sanctions(context, { list: "ceis", cnpj: "00.009.282/0001-98" }, never));
    expect((await collect(sanctions(context, { list: "cnep", cnpj: "00.009.282/0001-98" }, never))).fromCache).toBe(0);
  });

  test("keeps no error", async () => {
    const clock = { ms: Date.now(), now: () => clock.ms };
    const context = contextWith({ clock });
    const faults: Fault[] = [
      { kind: "html" },
      { kind: "malformed_json" },
      { kind: "envelope" },
      { kind: "rate_limited", retryAfter: 99 },
    ];
    for (const one of faults) {
      await portal.setFaults(fault(one));
      await failureOf(collect(contractsByAgency(context, january, never)));
    }
    clock.ms += 100_000;
    await portal.setFaults({});
    expect(await collect(contractsByAgency(context, january, never))).toMatchObject({ pages: 3, fromCache: 0 });
  });

  test("is not used when its time is 0", async () => {
    const context = contextWith({ cacheTtlSeconds: 0 });
    for (let round = 0; round < 2; round++) await collect(contractsByAgency(context, january, never));
    expect(portal.requests.total()).toBe(6);
  });
});

describe("a portal that changes its format", () => {
  test.each<[Fault, { rejects: number; complaints: number }]>([
    [
      { kind: "field_missing", field: "valorFinalCompra" },
      { rejects: 0, complaints: 44 },
    ],
    [
      { kind: "field_null", field: "valorFinalCompra" },
      { rejects: 0, complaints: 0 },
    ],
    [
      { kind: "field_value", field: "valorFinalCompra", value: -5 },
      { rejects: 0, complaints: 44 },
    ],
    [
      { kind: "field_value", field: "dataAssinatura", value: "0022-13-45" },
      { rejects: 0, complaints: 44 },
    ],
    [
      { kind: "field_missing", field: "id" },
      { rejects: 44, complaints: 0 },
    ],
    [
      { kind: "field_null", field: "unidadeGestora.orgaoVinculado" },
      { rejects: 44, complaints: 0 },
    ],
    [
      { kind: "field_value", field: "fornecedor", value: "x" },
      { rejects: 44, complaints: 0 },
    ],
  ])("loses nothing in silence after %j", async (one, expected) => {
    await portal.setFaults(fault(one));
    const found = await collect(contractsByAgency(contextWith(), january, never));
    expect(found).toMatchObject(expected);
    expect(found.records.length + found.rejects).toBe(44);
  });
});

test("takes a turn for every request it makes, and none for what it finds in the cache", async () => {
  let turns = 0;
  const rateLimit = { take: () => Promise.resolve(void turns++) };
  const context = contextWith({ rateLimit });
  await portal.setFaults(fault({ kind: "server_error" }, { times: 1 }));
  for (let round = 0; round < 2; round++) await collect(contractsByAgency(context, january, never));
  expect(turns).toBe(4);
  expect(portal.requests.total()).toBe(4);
});

const acceptsUrl = (text: string) =>
  portalConfig.safeParse({ TRANSPARENCY_API_KEY: "k", PORTAL_TRANSPARENCIA_URL: text }).success;

test("reads its settings, and never sends the key in clear", () => {
  expect(portalConfig.parse({ TRANSPARENCY_API_KEY: " k " })).toEqual({
    TRANSPARENCY_API_KEY: "k",
    PORTAL_TRANSPARENCIA_URL: "https://api.portaldatransparencia.gov.br/api-de-dados",
    PORTAL_TRANSPARENCIA_PER_MINUTE: 90,
    PORTAL_TRANSPARENCIA_TIMEOUT_SECONDS: 30,
  });
  const urls = ["http://127.0.0.1:1/api-de-dados", "http://example.org", "nonsense"];
  expect(urls.map(acceptsUrl)).toEqual([true, false, false]);
  expect(portalConfig.safeParse({}).success).toBe(false);
});
