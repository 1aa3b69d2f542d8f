import { readFileSync } from "node:fs";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { AppError } from "@cidadao/runtime/errors";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createMemoryCache, type ResponseCache } from "@cidadao/runtime/response-cache";
import { type CnpjServer, startCnpj } from "@cidadao/testing/cnpj/start-cnpj";
import type { Fault } from "@cidadao/testing/portal/faults";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Outbound } from "../outbound.ts";
import { createCnpjContext } from "./client.ts";
import { registration } from "./source.ts";

const never = new AbortController().signal;
const http = createHttpClient({ userAgent: "cidadao-tests" });
const shapes = JSON.parse(
  readFileSync(new URL("fixtures/derived-registrations.json", import.meta.url), "utf8"),
) as Record<"opencnpj" | "minhareceita", Record<string, unknown>>;
const CNPJ = "15195707000178";
const UNKNOWN = "00000000000191";

let server: CnpjServer;
beforeAll(async () => {
  server = await startCnpj({
    companies: {
      opencnpj: { [CNPJ]: shapes.opencnpj },
      minhareceita: { [CNPJ]: shapes.minhareceita },
      brasilapi: { [CNPJ]: shapes.minhareceita },
    },
  });
});
beforeEach(async () => {
  await server.setFaults({});
  server.requests.reset();
});
afterAll(async () => {
  await http.close();
  await server.stop();
});

function open(options: Partial<Outbound> = {}) {
  const outbound: Outbound = {
    http,
    ...openSharedLimits(null),
    cache: createMemoryCache(),
    cacheTtlSeconds: 3_600,
    ...options,
  };
  const { openCnpjUrl, minhaReceitaUrl, brasilApiUrl } = server;
  const urls = { openCnpjUrl, minhaReceitaUrl, brasilApiUrl };
  return createCnpjContext({
    outbound,
    ...urls,
    perMinute: 1_000_000,
    timeoutMs: 300,
    backoff: { baseMs: 1, maxMs: 2 },
  });
}

const fail = (path: string, fault: Fault = { kind: "server_error" }) => ({ fault, path });

describe("the registers of companies", () => {
  test("give one and the same record, whichever of them answers", async () => {
    const first = await registration(open(), { cnpj: CNPJ }, never);
    await server.setFaults({ rules: [fail("/opencnpj")] });
    const second = await registration(open(), { cnpj: CNPJ }, never);
    const [{ provenance: _first, ...one }, { provenance: _second, ...other }] = [
      first!.records[0]!,
      second!.records[0]!,
    ];
    expect(one).toEqual(other);
    expect(one).toEqual({
      cnpj: CNPJ,
      name: "EMPRESA DE EXEMPLO LTDA",
      openedOn: "2012-03-05",
      status: "ATIVA",
      statusSince: "2012-03-05",
      mainActivity: "0161001",
      capitalCents: 15_000_050,
      address: "RUA DAS FLORES 100 SALA 2 70000000",
      phone: "6133334444",
      email: null,
      partners: [
        { taxId: "***.456.789-**", name: "PESSOA DE EXEMPLO" },
        { taxId: "00000000000191", name: "OUTRA EMPRESA S.A." },
      ],
    });
    expect([first!.complaints, second!.complaints]).toEqual([[], []]);
  });

  test.each<Fault>([
    { kind: "server_error", status: 503 },
    { kind: "rate_limited" },
    { kind: "forbidden" },
    { kind: "html" },
    { kind: "malformed_json" },
    { kind: "truncated_json" },
    { kind: "stall_before_headers" },
    { kind: "stall_in_body" },
    { kind: "reset" },
    { kind: "gzip_bomb" },
  ])("are asked one after the other when one does not give a good answer ($kind)", async (fault) => {
    await server.setFaults({ rules: [fail("/opencnpj", fault), fail("/minhareceita", fault)] });
    const found = await registration(open(), { cnpj: CNPJ }, never);
    expect(found!.records).toHaveLength(1);
  });

  test("do not have a company when all that answer say so", async () => {
    expect(await registration(open(), { cnpj: UNKNOWN }, never)).toBeNull();
  });

  test("leave open whether there is a company while one of them is down and the others do not have it", async () => {
    await server.setFaults({ rules: [fail("/minhareceita")] });
    const failing = registration(open(), { cnpj: UNKNOWN }, never);
    await expect(failing).rejects.toThrow(AppError);
    await expect(failing).rejects.toThrow(/Minha Receita/);
  });

  test("are asked once in thirty days about a company that is there, once a day about one that is not", async () => {
    const cache = createMemoryCache();
    const kept: number[] = [];
    const observed: ResponseCache = {
      ...cache,
      set(key, value, seconds) {
        kept.push(seconds);
        return cache.set(key, value, seconds);
      },
    };
    const context = open({ cache: observed });
    await registration(context, { cnpj: CNPJ }, never);
    await registration(context, { cnpj: CNPJ }, never);
    expect(server.requests.total()).toBe(1);
    await registration(context, { cnpj: UNKNOWN }, never);
    expect(kept).toEqual([30 * 86_400, 86_400, 86_400, 86_400]);
  });

  test("are not asked about a number that is no CNPJ", async () => {
    await expect(registration(open(), { cnpj: "15195707000179" }, never)).rejects.toThrow("check digits");
    expect(server.requests.total()).toBe(0);
  });
});
