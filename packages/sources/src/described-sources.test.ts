import { readFileSync } from "node:fs";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { type StateCourtsData, startStateCourts } from "@cidadao/testing/state-courts/start-state-courts";
import { afterAll, describe, expect, test } from "vitest";
import type { Source, SourcePage, SourceRecord } from "./define-source.ts";
import { sources, sourcesInUse } from "./registry.ts";

const never = new AbortController().signal;
const http = createHttpClient({ userAgent: "cidadao-tests" });
afterAll(() => http.close());
const outbound = () => ({ http, ...openSharedLimits(null), cache: createMemoryCache(), cacheTtlSeconds: 0 });

function fixture<Content>(file: string): Content {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8")) as Content;
}
const data: Required<StateCourtsData> = {
  ibge: fixture("ibge/fixtures/derived-municipios.json"),
  saoPaulo: fixture("tce-sp/fixtures/derived-municipios.json"),
  rioDeJaneiro: fixture<{ Contratos: Record<string, unknown>[] }>("tce-rj/fixtures/derived-contratos.json").Contratos,
  rioDeJaneiroDirect: fixture<{ Compras: Record<string, unknown>[] }>("tce-rj/fixtures/derived-compras-diretas.json")
    .Compras,
  ceara: fixture("tce-ce/fixtures/derived-contratos.json"),
  pernambuco: fixture("tce-pe/fixtures/derived-contratos.json"),
  tcu: fixture("tcu/fixtures/derived-inidoneos.json"),
};
const year = { from: "2024-01-01", to: "2024-12-31" };
const scopes: Record<string, { resource: string; agency: string | null }> = {
  ibge: { resource: "municipalities", agency: null },
  "tce-sp": { resource: "agencies", agency: null },
  "tce-rj": { resource: "contracts", agency: null },
  "tce-ce": { resource: "contracts", agency: "057" },
  "tce-pe": { resource: "contracts", agency: "601" },
  tcu: { resource: "debarred", agency: null },
};
const described = sources.filter((source) => source.described);

/** All that a source says of its scope, and how often it was asked. */
async function read(
  id: string,
  given: StateCourtsData = data,
  changed: Record<string, string> = {},
  named: string | null = null,
) {
  await using server = await startStateCourts({ data: given });
  const environment = { ...server.environment, [perMinuteOf(id)]: "1000000", ...withOrigin(changed, server.origin()) };
  const { agency } = scopes[id]!;
  const resource = named ?? scopes[id]!.resource;
  const pages: SourcePage<SourceRecord>[] = [];
  for (const slice of sourceOf(id)
    .open(environment, outbound())
    .slices(resource, { ...year, agency })) {
    for await (const page of slice.pages(null, never)) pages.push(page);
  }
  const all = {
    records: pages.flatMap(({ records }) => records),
    rejects: pages.flatMap(({ rejects }) => rejects),
    complaints: pages.flatMap(({ complaints }) => complaints),
  };
  return { ...all, asked: server.requests.list() };
}
const sourceOf = (id: string): Source => sources.find((source) => source.id === id)!;
const perMinuteOf = (id: string) => `${id.toUpperCase().replace("-", "_")}_PER_MINUTE`;
const withOrigin = (variables: Record<string, string>, origin: string) =>
  Object.fromEntries(Object.entries(variables).map(([name, path]) => [name, `${origin}${path}`]));

describe("a source that is only described", () => {
  test("is off unless it is named, and says whose words it is written from and what it does not read", () => {
    expect(described.map(({ id }) => id)).toEqual(Object.keys(scopes).toSorted());
    const byDefault = sourcesInUse(undefined, { TRANSPARENCY_API_KEY: "k" });
    expect(byDefault.filter((source) => source.described)).toEqual([]);
    expect(sourcesInUse(["tce-rj"], {}).map(({ id }) => id)).toEqual(["tce-rj"]);
    for (const { described: words } of described) expect([words!.by, words!.lacks].every(Boolean)).toBe(true);
  });

  test.each(Object.keys(scopes))("%s is well when it answers, and its failures are told from emptiness", async (id) => {
    await using server = await startStateCourts({ data });
    const source = sourceOf(id);
    const opened = source.open({ ...server.environment, [perMinuteOf(id)]: "1000000" }, outbound());
    expect((await opened.probe(never)).records).toBeGreaterThan(0);
    for (const fault of [{ kind: "html" }, { kind: "malformed_json" }, { kind: "server_error" }] as const) {
      await server.setFaults({ rules: [{ fault }] });
      const { resource, agency } = scopes[id]!;
      const [slice] = source
        .open({ ...server.environment, [perMinuteOf(id)]: "1000000" }, outbound())
        .slices(resource, { ...year, agency });
      await expect(slice!.pages(null, never)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
        code: expect.stringMatching(/^source_/) as string,
      });
    }
  });
});

