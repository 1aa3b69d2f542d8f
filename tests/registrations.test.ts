import { ingestRecords } from "./support/ingest-records.ts";
import { loadRegistrations } from "@cidadao/database/registrations";
import { refreshRegistrations } from "@cidadao/operations/refresh-registrations";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { createCnpjContext } from "@cidadao/sources/cnpj/client";
import { startCnpj } from "@cidadao/testing/cnpj/start-cnpj";
import { afterAll, beforeEach, expect, test } from "vitest";
import { agency, contract, noLimit, supplier } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
const http = createHttpClient({ userAgent: "cidadao-tests" });
/** Companies with right check digits; the last is in no register. */
const [RICH, POOR, UNKNOWN] = ["15195707000178", "33000167000101", "00000000000191"] as const;
const company = (cnpj: string) => ({ cnpj, razao_social: `EMPRESA ${cnpj}`, data_inicio_atividade: "2020-01-02" });
const companies = { [RICH]: company(RICH), [POOR]: company(POOR) };
const server = await startCnpj({ companies: { opencnpj: companies, minhareceita: {}, brasilapi: {} } });
afterAll(async () => {
  await server.stop();
  await http.close();
  await db[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await server.setFaults({});
  server.requests.reset();
  await db.sql("truncate agencies, suppliers, contracts, registrations, registration_lookups cascade");
  await ingestRecords(db.store, "agencies", [agency("26435")], noLimit);
  await ingestRecords(db.store, "suppliers", [RICH, POOR, UNKNOWN].map(supplier), noLimit);
  const contracts = [RICH, POOR, UNKNOWN].map((cnpj, index) =>
    contract(`c${index}`, { supplierId: cnpj, supplierTaxId: cnpj, initialValueCents: 1_000_000 - 100_000 * index }),
  );
  await ingestRecords(db.store, "contracts", contracts, noLimit);
});

function refresh(suppliersMax = 10) {
  const outbound = {
    http,
    ...openSharedLimits(null),
    cache: createMemoryCache(),
    cacheTtlSeconds: 0,
  };
  const { openCnpjUrl, minhaReceitaUrl, brasilApiUrl } = server;
  const urls = { openCnpjUrl, minhaReceitaUrl, brasilApiUrl };
  const cnpj = createCnpjContext({
    outbound,
    ...urls,
    perMinute: 1_000_000,
    timeoutMs: 5_000,
    backoff: { baseMs: 1, maxMs: 2 },
  });
  return refreshRegistrations({ store: db.store, cnpj }, { suppliersMax }, noLimit);
}

test("looks every supplier up once in thirty days, one that no register has as well", async () => {
  expect(await refresh()).toMatchObject({ notFound: 1, written: 2, coverage: { asked: 3, answered: 3, missing: [] } });
  const stored = await loadRegistrations(db.store, [RICH, POOR, UNKNOWN], noLimit);
  expect(stored.map(({ cnpj, openedOn, partners }) => ({ cnpj, openedOn, partners }))).toEqual([
    { cnpj: RICH, openedOn: "2020-01-02", partners: [] },
    { cnpj: POOR, openedOn: "2020-01-02", partners: [] },
  ]);
  server.requests.reset();
  expect(await refresh()).toMatchObject({ coverage: { asked: 0 } });
  await db.sql("update registration_lookups set asked_at = now() - interval '31 days' where cnpj = $1", [UNKNOWN]);
  expect(await refresh()).toMatchObject({ notFound: 1, coverage: { asked: 1 } });
  expect(server.requests.total()).toBe(3);
});

test("begins with the suppliers that get the most money", async () => {
  await refresh(1);
  expect(await db.sql("select cnpj from registrations")).toEqual([{ cnpj: RICH }]);
});

test("names who could not be looked up, and asks again the next time", async () => {
  await server.setFaults({ rules: [{ path: `/opencnpj/${RICH}`, fault: { kind: "server_error" } }] });
  const failed = await refresh();
  expect(failed.coverage.missing).toEqual([
    { what: `cadastro de ${RICH}`, why: expect.stringContaining("OpenCNPJ") as string },
  ]);
  await server.setFaults({});
  expect(await refresh()).toMatchObject({ written: 1, coverage: { asked: 1, missing: [] } });
});
