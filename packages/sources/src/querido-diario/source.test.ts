import { readFileSync } from "node:fs";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { type QueridoDiarioServer, startQueridoDiario } from "@cidadao/testing/querido-diario/start-querido-diario";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createQueridoDiarioContext } from "./client.ts";
import { type GazetteSearch, queridoDiario, searchGazettes } from "./source.ts";

const never = new AbortController().signal;
const http = createHttpClient({ userAgent: "cidadao-tests" });
const fixture = readFileSync(new URL("fixtures/derived-gazettes.json", import.meta.url), "utf8");
const { gazettes: derived } = JSON.parse(fixture) as { gazettes: Record<string, unknown>[] };
const many = Array.from({ length: 230 }, (_, index) => ({
  ...derived[0],
  date: "2023-05-05",
  edition: String(index),
}));

let server: QueridoDiarioServer;
beforeAll(async () => {
  server = await startQueridoDiario({ gazettes: [...derived, ...many] });
});
beforeEach(async () => {
  await server.setFaults({});
  server.requests.reset();
});
afterAll(async () => {
  await http.close();
  await server.stop();
});

const outbound = () => ({ http, ...openSharedLimits(null), cache: createMemoryCache(), cacheTtlSeconds: 0 });

async function search(given: Partial<GazetteSearch> = {}) {
  const rate = { perMinute: 1_000_000, timeoutMs: 5_000, backoff: { baseMs: 1, maxMs: 2 } };
  const context = createQueridoDiarioContext({ outbound: outbound(), baseUrl: server.url, ...rate });
  const input = { query: "EMPRESA DE EXEMPLO", from: null, to: null, territories: [], gazettesMax: 1_000, ...given };
  const found = { records: [] as unknown[], rejects: 0, complaints: 0, total: 0 };
  for await (const page of searchGazettes(context, input, never)) {
    found.records.push(...page.records);
    found.rejects += page.rejects.length;
    found.complaints += page.complaints.length;
    found.total = page.total;
  }
  return found;
}

describe("a search in the gazettes", () => {
  test("gives the editions of the days asked for, without a CPF and without an address that is none", async () => {
    const found = await search({ from: "2024-02-01", to: "2024-02-29" });
    expect(found).toMatchObject({
      total: 2,
      complaints: 1,
      records: [
        { territoryName: "Rio de Janeiro", state: "RJ", publishedOn: "2024-02-05", edition: "220", isExtra: false },
        { provenance: { url: "https://queridodiario.ok.org.br" }, isExtra: true, excerpts: [], textUrl: null },
      ],
    });
    expect(JSON.stringify(found)).toContain("***.982.247-**");
    expect(JSON.stringify(found)).not.toContain("529.982.247-25");
  });

  test("tells of an edition without a day instead of leaving it out", async () => {
    expect(await search({ territories: ["3550308"] })).toMatchObject({ rejects: 1, records: [{}] });
  });

  test("reads as many pages as there are, or as are wanted, and says how many there would be", async () => {
    const day = { from: "2023-05-05", to: "2023-05-05" };
    const all = await search(day);
    expect(all.records).toHaveLength(230);
    expect(server.requests.total()).toBe(3);
    const some = await search({ ...day, gazettesMax: 120 });
    expect({ shown: some.records.length, total: some.total }).toEqual({ shown: 120, total: 230 });
  });

  test("that finds nothing has found nothing, and one that was not answered fails", async () => {
    expect(await search({ from: "2020-01-01", to: "2020-01-02" })).toMatchObject({ records: [], total: 0 });
    for (const [kind, code] of [
      ["html", "source_invalid"],
      ["malformed_json", "source_invalid"],
      ["reset", "source_unavailable"],
    ] as const) {
      await server.setFaults({ rules: [{ fault: { kind } }] });
      await expect(search()).rejects.toMatchObject({ code });
    }
  });

  test("without words is not asked", async () => {
    await expect(search({ query: "  " })).rejects.toMatchObject({ code: "invalid_request" });
    expect(server.requests.total()).toBe(0);
  });
});

test("a probe sees one edition", async () => {
  const opened = queridoDiario.open({ QUERIDO_DIARIO_URL: server.url }, outbound());
  expect(await opened.probe(never)).toEqual({ records: 1, sample: null });
});
