import { readFileSync } from "node:fs";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { type ComprasgovServer, startComprasgov } from "@cidadao/testing/comprasgov/start-comprasgov";
import type { Fault } from "@cidadao/testing/portal/faults";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SourcePage, SourceRecord } from "../define-source.ts";
import { createComprasgovContext } from "./client.ts";
import { readCommitments, readItems } from "./details.ts";
import { comprasgovContratos, contracts, contractsOfUnit } from "./source.ts";
import { readHistory } from "./wire.ts";

const never = new AbortController().signal;
const http = createHttpClient({ userAgent: "cidadao-tests" });
const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8")) as Record<string, unknown>;
const recorded = (fixture("recorded-contratos.json") as { resultado: Record<string, unknown>[] }).resultado;
/** More than a page: the recorded rows again under other numbers. */
const many = Array.from({ length: 1_200 }, (_, index) => ({
  ...recorded[index % 40]!,
  numeroContrato: `${String(index).padStart(5, "0")}/2024`,
  dataVigenciaInicial: "2024-01-10",
}));
const { about: _about, ...lists } = fixture("recorded-comprasnet.json");
const { about: _aboutItems, ...itemLists } = fixture("derived-itens.json");
/** The recorded history is that of a contract which its unit's recorded list does not hold. */
const [history, listedHistory] = ["/api/contrato/118872/historico", "/api/contrato/1004328/historico"];

