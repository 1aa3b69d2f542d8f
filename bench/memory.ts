import { fileURLToPath } from "node:url";
import { freePort } from "@cidadao/embedded/bound-process";
import { startDiscordSink } from "@cidadao/testing/discord/start-discord-sink";
import { startPortal } from "@cidadao/testing/portal/start-portal";
import { serviceNames, startService } from "@cidadao/testing/service-process";
import { isUp, openBenchStack, queueName, residentBytes, until } from "./stack.ts";

const INVESTIGATIONS = 1_000;
const AT_ONCE = 16;
const IDLE_MS = 10_000;
const DONE_TIMEOUT_MS = 900_000;
const MEGABYTES_MAX = 400;
const KEY = "bench";

/** Resident memory of the three services, idle and after a thousand investigations of the sample. */
export async function benchMemory(): Promise<boolean> {
  await using bench = await openBenchStack();
  const dataFolder = fileURLToPath(new URL("../data", import.meta.url));
  await using portal = await startPortal({ apiKey: KEY, dataFolder });
  await using inbox = await startDiscordSink();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const environment = {
    ...bench.environment,
    TRANSPARENCY_API_KEY: KEY,
    SOURCES: "portal-transparencia",
    PORTAL_TRANSPARENCIA_URL: portal.url,
    PORTAL_TRANSPARENCIA_PER_MINUTE: "1000000",
    ALERT_WEBHOOKS: inbox.webhookUrl.href,
    ALERT_WEBHOOKS_LOOPBACK: "true",
    PORT: String(port),
  };
  await warmUp(environment, url, bench.log("warm-up"));
  const services = serviceNames.map((name) => ({
    name,
    process: startService({ name, environment, output: bench.log(name) }),
  }));
  try {
    await until("the API", 20_000, () => isUp(`${url}/health/ready`));
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const idle = measure(services);
    const ids = await openAll(url, portalAgencies(await agencyCodes(portal.url)));
    const started = performance.now();
    await until("every investigation", DONE_TIMEOUT_MS, async () => (await unfinished(url)) === 0);
    const seconds = (performance.now() - started) / 1000;
    const busy = measure(services);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const after = measure(services);
    const print = (label: string, sample: ReturnType<typeof measure>) =>
      console.log(
        `  ${label.padEnd(34)} ${sample.parts.map(({ name, megabytes }) => `${name} ${megabytes.toFixed(0)}`).join("  ")}  together ${sample.megabytes.toFixed(0)} MB`,
      );
    console.log(`Resident memory, queue in ${queueName(bench.stack)}, bound ≤ ${MEGABYTES_MAX} MB together`);
    print("idle", idle);
    print(`just after ${ids} investigations`, busy);
    print(`${IDLE_MS / 1000} s later`, after);
    console.log(`  the last of them ended ${seconds.toFixed(1)} s after the last was opened`);
    return [idle, busy, after].every((sample) => sample.megabytes <= MEGABYTES_MAX);
  } finally {
    await Promise.all(services.map(({ process }) => process.stop(10_000)));
  }
}

/** Starts every service once: like the image, the measured ones find their modules compiled. */
async function warmUp(environment: Record<string, string>, url: string, output: number): Promise<void> {
  const services = serviceNames.map((name) => startService({ name, environment, output }));
  await until("the warm-up", 20_000, () => isUp(`${url}/health/ready`));
  await Promise.all(services.map((service) => service.stop(10_000)));
}

function measure(services: { name: string; process: { pid: number } }[]) {
  const parts = services.map(({ name, process }) => ({ name, megabytes: residentBytes(process.pid) / 1024 / 1024 }));
  return { parts, megabytes: parts.reduce((sum, part) => sum + part.megabytes, 0) };
}

async function agencyCodes(portalUrl: string): Promise<string[]> {
  const codes: string[] = [];
  for (let page = 1; ; page++) {
    const answer = await fetch(`${portalUrl}/orgaos-siafi?pagina=${page}`, { headers: { "chave-api-dados": KEY } });
    const rows = (await answer.json()) as { codigo: string }[];
    if (rows.length === 0) return codes;
    codes.push(...rows.map((row) => row.codigo));
  }
}

function portalAgencies(codes: string[]): (index: number) => string {
  return (index) => codes[index % codes.length]!;
}

async function openAll(url: string, agencyOf: (index: number) => string): Promise<number> {
  let next = 0;
  const lanes = Array.from({ length: AT_ONCE }, async () => {
    while (next < INVESTIGATIONS) {
      const index = next++;
      const scope = { agencyCodes: [agencyOf(index)], from: "2024-01-01", to: `2024-01-${10 + (index % 20)}` };
      const answer = await fetch(`${url}/api/v1/investigations`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ scope }),
      });
      if (answer.status !== 202) throw new Error(`POST answered ${answer.status}: ${await answer.text()}`);
      await answer.text();
    }
  });
  await Promise.all(lanes);
  return INVESTIGATIONS;
}

async function unfinished(url: string): Promise<number> {
  let open = 0;
  for (const status of ["pending", "running"]) {
    const answer = await fetch(`${url}/api/v1/investigations?status=${status}&limit=1`);
    open += ((await answer.json()) as { investigations: unknown[] }).investigations.length;
  }
  return open;
}
