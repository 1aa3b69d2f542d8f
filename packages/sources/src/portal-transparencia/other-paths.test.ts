import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createMemoryCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits } from "@cidadao/runtime/shared-limits";
import { type PortalServer, startPortal } from "@cidadao/testing/portal/start-portal";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SourcePage, SourceRecord } from "../define-source.ts";
import type { Outbound } from "../outbound.ts";
import { createPortalContext } from "./client.ts";
import {
  contractById,
  contractsByAgency,
  contractsByNumber,
  endorsements,
  portalTransparencia,
  registerEntries,
  tenders,
} from "./source.ts";

const API_KEY = "chave-secreta-0123456789";
const never = new AbortController().signal;
const anyText = expect.any(String) as string;
const january = { agencyCode: "26435", from: "2024-01-01", to: "2024-12-31" };
const fixture = new URL("fixtures/derived-other-paths.json", import.meta.url);
const unrecorded = JSON.parse(readFileSync(fixture, "utf8")) as Record<string, unknown[]>;

const http = createHttpClient({ userAgent: "cidadao-tests" });
let portal: PortalServer;
beforeAll(async () => {
  const dataFolder = fileURLToPath(new URL("../../../../data", import.meta.url));
  portal = await startPortal({ dataFolder, apiKey: API_KEY, unrecorded });
});
beforeEach(() => portal.setFaults({}));
afterAll(async () => {
  await http.close();
  await portal.stop();
});

function outbound(): Outbound {
  return { http, ...openSharedLimits(null), cache: createMemoryCache(), cacheTtlSeconds: 0 };
}

function open() {
  const rate = { perMinute: 1_000_000 };
  return createPortalContext({ outbound: outbound(), baseUrl: portal.url, apiKey: API_KEY, rate });
}

async function collect<Item extends SourceRecord>(pages: AsyncIterable<SourcePage<Item>>) {
  const all = { records: [] as Item[], rejects: 0, complaints: 0 };
  for await (const page of pages) {
    all.records.push(...page.records);
    all.rejects += page.rejects.length;
    all.complaints += page.complaints.length;
  }
  return all;
}

describe("a contract", () => {
  test("is found by its number at every agency, and by its id", async () => {
    const [one] = (await collect(contractsByAgency(open(), january, never))).records;
    const same = (await collect(contractsByNumber(open(), { number: one!.number }, never))).records;
    expect(same.map(({ number }) => number)).toEqual(same.map(() => one!.number));
    expect(same.map(({ provenance }) => provenance.sourceId)).toContain(one!.provenance.sourceId);
    const byId = await contractById(open(), { contractId: one!.provenance.sourceId }, never);
    expect(byId.records).toEqual([{ ...one!, provenance: { ...one!.provenance, retrievedAt: anyText } }]);
    expect((await contractById(open(), { contractId: "1" }, never)).records).toEqual([]);
  });

  test("has endorsements, whose numbers are not those of its amendments, and whose value nobody explains", async () => {
    const { records } = await collect(endorsements(open(), { contractId: "900000001" }, never));
    expect(records).toMatchObject([
      { number: "00001", kind: "endorsement", publishedOn: "2024-02-15", contractId: "900000001" },
      { number: "00002", kind: "endorsement", publishedOn: null },
    ]);
    expect(records[0]!.provenance.sourceId).toBe("900000001/apostilamento/00001");
    expect(records.some((one) => "valueAfterCents" in one || "increaseCents" in one)).toBe(false);
  });

  test("is no contract yet as a procedure: it has neither supplier nor value", async () => {
    const days = { agencyCode: "26435", from: "2024-01-01", to: "2024-01-28" };
    const { records, rejects } = await collect(tenders(open(), days, never));
    expect({ rejects, records }).toMatchObject({
      rejects: 1,
      records: [
        {
          number: "000052024",
          procurementMethod: "open",
          supplierKind: "unknown",
          initialValueCents: null,
          publishedOn: "2024-01-10",
          provenance: { sourceId: "licitacao/1001", sample: expect.stringContaining("nada gravado") as string },
        },
      ],
    });
  });

  test("of an agency as a procedure is asked for in pieces that the portal takes, with no day left out", async () => {
    const environment = { PORTAL_TRANSPARENCIA_URL: portal.url, TRANSPARENCY_API_KEY: API_KEY };
    const opened = portalTransparencia.open(environment, outbound());
    const slices = opened.slices("tenders", { from: "2024-01-01", to: "2024-03-31", agency: "26435" });
    expect(slices.map(({ name }) => name)).toEqual([
      "licitacoes 26435 2024-01-01 2024-01-28",
      "licitacoes 26435 2024-01-29 2024-02-25",
      "licitacoes 26435 2024-02-26 2024-03-24",
      "licitacoes 26435 2024-03-25 2024-03-31",
    ]);
    const counts = await Promise.all(slices.map((slice) => collect(slice.pages(null, never))));
    expect(counts.map(({ records }) => records.length)).toEqual([1, 1, 0, 0]);
  });
});