test("IBGE gives every municipality its state, the newest too, and keeps what it cannot read apart", async () => {
  const { records, rejects } = await read("ibge");
  expect(records).toMatchObject([
    { code: "5300108", name: "Brasília", state: "DF" },
    { code: "5101837", name: "Boa Esperança do Norte", state: "MT" },
    { code: "2611606", name: "Recife", state: "PE" },
  ]);
  expect(rejects.map(({ reason }) => reason)).toEqual(["no code of seven digits (id)", "no state has such codes"]);
});

test("TCE-SP gives the municipalities that it audits", async () => {
  const { records, rejects } = await read("tce-sp");
  expect(records).toMatchObject([
    { code: "campinas", name: "Campinas" },
    { code: "sao-jose-do-rio-preto", name: "São José do Rio Preto" },
  ]);
  expect(rejects).toHaveLength(2);
});

describe("TCE-RJ", () => {
  test("gives contracts of municipalities, with an id that holds no CPF", async () => {
    const { records, rejects } = await read("tce-rj");
    expect(records).toMatchObject([
      {
        number: "CT-001/2024",
        agencyCode: "NITEROI",
        buyerState: "RJ",
        buyerSphere: "municipal",
        supplierTaxId: "11222333000181",
        procurementMethod: "open",
        signedOn: "2024-03-15",
        endsOn: "2025-03-14",
        initialValueCents: 50_000_050,
      },
      { number: "2", supplierKind: "person", signedOn: "2024-12-31", initialValueCents: 123_456 },
    ]);
    expect(rejects.map(({ reason }) => reason)).toEqual(["no number (NumeroContrato)", "no municipality (Ente)"]);
    expect(JSON.stringify(records)).not.toMatch(/529\.982\.247-25|52998224725/);
  });

  test("gives direct purchases of municipalities, each supplier's apart, without a day that none of them says", async () => {
    const { records, rejects, asked } = await read("tce-rj", data, {}, "direct-purchases");
    expect(asked.map(({ path }) => path)).toEqual([expect.stringMatching(/\/compras_diretas_municipio$/) as string]);
    expect(records).toMatchObject([
      {
        number: "1234/2024 (2024)",
        procurementMethod: "direct",
        procurementMethodDetails: "Dispensa de licitação",
        directAwardKind: "waived",
        legalBasis: "Art. 75, VIII",
        agencyCode: "SAO GONCALO",
        unitName: "FUNDO MUNICIPAL DE SAUDE",
        supplierTaxId: "11222333000181",
        signedOn: null,
        initialValueCents: 2_500_050,
      },
      { directAwardKind: "no_competition", supplierKind: "person", initialValueCents: 123_450 },
    ]);
    expect(new Set(records.map(({ provenance }) => provenance.sourceId)).size).toBe(2);
    expect(rejects.map(({ reason }) => reason)).toEqual(["no process (Processo)", "no municipality (Municipio)"]);
    expect(JSON.stringify({ records, rejects })).not.toMatch(/529\.982\.247-25|52998224725/);
  });

  test("is asked page after page, and a page that comes again is an error", async () => {
    const [row] = data.rioDeJaneiro;
    const many = Array.from({ length: 1_500 }, (_, index) => ({ ...row, NumeroContrato: String(index) }));
    const { records, asked } = await read("tce-rj", { rioDeJaneiro: many });
    expect(new Set(records.map(({ provenance }) => provenance.sourceId)).size).toBe(1_500);
    expect(asked.map(({ params }) => params)).toEqual([
      { ano: "2024", inicio: "0", limite: "1000" },
      { ano: "2024", inicio: "1000", limite: "1000" },
    ]);
    const repeated = Array.from({ length: 2_000 }, () => ({ ...row }));
    await expect(read("tce-rj", { rioDeJaneiro: repeated })).rejects.toThrow(/repetiu em 1000 a página anterior/);
  });
});

