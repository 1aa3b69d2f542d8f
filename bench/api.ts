import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { freePort } from "@cidadao/embedded/bound-process";
import { startService } from "@cidadao/testing/service-process";
import autocannon from "autocannon";
import { isUp, openBenchStack, queueName, until } from "./stack.ts";

const ROUNDS = 5;
const ROUND_SECONDS = 4;
const CONNECTIONS = 16;
const STEADY_PER_SECOND = 200;
const STEADY_SECONDS = 15;
const RATIO_MIN = 0.8;
const STEADY_P99_MS_MAX = 50;

/** No worker runs here, so that the backlog only grows; the bare route never asks how long it is. */
const admitsAll = { WAITING_MAX: "1000000", WAIT_SECONDS_MAX: "86400" };

const body = JSON.stringify({ scope: { agencyCodes: ["26435"], from: "2024-01-01", to: "2024-01-31" } });

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
    const steady = await load(urls.api, { duration: STEADY_SECONDS, overallRate: STEADY_PER_SECOND, connections: 20 });
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
      `  steady ${STEADY_PER_SECOND} requests/s for ${STEADY_SECONDS} s: ${steady.requests.average.toFixed(1)} requests/s, p50 ${steady.latency.p50} ms, p99 ${steady.latency.p99} ms, bound ≤ ${STEADY_P99_MS_MAX} ms`,
    );
    const failed = [...rounds.flatMap((round) => [round.api, round.bare]), steady].reduce(
      (sum, result) => sum + result.non2xx + result.errors,
      0,
    );
    console.log(`  answers that were not 2xx: ${failed}`);
    return ratio >= RATIO_MIN && steady.latency.p99 <= STEADY_P99_MS_MAX && failed === 0;
  } finally {
    bare.kill("SIGKILL");
    await api.stop(10_000);
  }
}

function load(url: string, options: Partial<autocannon.Options>): Promise<autocannon.Result> {
  return autocannon({
    url: `${url}/api/v1/investigations`,
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    connections: CONNECTIONS,
    ...options,
  });
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
