import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { type PortalServer, startPortal } from "@cidadao/testing/portal/start-portal";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { IngestScope, SourcePage, SourceRecord } from "../define-source.ts";
import { portalTransparencia } from "./source.ts";

const never = new AbortController().signal;
const http = createHttpClient({ userAgent: "cidadao-tests" });
const fixture = new URL("fixtures/derived-expenses.json", import.meta.url);
const unrecorded = JSON.parse(readFileSync(fixture, "utf8")) as Record<string, unknown[]>;
let portal: PortalServer;
beforeAll(async () => {
  const dataFolder = fileURLToPath(new URL("../../../../data", import.meta.url));
  portal = await startPortal({ dataFolder, apiKey: "key", unrecorded });
});
afterAll(async () => {
  await http.close();
  await portal.stop();
});

const day = { from: "2024-01-15", to: "2024-01-15", agency: null };

function slicesOf(resource: string, scope: IngestScope) {
  const environment = {
    TRANSPARENCY_API_KEY: "key",
    PORTAL_TRANSPARENCIA_URL: portal.url,
    PORTAL_TRANSPARENCIA_PER_MINUTE: "1000000",
  };
  const outbound = { http, ...openSharedLimits(null), cache: createMemoryCache(), cacheTtlSeconds: 0 };
  return portalTransparencia.open(environment, outbound).slices(resource, scope);
}

async function read(resource: string, scope: IngestScope) {
  const pages: SourcePage<SourceRecord>[] = [];
  for (const slice of slicesOf(resource, scope)) for await (const page of slice.pages(null, never)) pages.push(page);
  return {
    records: pages.flatMap(({ records }) => records),
    rejects: pages.flatMap(({ rejects }) => rejects),
    complaints: pages.flatMap(({ complaints }) => complaints),
  };
}

describe("expenses", () => {
  test("come by unit, day and phase, with the payee as far as it may be shown", async () => {
    const { records, rejects, complaints } = await read("expenses", { ...day, agency: "110001" });
    expect(records).toMatchObject([
      {
        code: "110001000012024NE000123",
        phase: "commitment",
        issuedOn: "2024-01-15",
        amountCents: 123_456,
        payeeTaxId: "11222333000181",
        processNumber: null,
        provenance: { sourceId: "empenho/110001000012024NE000123" },
      },
      { phase: "payment", payeeKind: "person", amountCents: null },
    ]);
    expect(rejects.map(({ reason }) => reason)).toEqual(["no code of the document (documento)"]);
    expect(complaints.map(({ reason }) => reason).join()).toMatch(/negative amount/);
    expect(JSON.stringify(records)).not.toContain("529.982.247-25");
  });

  test("are asked for once a day and phase, and never without a unit", () => {
    const names = slicesOf("expenses", { ...day, to: "2024-01-16", agency: "110001" }).map(({ name }) => name);
    expect(new Set(names).size).toBe(6);
    expect(() => slicesOf("expenses", day)).toThrow(/name it by its six digits/);
  });
});

describe("what the Portal holds about a company", () => {
  test("is yes or no, and unknown where it is not sent", async () => {
    const { records, complaints } = await read("companies", { ...day, company: "11222333000181" });
    expect(records).toMatchObject([
      { taxId: "11222333000181", name: "EMPRESA LTDA", flags: { ceis: true, cnep: false } },
    ]);
    expect(Object.keys((records[0] as unknown as { flags: object }).flags)).not.toContain("invoices");
    expect(complaints.map(({ field }) => field)).toEqual(["emitiuNFe", "habilitadoRenunciaFiscal"]);
  });

  test("is nothing of one that it does not know, and is not asked for without a CNPJ", async () => {
    expect(await read("companies", { ...day, company: "33000167000101" })).toMatchObject({ records: [], rejects: [] });
    expect(() => slicesOf("companies", day)).toThrow(/name the company/);
    expect(() => slicesOf("companies", { ...day, company: "1" })).toThrow(/not a CNPJ/);
  });
});
