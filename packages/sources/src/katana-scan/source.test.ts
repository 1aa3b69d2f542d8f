import { readFileSync } from "node:fs";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { startKatana } from "@cidadao/testing/katana/start-katana";
import { afterAll, describe, expect, test } from "vitest";
import { createKatanaContext } from "./client.ts";
import { awards, katanaScan } from "./source.ts";

const TOKEN = "token-secreto-0123456789";
const never = new AbortController().signal;
const http = createHttpClient({ userAgent: "cidadao-tests" });
const derived = JSON.parse(readFileSync(new URL("fixtures/derived-awards.json", import.meta.url), "utf8")) as {
  data: unknown[];
};
afterAll(() => http.close());

const outbound = () => ({ http, ...openSharedLimits(null), cache: createMemoryCache(), cacheTtlSeconds: 0 });

async function read(all: unknown, token = TOKEN) {
  await using server = await startKatana({ token: TOKEN, all });
  const backoff = { baseMs: 1, maxMs: 2 };
  const context = createKatanaContext({ outbound: outbound(), baseUrl: server.url, token, perMinute: 1_000, backoff });
  for await (const page of awards(context, never)) return page;
  return null;
}

describe("the direct awards of Katana Scan", () => {
  test.each([
    ["a list", derived.data],
    ["a list in an envelope", derived],
  ])("are read from %s, as far as they say what they are", async (_, all) => {
    const page = await read(all);
    expect(page).toMatchObject({
      records: [
        { number: "12/2024", directAwardKind: "waived", supplierTaxId: "11222333000181", initialValueCents: 123_450 },
        { number: "2", agencyName: "Órgão 26435", supplierKind: "person", publishedOn: null, initialValueCents: null },
      ],
      rejects: [{ sourceId: "3", reason: "no agency (orgao.codigo)" }],
    });
    expect(JSON.stringify(page)).not.toContain("529.982.247-25");
  });

  test("are a failure where something else than a list comes", async () => {
    for (const all of [{ ok: true }, "x", 7, null]) {
      await expect(read(all)).rejects.toMatchObject({ code: "source_invalid" });
    }
  });

  test("are refused without the right token, which no message repeats", async () => {
    const refused = read(derived, "token-errado-987");
    await expect(refused).rejects.toMatchObject({ code: "source_refused", retry: false });
    await expect(refused).rejects.not.toThrow("token-errado-987");
  });
});

describe("the token", () => {
  const open = (variables: Record<string, string>) => () =>
    katanaScan.open({ KATANA_TOKEN: TOKEN, ...variables }, outbound());

  test("never travels over plain HTTP, unless that is allowed", () => {
    expect(open({ KATANA_URL: "http://katana.example.org" })).toThrow("KATANA_PLAIN_HTTP=true");
    expect(open({ KATANA_URL: "http://katana.example.org", KATANA_PLAIN_HTTP: "yes" })).toThrow("KATANA_PLAIN_HTTP");
    expect(open({ KATANA_URL: "http://katana.example.org", KATANA_PLAIN_HTTP: "true" })).not.toThrow();
    expect(open({ KATANA_URL: "https://katana.example.org" })).not.toThrow();
  });

  test("and the address are what it is off without", () => {
    expect(katanaScan.missing({})).toEqual(["KATANA_URL", "KATANA_TOKEN"]);
    expect(katanaScan.missing({ KATANA_URL: "https://katana.example.org", KATANA_TOKEN: " " })).toEqual([
      "KATANA_TOKEN",
    ]);
  });
});
