import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { faultDecider } from "./faults.ts";
import { startPortal } from "./start-portal.ts";

const dataFolder = fileURLToPath(new URL("../../../../data", import.meta.url));
const start = (options = {}) => startPortal({ dataFolder, apiKey: "key", ...options });
const withKey = { headers: { "chave-api-dados": "key" } };

async function rowsOf(url: string): Promise<Record<string, unknown>[]> {
  const response = await fetch(url, withKey);
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>[];
}

test("serves contracts 15 a page until an empty list, labelled as a sample", async () => {
  await using portal = await start();
  const base = `${portal.url}/contratos?codigoOrgao=26435`;
  const sizes: number[] = [];
  for (let page = 1; sizes.at(-1) !== 0; page++) sizes.push((await rowsOf(`${base}&pagina=${page}`)).length);
  expect(sizes).toEqual([15, 15, 14, 0]);
  const response = await fetch(`${base}&pagina=1`, withKey);
  expect(decodeURIComponent(response.headers.get("x-cidadao-sample")!)).toContain("janeiro de 2024");
  expect(response.headers.get("x-cidadao-record-url")).toContain("/compras/202401");
  expect(portal.requests.count({ path: "/contratos", params: { pagina: "1" } })).toBe(2);
  expect(portal.requests.perMinuteMax()).toBe(5);
});

test("filters by the overlap of the term", async () => {
  await using portal = await start();
  const inJanuary = "&dataInicial=01/01/2024&dataFinal=31/01/2024";
  const count = async (dates: string) =>
    (await rowsOf(`${portal.url}/contratos?codigoOrgao=26435&pagina=1${dates}`)).length;
  const third = await rowsOf(`${portal.url}/contratos?codigoOrgao=26435&pagina=3${inJanuary}`);
  expect(third).toHaveLength(2);
  expect(await count("")).toBe(15);
  expect(await count("&dataFinal=31/12/2010")).toBe(0);
  expect(await count("&dataInicial=01/01/2090")).toBe(0);
});

test("writes money and dates as the API does: numbers in contracts, Brazilian text in items", async () => {
  await using portal = await start();
  const [contract] = await rowsOf(`${portal.url}/contratos/cpf-cnpj?cpfCnpj=15.195.707/0001-78&pagina=1`);
  expect(contract).toMatchObject({ valorInicialCompra: 1356107.3, dataAssinatura: "2024-01-26" });
  const items = await rowsOf(`${portal.url}/contratos/itens-contratados?id=${contract!["id"] as number}&pagina=1`);
  expect(items[0]!["valor"]).toMatch(/^[\d.]+,\d{2}$/);
});

test("answers with the portal's own errors", async () => {
  await using portal = await start();
  const ask = async (path: string, headers: Record<string, string> = withKey.headers) => {
    const response = await fetch(portal.url + path, { headers });
    const type = response.headers.get("content-type") ?? "";
    const text = new TextDecoder(type.includes("8859") ? "latin1" : "utf-8").decode(await response.arrayBuffer());
    return { status: response.status, type, text };
  };
  const noKey = await ask("/ceis?pagina=1", {});
  expect(noKey).toMatchObject({ status: 401, type: "application/json;charset=ISO-8859-1" });
  expect(noKey.text).toContain("Chave de API não informada!");
  expect(await ask("/ceis?pagina=1", { "chave-api-dados": "x" })).toMatchObject({
    status: 401,
    text: '{"Erro na API":"Chave de API inválida!"}',
  });
  expect((await ask("/contratos?pagina=1")).text).toContain("codigoOrgao");
  expect((await ask("/contratos?codigoOrgao=26435")).status).toBe(400);
  expect((await ask("/contratos?codigoOrgao=26435&pagina=0")).status).toBe(400);
  expect((await ask("/contratos?codigoOrgao=26435&pagina=1&dataInicial=2024-01-01")).status).toBe(400);
  expect((await ask("/fornecedores?pagina=1")).status).toBe(403);
});

test("changes its faults while it runs, by call, by request and over HTTP", async () => {
  await using portal = await start({ faults: { rules: [{ fault: { kind: "server_error" }, times: 1 }] } });
  const url = `${portal.url}/orgaos-siafi?pagina=1`;
  const status = async (headers = {}) => (await fetch(url, { headers: { ...withKey.headers, ...headers } })).status;
  expect([await status(), await status()]).toEqual([500, 200]);
  expect(await status({ "x-cidadao-fault": "forbidden" })).toBe(403);
  expect(await status({ "x-cidadao-fault": '{"kind":"server_error","status":503}' })).toBe(503);
  await portal.setFaults({ down: true });
  await expect(fetch(url)).rejects.toThrow("fetch failed");
  await portal.setFaults({ rules: [{ fault: { kind: "rate_limited", retryAfter: 7 }, abovePerMinute: 6 }] });
  expect(await status()).toBe(200);
  expect(await status()).toBe(200);
  const limited = await fetch(url, withKey);
  expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "7"]);

  const root = new URL(portal.url).origin;
  const plan = JSON.stringify({ rules: [{ fault: { kind: "key_invalid" } }] });
  expect((await fetch(`${root}/__portal/faults`, { method: "PUT", body: plan })).status).toBe(200);
  await expect.poll(() => status()).toBe(401);
  const summary = (await (await fetch(`${root}/__portal/requests`)).json()) as { total: number };
  expect(summary.total).toBe(portal.requests.total());
});

const run = (seed: number) => {
  const decide = faultDecider({ seed, rules: [{ fault: { kind: "reset" }, probability: 0.3 }] });
  return Array.from({ length: 200 }, () => decide({ path: "/x", page: 1, query: "", lastMinute: 1 }) !== null);
};

test("gives the same faults for the same seed", () => {
  expect(run(7)).toEqual(run(7));
  expect(run(7)).not.toEqual(run(8));
  expect(run(7).filter(Boolean).length).toBeGreaterThan(30);
});

test("leaves out CSV rows it cannot read, and counts them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "portal-data-"));
  try {
    for (const name of ["portal-compras-202401", "sancoes"]) mkdirSync(join(folder, name));
    const file = "portal-compras-202401/202401_Compras.csv.gz";
    const lines = gunzipSync(readFileSync(join(dataFolder, file)))
      .toString("latin1")
      .split("\n");
    const broken = [...lines.slice(0, 3), '"too";"few"', '"open quote;"x"', ...lines.slice(3, 20)].join("\n");
    writeFileSync(join(folder, file), gzipSync(Buffer.from(broken, "latin1")));
    for (const other of ["sancoes/ceis-2020-companies.csv.gz"])
      copyFileSync(join(dataFolder, other), join(folder, other));
    await using portal = await start({ dataFolder: folder });
    expect((await rowsOf(`${portal.url}/orgaos-siafi?pagina=1`)).length).toBeGreaterThan(0);
    expect(portal.skippedRows()).toBe(2);
    expect((await fetch(`${portal.url}/cnep?pagina=1`, withKey)).status).toBe(500);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("reads every row of the data it is shipped with", async () => {
  await using portal = await start();
  await rowsOf(`${portal.url}/contratos/itens-contratados?id=900000000&pagina=1`);
  await rowsOf(`${portal.url}/contratos/termo-aditivo?id=900000000`);
  await rowsOf(`${portal.url}/ceis?pagina=1`);
  expect(await rowsOf(`${portal.url}/ceis?pagina=455`)).toEqual([]);
  expect(await rowsOf(`${portal.url}/ceis?pagina=454`)).toHaveLength(10);
  expect(portal.skippedRows()).toBe(0);
});
