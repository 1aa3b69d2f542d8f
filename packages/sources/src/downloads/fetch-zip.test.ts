import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createMemoryRateLimiter } from "@cidadao/runtime/rate-limit";
import {
  type PortalDownloadsServer,
  startPortalDownloads,
  zipOf,
} from "@cidadao/testing/portal-downloads/start-portal-downloads";
import type { Fault } from "@cidadao/testing/portal/faults";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fetchZip } from "./fetch-zip.ts";
import { downloadUrl, downloadsConfig, publishedDownloads } from "./published-downloads.ts";

const http = createHttpClient({ userAgent: "cidadao-ai-test" });
const folder = mkdtempSync(join(tmpdir(), "cidadao-fetch-"));
const target = join(folder, "x.zip");
const noLimit = new AbortController().signal;
const content = { "202401_Compras.csv": Buffer.from("a;b\n") };
let server: PortalDownloadsServer;

beforeAll(async () => {
  const page = Buffer.from("<!DOCTYPE html><title>Portal</title>");
  server = await startPortalDownloads({
    published: { "compras/202401": content, "compras/202402": page },
    sample: "um mês de prova",
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await http.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => server.setFaults({}));

function fetch(period: string, hosts = [server.filesHost]) {
  const context = {
    http,
    limiter: () => createMemoryRateLimiter({ perMinute: 100_000 }),
    timeouts: { bodyMs: 300, headersMs: 300, totalMs: 2_000 },
    backoff: { baseMs: 1, maxMs: 1 },
  };
  const request = { url: `${server.url}/compras/${period}`, hosts, source: "downloads", route: "/compras", target };
  return fetchZip(context, request, noLimit);
}

describe("a published zip", () => {
  test("comes to a file as it is, from the host that the publisher redirects to, with what it is a sample of", async () => {
    expect(await fetch("202401")).toEqual({ sample: "um mês de prova" });
    expect(readFileSync(target)).toHaveLength((await zipOf(content)).length);
  });

  test("does not come from a host that was not named", async () => {
    const asked = server.fileRequests.summary().total;
    await expect(fetch("202401", [])).rejects.toMatchObject({
      code: "source_refused",
      message: expect.stringContaining(`redirecionou para http://${server.filesHost}`) as string,
    });
    expect(server.fileRequests.summary().total).toBe(asked);
  });

  test.each<[string, Fault | null, string, RegExp]>([
    ["a web page instead", null, "source_invalid", /uma página HTML/],
    ["a challenge to programs", { kind: "forbidden" }, "source_refused", /HTTP 405; pode ser o desafio a programas/],
    ["an answer cut short", { kind: "reset_in_body" }, "source_unavailable", /./],
    ["an answer that stalls", { kind: "stall_in_body" }, "deadline_exceeded", /fell silent/],
    ["a wish for a pause", { kind: "rate_limited", retryAfter: 600 }, "rate_limited", /pediu uma pausa/],
    ["a server that is broken", { kind: "server_error", status: 503 }, "source_unavailable", /HTTP 503/],
  ])("is an error with its reason when it is %s", async (_, fault, code, message) => {
    if (fault) await server.setFaults({ rules: [{ fault }] });
    await expect(fetch("202402")).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
  });

  test("that is not there is said not to be published", async () => {
    await expect(fetch("202403")).rejects.toThrow(/HTTP 404: nada foi publicado/);
  });

  test("is asked for again when another try can help", async () => {
    await server.setFaults({ rules: [{ fault: { kind: "server_error", status: 500 }, times: 2 }] });
    await expect(fetch("202401")).resolves.toBeDefined();
  });
});

test("every download has an address for its kind of period, and for no other", () => {
  const config = downloadsConfig.parse({
    PORTAL_DOWNLOADS_URL: "https://example.org/d",
    TCE_RS_DOWNLOADS_URL: "https://example.com/l",
  });
  const periods = { year: "2024", month: "2024-01", day: "2024-01-31" };
  for (const download of publishedDownloads) {
    const right = periods[download.period];
    expect(downloadUrl(config, download, right)).toBe(
      download.id === "licitacon"
        ? "https://example.com/l/contrato/ano/2024.csv.zip"
        : `https://example.org/d/${download.id}/${right.replaceAll("-", "")}`,
    );
    const wrong = Object.values(periods).filter((period) => period !== right);
    for (const bad of [...wrong, "2024-13", "../x", "", "1024"]) {
      expect(() => downloadUrl(config, download, bad)).toThrow(/is published for/);
    }
  }
});