describe("everything about one contract or procedure", () => {
  const opened = () =>
    portalTransparencia.open({ PORTAL_TRANSPARENCIA_URL: portal.url, TRANSPARENCY_API_KEY: API_KEY }, outbound());
  const ask = async (id: string) => {
    const read = opened()
      .ofContract(id)
      .map(async ({ resource, pages }) => [resource, await collect(pages(never))] as const);
    return Object.fromEntries(await Promise.all(read));
  };

  test("of a contract is itself, its items, terms and commitments", async () => {
    const found = await ask("900000001");
    expect(Object.keys(found)).toEqual(["contracts", "items", "amendments", "endorsements", "commitments"]);
    expect(found["contracts"]!.records).toMatchObject([{ provenance: { sourceId: "900000001" } }]);
    expect(found["commitments"]).toMatchObject({
      rejects: 1,
      records: [
        {
          provenance: { sourceId: "900000001/empenho/153065152392024NE800021" },
          contractId: "900000001",
          issuedOn: "2024-01-18",
          note: "Material de expediente",
          amountCents: 1_234_567,
        },
        { issuedOn: null, note: null, amountCents: null },
      ],
    });
  });

  test("of a procedure is itself, what was put out to tender, and who bid", async () => {
    const found = await ask("licitacao/1001");
    expect(Object.keys(found)).toEqual(["tenders", "tender-items", "tenderers"]);
    expect(found["tenders"]!.records).toMatchObject([{ number: "000052024" }]);
    expect(found["tender-items"]!.records).toMatchObject([
      { contractId: "licitacao/1001", number: "15306505000052024000001", quantity: 500, unitPriceCents: null },
      { number: "2", unitOfMeasure: null },
    ]);
    expect(found["tenderers"]).toMatchObject({
      rejects: 1,
      records: [
        { tenderId: "licitacao/1001", kind: "company", taxId: "11222333000181", name: "EMPRESA DE EXEMPLO S.A." },
        { kind: "person", taxId: "***.444.777-**" },
        { kind: "company", provenance: { sourceId: "licitacao/1001/participante/11222333000262" } },
      ],
    });
    expect(portal.requests.list().at(-1)).toMatchObject({
      path: "/licitacoes/participantes",
      params: { codigoUG: "158155", numero: "000052024", codigoModalidade: "5" },
    });
  });

  test("of a procedure whose method the Portal does not list cannot name who bid, and says so", async () => {
    const methods = unrecorded["/licitacoes/modalidades"]!.splice(0);
    try {
      const question = opened()
        .ofContract("licitacao/1001")
        .find(({ resource }) => resource === "tenderers");
      await expect(collect(question!.pages(never))).rejects.toThrow(/não diz codigoModalidade/);
    } finally {
      unrecorded["/licitacoes/modalidades"] = methods;
    }
  });

  test("of nothing that the Portal numbers is no question at all", () => {
    for (const id of ["", "licitacao/", "licitacao/158155-5-00005", "1; drop", "00394460005887-2-000001/2025"])
      expect(opened().ofContract(id)).toEqual([]);
  });
});

describe("registers that bar nobody from contracting", () => {
  test("are read with their own kind of record, and never as sanctions", async () => {
    const cepim = await collect(registerEntries(open(), { register: "cepim" }, never));
    expect(cepim.records).toMatchObject([
      {
        register: "cepim",
        companies: [{ taxId: "11222333000181", name: "ASSOCIAÇÃO DE EXEMPLO" }],
        reason: "Prestação de contas rejeitada",
        agreement: "700001",
      },
    ]);
    const leniency = await collect(registerEntries(open(), { register: "leniency" }, never));
    expect(leniency.records).toMatchObject([
      {
        register: "leniency",
        companies: [{ taxId: "11222333000181" }, { taxId: "11222333000262" }],
        startsOn: "2019-07-10",
        endsOn: null,
        status: "Em execução",
      },
      { companies: [], provenance: { sourceId: "leniency/78" } },
    ]);
    expect(leniency.complaints).toBe(1);
    const kinds = ["cepim", "leniency"].map((id) => portalTransparencia.resources[id]!.kind);
    expect(kinds).toEqual(["register_entries", "register_entries"]);
  });

  test("are read of one company alone", async () => {
    const of = async (cnpj: string) => collect(registerEntries(open(), { register: "leniency", cnpj }, never));
    expect((await of("11.222.333/0002-62")).records).toHaveLength(1);
    expect((await of("15.195.707/0001-78")).records).toEqual([]);
    await expect(of("11.222.333/0001-82")).rejects.toMatchObject({ code: "invalid_request" });
  });
});

test("an answer of another shape is a failure of the source, not a contract that is not there", async () => {
  await portal.setFaults({ rules: [{ path: "/contratos/id", fault: { kind: "html" } }] });
  const asked = contractById(open(), { contractId: "900000001" }, never);
  await expect(asked).rejects.toMatchObject({ code: "source_invalid" });
});