describe("TCE-CE", () => {
  test.each([
    ["/ce/sim", { $count: "100", $start_index: "0" }],
    ["/ce", { quantidade: "100", deslocamento: "0" }],
  ])("gives contracts with their first supplier from %s", async (path, paging) => {
    const { records, rejects, complaints, asked } = await read("tce-ce", data, { TCE_CE_URL: path });
    expect(records).toMatchObject([
      {
        number: "2025000123",
        agencyCode: "057",
        buyerState: "CE",
        supplierTaxId: "11222333000181",
        initialValueCents: 5_000_000,
        signedOn: "2025-01-15",
        startsOn: "2025-01-16",
      },
      { number: "2025000124", supplierKind: "unknown", initialValueCents: 123_450 },
    ]);
    expect(rejects).toHaveLength(1);
    expect(complaints.map(({ reason }) => reason).join()).toMatch(/2 suppliers.*no supplier came/);
    const common = { codigo_municipio: "057", data_contrato: "2024-01-01_2024-12-31", ...paging };
    expect(asked.map(({ params }) => params)).toEqual([common, common]);
    expect(JSON.stringify(records)).not.toContain("529.982.247-25");
  });

  test("has to be told the municipality", () => {
    const opened = sourceOf("tce-ce").open({}, outbound());
    expect(() => opened.slices("contracts", { ...year, agency: null })).toThrow(/name its code/);
  });
});

describe("TCE-PE", () => {
  test("gives contracts in the charset that it says", async () => {
    const { records, rejects, complaints } = await read("tce-pe");
    expect(records).toMatchObject([
      {
        number: "7/2024",
        agencyName: "Prefeitura Municipal da Ilha de Itamaracá",
        supplierName: "Construções S/A",
        buyerSphere: "municipal",
        initialValueCents: 123_450,
      },
      { number: "8/2024", buyerSphere: "state", supplierKind: "person", initialValueCents: null },
    ]);
    expect(rejects.map(({ reason }) => reason)).toEqual(["no code (CodigoContrato)"]);
    expect(complaints.map(({ field }) => field)).toContain("Valor");
  });

  test("is asked for a unit by its code and for a municipality by its name", async () => {
    const { asked } = await read("tce-pe");
    expect(asked.map(({ params }) => params)).toEqual([{ AnoContrato: "2024", CodigoUG: "601" }]);
    const opened = sourceOf("tce-pe").open({}, outbound());
    expect(() => opened.slices("contracts", { ...year, agency: null })).toThrow(/name it/);
    expect(opened.slices("contracts", { ...year, agency: "Recife" })[0]!.what).toBe("contratos de Recife em 2024");
  });
});

describe("TCU", () => {
  test("gives who it declared unfit, until when, on the law that bars them from federal procurement alone", async () => {
    const { records, rejects } = await read("tcu");
    expect(records).toMatchObject([
      {
        list: "tcu",
        taxId: "11222333000181",
        startsOn: "2021-09-30",
        endsOn: "2026-09-30",
        endKnown: true,
        legalBasis: ["Lei 8.443/1992, art. 46, acórdão AC-002099/2015-PL, processo 007.720/2012-2"],
      },
      { taxId: "33000167000101", endsOn: null, endKnown: false },
      { supplierKind: "person", taxId: expect.stringContaining("***") as string },
    ]);
    expect(rejects.map(({ reason }) => reason)).toEqual(["no process (processo)", "no CNPJ or CPF (cpf_cnpj)"]);
    expect(JSON.stringify(records)).not.toContain("529.982.247-25");
  });

  test("is asked for one company in the form in which it writes a CNPJ", async () => {
    await using server = await startStateCourts({ data });
    const opened = sourceOf("tcu").open({ ...server.environment, TCU_PER_MINUTE: "1000000" }, outbound());
    const [slice] = opened.slices("debarred", { ...year, agency: null, company: "11222333000181" });
    for await (const page of slice!.pages(null, never)) expect(page.records).toHaveLength(1);
    expect(server.requests.list()[0]!.params["q"]).toBe('{"cpf_cnpj":"11.222.333/0001-81"}');
    expect(() => opened.slices("debarred", { ...year, agency: null, company: "1" })).toThrow(/by its CNPJ/);
  });
});
