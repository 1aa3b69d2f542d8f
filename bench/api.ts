import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "@cidadao/embedded/bound-process";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { startService } from "@cidadao/testing/service-process";
import autocannon from "autocannon";
import { isUp, openBenchStack, queueName, until } from "./stack.ts";

const ROUNDS = 5;
const ROUND_SECONDS = 4;
const CONNECTIONS = 16;
const STEADY_PER_SECOND = 200;
const STEADY_SECONDS = 15;
const STEADY_CONNECTIONS = 20;
const RATIO_MIN = 0.8;
const STEADY_P99_MS_MAX = 50;

/** No worker runs here, so that the backlog only grows; the bare route never asks how long it is. */
const admitsAll = { WAITING_MAX: "1000000", WAIT_SECONDS_MAX: "86400" };

const PATH = "/api/v1/investigations";
const post = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ scope: { agencyCodes: ["26435"], from: "2024-01-01", to: "2024-01-31" } }),
} as const;

/** `POST /api/v1/investigations` against a bare route that does the same insert and the same `queue.add`, in turn. */
export async function benchApi(): Promise<boolean> {
  await using bench = await openBenchStack();
  const [apiPort, barePort] = [await freePort(), await freePort()];
  const api = startService({
    name: "api",
    environment: { ...bench.environment, ...admitsAll, PORT: String(apiPort) },
    output: bench.log("api"),
  });
  const bare = spawn(process.execPath, [fileURLToPath(new URL("bare-server.ts", import.meta.url))], {
    env: { ...bench.environment, PORT: String(barePort) },
    stdio: ["ignore", bench.log("bare"), bench.log("bare"), "ipc"],
  });
  const urls = { api: `http://127.0.0.1:${apiPort}`, bare: `http://127.0.0.1:${barePort}` };
  try {
    for (const url of Object.values(urls)) await until(url, 20_000, () => isUp(`${url}/health/ready`));
    await load(urls.api, { duration: 2 });
    await load(urls.bare, { duration: 2 });
    const rounds: { api: autocannon.Result; bare: autocannon.Result }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({
        api: await load(urls.api, { duration: ROUND_SECONDS }),
        bare: await load(urls.bare, { duration: ROUND_SECONDS }),
      });
    }
    const steady = await steadyLoad(urls.api);
    const ratios = rounds.map((round) => round.api.requests.average / round.bare.requests.average);
    const ratio = median(ratios);
    console.log(
      `POST /api/v1/investigations, queue in ${queueName(bench.stack)}, ${CONNECTIONS} connections, ${ROUNDS} rounds of ${ROUND_SECONDS} s in turn`,
    );
    for (const name of ["api", "bare"] as const) {
      const results = rounds.map((round) => round[name]);
      const figure = (pick: (result: autocannon.Result) => number) => median(results.map(pick)).toFixed(1);
      console.log(
        `  ${name.padEnd(4)}  ${figure((r) => r.requests.average)} requests/s   p50 ${figure((r) => r.latency.p50)} ms   p99 ${figure((r) => r.latency.p99)} ms`,
      );
    }
    console.log(
      `  ratio api/bare: ${ratio.toFixed(3)} (rounds: ${ratios.map((one) => one.toFixed(3)).join(", ")}), bound ≥ ${RATIO_MIN}`,
    );
    console.log(
      `  steady, one every ${1000 / STEADY_PER_SECOND} ms for ${STEADY_SECONDS} s: p50 ${steady.p50.toFixed(1)} ms, p99 ${steady.p99.toFixed(1)} ms, bound ≤ ${STEADY_P99_MS_MAX} ms`,
    );
    const failed = rounds
      .flatMap((round) => [round.api, round.bare])
      .reduce((sum, result) => sum + result.non2xx + result.errors, steady.failed);
    console.log(`  answers that were not 2xx: ${failed}`);
    return ratio >= RATIO_MIN && steady.p99 <= STEADY_P99_MS_MAX && failed === 0;
  } finally {
    bare.kill("SIGKILL");
    await api.stop(10_000);
  }
}

function load(url: string, options: Partial<autocannon.Options>): Promise<autocannon.Result> {
  return autocannon({
    url: `${url}${PATH}`,
    ...post,
    connections: CONNECTIONS,
    ...options,
  });
}

/**
 * Requests at fixed times, whether those before have been answered or not, each measured from its time on: autocannon
 * sends a second's requests all at once.
 */
async function steadyLoad(url: string): Promise<{ p50: number; p99: number; failed: number }> {
  await using http = createHttpClient({ userAgent: "cidadao-bench", connectionsPerHostMax: STEADY_CONNECTIONS });
  const never = new AbortController().signal;
  const milliseconds: number[] = [];
  let failed = 0;
  const startedAt = performance.now();
  const ask = async (at: number) => {
    try {
      const { status } = await http.request({ ...post, url: `${url}${PATH}` }, never);
      if (status >= 300) failed++;
    } catch {
      failed++;
    }
    milliseconds.push(performance.now() - at);
  };
  const asked: Promise<void>[] = [];
  for (let index = 0; index < STEADY_SECONDS * STEADY_PER_SECOND; index++) {
    const at = startedAt + (index * 1000) / STEADY_PER_SECOND;
    await delay(Math.max(0, at - performance.now()));
    asked.push(ask(at));
  }
  await Promise.all(asked);
  const ranked = milliseconds.toSorted((a, b) => a - b);
  const quantile = (share: number) => ranked[Math.floor(ranked.length * share)]!;
  return { p50: quantile(0.5), p99: quantile(0.99), failed };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
