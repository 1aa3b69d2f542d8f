import { readFileSync } from "node:fs";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { startComprasgov } from "@cidadao/testing/comprasgov/start-comprasgov";
import { afterAll, expect, test } from "vitest";
import type { SourcePage, SourceRecord } from "../define-source.ts";
import { comprasgovContratos } from "./source.ts";

const never = new AbortController().signal;
const http = createHttpClient({ userAgent: "cidadao-tests" });
afterAll(() => http.close());
const fixture = new URL("fixtures/derived-precos.json", import.meta.url);
const prices = JSON.parse(readFileSync(fixture, "utf8")) as Record<string, unknown>[];
const march = { from: "2024-03-01", to: "2024-03-31", agency: null };

test.each([
  ["material-prices", "CATMAT"],
  ["service-prices", "CATSER"],
])("%s gives what buyers paid for an item, in the unit in which they bought it", async (resource, catalogue) => {
  await using server = await startComprasgov({ contracts: [], lists: {}, prices });
  const environment = {
    COMPRASGOV_URL: server.url,
    COMPRASNET_CONTRATOS_URL: server.url,
    COMPRASGOV_PER_MINUTE: "1000000",
  };
  const outbound = { http, ...openSharedLimits(null), cache: createMemoryCache(), cacheTtlSeconds: 0 };
  const opened = comprasgovContratos.open(environment, outbound);
  const pages: SourcePage<SourceRecord>[] = [];
  for (const slice of opened.slices(resource, { ...march, item: "150515" }))
    for await (const page of slice.pages(null, never)) pages.push(page);
  expect(pages.flatMap(({ records }) => records)).toMatchObject([
    {
      catalogue,
      itemCode: "150515",
      unitOfMeasure: "GARRAFA 500 MILILITRO",
      unitPriceCents: 129,
      quantity: 1_000,
      purchasedOn: "2024-03-01",
      supplierTaxId: "11222333000181",
      agencyCode: "20101",
      buyerState: "DF",
    },
    { unitOfMeasure: "UNIDADE", unitPriceCents: null, purchasedOn: "2024-03-02", agencyName: "Órgão não informado" },
  ]);
  expect(pages.flatMap(({ rejects }) => rejects.map(({ reason }) => reason))).toEqual(["no id (idItemCompra)"]);
  expect(() => opened.slices(resource, march)).toThrow(/name its number/);
});