let server: ComprasgovServer;
beforeAll(async () => {
  server = await startComprasgov({
    contracts: [...recorded, ...many],
    lists: { ...lists, ...itemLists, [listedHistory]: lists[history] } as Record<string, unknown[]>,
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

function open() {
  const outbound = {
    http,
    ...openSharedLimits(null),
    cache: createMemoryCache(),
    cacheTtlSeconds: 0,
    // All readings at one moment, to be compared.
    clock: { now: () => Date.parse("2026-11-01T12:00:00Z") },
  };
  const urls = { openDataUrl: server.url, contratosUrl: server.url };
  return createComprasgovContext({
    outbound,
    ...urls,
    perMinute: 1_000_000,
    timeoutMs: 300,
    backoff: { baseMs: 1, maxMs: 2 },
  });
}

async function collect<Item extends SourceRecord>(pages: AsyncIterable<SourcePage<Item>>) {
  const all = { pages: 0, records: [] as Item[], rejects: 0, excluded: [] as string[] };
  for await (const page of pages) {
    all.pages++;
    all.records.push(...page.records);
    all.rejects += page.rejects.length;
    all.excluded.push(...page.excluded.map(({ reason }) => reason));
  }
  return all;
}

const everything = { from: "2000-01-01", to: "2030-12-31", agency: null };
const january = { from: "2024-01-10", to: "2024-01-10", agency: null };

describe("the list of contracts", () => {
  test("is read to its last page, and every row becomes a record or says why it is none", async () => {
    const found = await collect(contracts(open(), everything, never));
    expect(found.pages).toBe(3);
    expect(found.records.length + found.rejects + found.excluded.length).toBe(recorded.length + many.length);
    expect(found.excluded).toEqual(
      recorded
        .filter(({ receitaDespesa }) => receitaDespesa === "R")
        .map(() => expect.stringContaining("revenue") as string),
    );
    expect(found.records[0]).toMatchObject({
      provenance: { source: "comprasgov-contratos", sourceId: "323031-09108/2008" },
      agencyCode: "32205",
      supplierTaxId: "33770827000133",
      procurementMethod: "direct",
      directAwardKind: "waived",
      startsOn: "2008-10-01",
      currentValueCents: 5_770_781,
      initialValueCents: null,
      signedOn: null,
    });
  });

  test("goes on from any page as if the reading had not stopped", async () => {
    const whole = (await collect(contracts(open(), january, never))).records;
    for await (const page of contracts(open(), january, never)) {
      if (page.next === null) break;
      const rest = (await collect(contracts(open(), january, never, page.next))).records;
      expect(rest).toEqual(whole.slice(Number(page.next["rows"])));
    }
  });

  test("of days without contracts is empty, and no failure", async () => {
    expect(await collect(contracts(open(), { ...everything, to: "2000-12-31" }, never))).toMatchObject({ records: [] });
  });

  test.each<Fault>([
    { kind: "rate_limited" },
    { kind: "server_error", status: 503 },
    { kind: "html" },
    { kind: "malformed_json" },
    { kind: "truncated_json" },
    { kind: "stall_before_headers" },
    { kind: "stall_in_body" },
    { kind: "slow_drip", everyMs: 50 },
    { kind: "reset" },
    { kind: "reset_in_body" },
    { kind: "gzip_bomb" },
    { kind: "duplicate_page" },
  ])("fails, and is never short without saying so, while the source answers badly ($kind)", async (fault) => {
    await server.setFaults({ rules: [{ fault, path: "/modulo-contratos", page: 2 }] });
    await expect(collect(contracts(open(), january, never))).rejects.toThrow(/Compras\.gov\.br/);
  });

  test.each<Fault>([{ kind: "server_error" }, { kind: "reset" }, { kind: "rate_limited" }])(
    "survives a fault that passes ($kind)",
    async (fault) => {
      await server.setFaults({ rules: [{ fault, times: 1 }] });
      expect((await collect(contracts(open(), january, never))).records).toHaveLength(many.length);
    },
  );

  test("refuses an agency that is no SIAFI code before anybody is asked", () => {
    expect(() => contracts(open(), { ...january, agency: "Ministério" }, never)).toThrow("five digits");
    expect(server.requests.total()).toBe(0);
  });
});

describe("contratos.comprasnet", () => {
  const answerOf = (rows: unknown) => ({
    rows: rows as unknown[],
    headers: {},
    retrievedAt: "2026-11-01T12:00:00Z",
    fromCache: false,
    next: null,
  });

  test("gives a unit's contracts with the day of signature, the law and the original value", async () => {
    const { records, rejects } = await contractsOfUnit(open(), { unitCode: "153165" }, never);
    expect(rejects).toEqual([]);
    expect(records[0]).toMatchObject({
      provenance: { sourceId: "153165-00013/2026", url: expect.stringMatching(/contratos\/1004328$/) as string },
      legalBasis: "LEI 14.133/2021 - Artigo: 28 - Inciso: I",
      agencyCode: "26248",
      supplierTaxId: "05340639000130",
      signedOn: "2026-09-10",
      publishedOn: "2026-09-14",
    });
    expect(records.every(({ initialValueCents }) => initialValueCents !== null)).toBe(true);
  });

  test("gives a contract's terms with the value after each, and leaves the contract itself out", () => {
    const input = { contractId: "153165-00029/2021", instrumentId: "118872" };
    const { records, excluded } = readHistory(input)(answerOf(lists[history]));
    expect(excluded).toHaveLength(1);
    expect(records.map(({ kind, contractId }) => ({ kind, contractId }))).toEqual(
      records.map(() => ({
        kind: expect.stringMatching(/amendment|endorsement/) as string,
        contractId: input.contractId,
      })),
    );
    expect(records.length).toBeGreaterThan(0);
  });

  test("is asked about one contract by our id of it, and knows of none that is not in force", async () => {
    const environment = { COMPRASGOV_URL: server.url, COMPRASNET_CONTRATOS_URL: server.url };
    const limits = openSharedLimits(null);
    const outbound = { http, ...limits, cache: createMemoryCache(), cacheTtlSeconds: 0 };
    const opened = comprasgovContratos.open(environment, outbound);
    const ask = async (id: string) => {
      const found: [string, number][] = [];
      for (const { resource, pages } of opened.ofContract(id)) {
        found.push([resource, (await collect(pages(never))).records.length]);
      }
      return found;
    };
    expect(await ask("153165-00013/2026")).toEqual([
      ["unit-contracts", 1],
      ["amendments", 2],
      ["items", 3],
      ["commitments", 1],
    ]);
    expect(await ask("153165-99999/2021")).toEqual([
      ["unit-contracts", 0],
      ["amendments", 0],
      ["items", 0],
      ["commitments", 0],
    ]);
    expect(opened.ofContract("00029/2021")).toEqual([]);
  });

  test("gives a contract's items with the unit price, and no quantity that could be read two ways", () => {
    const about = { contractId: "153165-00013/2026", instrumentId: "1004328" };
    const { records, rejects, complaints } = readItems(about)(answerOf(itemLists["/api/contrato/1004328/itens"]));
    expect(records).toMatchObject([
      {
        contractId: about.contractId,
        number: "00004",
        description: "Cartão com chip, por veículo",
        complement: "GERENCIAMENTO DE ABASTECIMENTO · GESTÃO DE FROTA · Serviço",
        quantity: 27,
        unitPriceCents: 2_135_795,
      },
      { number: "325155", description: "GASOLINA", quantity: 12.5, unitPriceCents: 610 },
      { number: "00006", quantity: null, unitPriceCents: 410 },
    ]);
    expect(rejects).toHaveLength(1);
    expect(complaints.map(({ field }) => field)).toEqual(["quantidade"]);
  });

  test("gives a contract's commitments by the code that the Portal knows them by", () => {
    const about = { contractId: "153165-00013/2026", instrumentId: "1004328" };
    expect(readCommitments(about)(answerOf(lists["/api/contrato/1004328/empenhos"]))).toMatchObject({
      rejects: [],
      records: [{ code: "153165152392026NE000522", issuedOn: "2026-09-02", amountCents: 6_370_283 }],
    });
  });

  test("is waited for as long as the whole list of a unit takes, and no longer", async () => {
    await server.setFaults({ rules: [{ fault: { kind: "stall_before_headers" }, path: "/api/contrato/ug" }] });
    await expect(contractsOfUnit(open(), { unitCode: "153165" }, never)).rejects.toThrow(/900 ms/);
  });
});
