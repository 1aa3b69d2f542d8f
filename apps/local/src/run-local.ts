import path from "node:path";
import { fileURLToPath } from "node:url";
import { startEmbedded } from "@cidadao/embedded/start-embedded";
import { freePort } from "@cidadao/embedded/bound-process";
import { renderInboxMessage } from "@cidadao/testing/discord/render-inbox-message";
import { startDiscordSink } from "@cidadao/testing/discord/start-discord-sink";
import { startPortal } from "@cidadao/testing/portal/start-portal";
import net from "node:net";
import { callApi, followEvents, type ShownAnomaly, type ShownInvestigation, untilReady } from "./api-client.ts";
import type { LocalConfig } from "./config.ts";
import { createScreen, type Screen } from "./screen.ts";
import { startServices } from "./services.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const DEFAULT_PORT = 8_000;
const READY_TIMEOUT_MS = 30_000;
const SAMPLE_KEY = "local-sample";
/** The local portal has no limit to respect. */
const SAMPLE_CALLS_PER_MINUTE = 1_000_000;
const SAMPLE_SCOPE = { from: "2024-01-01", to: "2024-01-31" };
const ALERT_TIMEOUT_MS = 5_000;
const GRAVEST_SHOWN = 10;
const MISSING_SHOWN_MAX = 5;

/** Runs the whole system on this machine until it is told to stop; `once` stops after the first result. Returns the exit code. */
export async function runLocal(
  config: LocalConfig,
  given: Record<string, string | undefined>,
  once: boolean,
): Promise<number> {
  const screen = createScreen(process.stdout);
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stop.abort(new Error(name)));
  if (config.npm_lifecycle_event) stopWithParent(stop);
  const { signal } = stop;
  await using resources = new AsyncDisposableStack();
  try {
    screen.line("Cidadão.AI: o sistema inteiro nesta máquina.\n");
    const isSample = config.TRANSPARENCY_API_KEY === undefined;
    const folder = path.resolve(root, config.DATA_FOLDER);
    const stack = resources.use(
      await startEmbedded({
        folder,
        migrationsFolder: path.join(root, "supabase/migrations"),
        redisUrl: config.REDIS_URL,
        searchPath: config.PATH,
      }),
    );
    screen.step("PostgreSQL 17 e PostgREST embutidos, com o caminho e as chaves do Supabase");
    screen.step(
      {
        given: "Fila no Redis de REDIS_URL",
        started: "Fila no Redis desta máquina, iniciado com AOF",
        none: "Fila no PostgreSQL embutido: não há redis-server nem valkey-server no PATH",
      }[stack.redisOrigin],
    );
    const portal = isSample
      ? resources.use(await startPortal({ apiKey: SAMPLE_KEY, dataFolder: path.join(root, "data") }))
      : null;
    screen.step(
      portal
        ? "Portal da Transparência local: AMOSTRA GRAVADA dos contratos federais publicados em janeiro de 2024, não são dados de hoje"
        : "Portal da Transparência real, com a chave de TRANSPARENCY_API_KEY",
    );
    const inbox = resources.use(await startDiscordSink());
    screen.step("Caixa de entrada local no lugar do Discord");

    const port = config.PORT ?? (await firstFree(DEFAULT_PORT));
    const baseUrl = `http://127.0.0.1:${port}`;
    const shared: Record<string, string> = {
      ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Record<
        string,
        string
      >),
      ENVIRONMENT: "development",
      HOST: "127.0.0.1",
      DRAIN_SECONDS: "10",
      SUPABASE_URL: stack.supabaseUrl,
      SUPABASE_SERVICE_ROLE_KEY: stack.serviceRoleKey,
      DATABASE_URL: stack.databaseUrl,
      ...(stack.redisUrl ? { REDIS_URL: stack.redisUrl } : {}),
    };
    const sampleSource: Record<string, string> = portal
      ? {
          TRANSPARENCY_API_KEY: SAMPLE_KEY,
          // The sample is of this one; the others are asked when the real ones are.
          SOURCES: "portal-transparencia",
          PORTAL_TRANSPARENCIA_URL: portal.url,
          PORTAL_TRANSPARENCIA_PER_MINUTE: String(SAMPLE_CALLS_PER_MINUTE),
          // A port is given anew at each start, and the cache is keyed by the address: answers would only pile up.
          CACHE_TTL: "0",
        }
      : {};
    // Sample findings never leave this machine, whatever ALERT_WEBHOOKS says.
    const alerts: Record<string, string> =
      portal || !given["ALERT_WEBHOOKS"]
        ? { ALERT_WEBHOOKS: inbox.webhookUrl.href, ALERT_WEBHOOKS_LOOPBACK: "true" }
        : {};
    resources.use(
      startServices({
        logFolder: path.join(folder, "logs"),
        environment: {
          api: { ...shared, PORT: String(port) },
          worker: {
            ...shared,
            ...sampleSource,
            ...alerts,
            PUBLIC_URL: baseUrl,
            // Nobody here would start it again.
            RECYCLE_JOBS: "",
            RECYCLE_MEMORY_MB: "",
          },
          scheduler: { ...shared, ...alerts },
        },
        onExit: (name, code, log) => {
          screen.line(`! ${name} terminou com código ${code}; veja ${log}`);
          if (once) stop.abort(new Error(`${name} ended`));
        },
      }),
    );
    await untilReady(baseUrl, READY_TIMEOUT_MS, signal);
    screen.step("API, worker e agenda no ar\n");

    await showFirstInvestigation(screen, { baseUrl, isSample, inbox, folder }, signal);
    screen.line(`API           ${baseUrl}/api/v1/investigations`);
    screen.line(`Documentação  ${baseUrl}/docs`);
    screen.line(`Registros     ${path.join(folder, "logs")}\n`);
    if (once) return 0;
    screen.line("O sistema continua no ar. Ctrl-C encerra; `npm run reset` apaga os dados locais.");
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    screen.line("\nEncerrando …");
    return 0;
  } catch (error) {
    if (signal.aborted && !once) return 0;
    screen.line(`\nNão foi possível: ${(error as Error).message}`);
    return 1;
  }
}

type Shown = {
  baseUrl: string;
  isSample: boolean;
  inbox: Awaited<ReturnType<typeof startDiscordSink>>;
  folder: string;
};

async function showFirstInvestigation(screen: Screen, shown: Shown, signal: AbortSignal): Promise<void> {
  const { baseUrl, isSample, inbox } = shown;
  const today = new Date();
  const recent = {
    agencyCodes: ["26271"],
    from: new Date(today.getTime() - 30 * 86_400_000).toISOString().slice(0, 10),
    to: today.toISOString().slice(0, 10),
  };
  const body = {
    query: isSample
      ? "O que chama atenção nos contratos federais de janeiro de 2024?"
      : "O que chama atenção nos contratos recentes?",
    scope: isSample ? SAMPLE_SCOPE : recent,
  };
  const opened = await callApi<ShownInvestigation>(
    baseUrl,
    { method: "POST", path: "/api/v1/investigations", body },
    signal,
  );
  screen.line(`Primeira investigação ${opened.id}`);
  const self = `/api/v1/investigations/${opened.id}`;
  for await (const event of followEvents(baseUrl, `${self}/events`, signal)) screen.progress(event);
  const ended = await callApi<ShownInvestigation>(baseUrl, { method: "GET", path: self }, signal);
  if (ended.status !== "completed")
    throw new Error(`a investigação terminou como ${ended.status}; veja os registros em ${shown.folder}/logs`);

  const { anomalies } = await callApi<{ anomalies: ShownAnomaly[] }>(
    baseUrl,
    { method: "GET", path: `${self}/anomalies?limit=${GRAVEST_SHOWN}` },
    signal,
  );
  screen.line(
    `\nOs ${anomalies.length} indícios mais graves de ${ended.anomalies}, em ${ended.records} contratos (resultado: ${ended.outcome}).`,
  );
  for (const { what, why } of ended.coverage.flatMap((source) => source.missing).slice(0, MISSING_SHOWN_MAX)) {
    screen.line(`Falta: ${what}: ${why}.`);
  }
  if (isSample)
    screen.line("Dados: amostra gravada de janeiro de 2024. Um indício é um motivo para olhar, não uma acusação.");
  screen.anomalies(anomalies);
  const explained = anomalies.find((anomaly) => anomaly.explanation !== null);
  if (explained?.explanation) {
    const { source, model, text } = explained.explanation;
    screen.line(
      `\nExplicação do primeiro (${source === "model" ? `modelo ${model}` : "texto gerado por regra, sem modelo"}):\n${text}`,
    );
  }

  const arrived = await alertOf(inbox, opened.id, AbortSignal.any([signal, AbortSignal.timeout(ALERT_TIMEOUT_MS)]));
  screen.line("\nO alerta, como apareceria no Discord:");
  screen.line(
    arrived
      ? renderInboxMessage(arrived.payload)
      : "  nenhum alerta novo: estes indícios já foram alertados antes, e cada um é alertado uma vez (`npm run reset` recomeça).",
  );
  screen.line();
}

type Inbox = Shown["inbox"];

/** The message that links to the investigation: the scheduler's own scan may have sent another before it. */
async function alertOf(
  inbox: Inbox,
  investigationId: string,
  signal: AbortSignal,
): Promise<Inbox["accepted"][number] | null> {
  for (let seen = 0; ; seen = inbox.accepted.length) {
    // Without Discord's escapes: in a message of several alerts the link is a note.
    const textOf = (payload: unknown) => JSON.stringify(payload).replaceAll("\\", "");
    const found = inbox.accepted.find(({ payload }) => textOf(payload).includes(investigationId));
    if (found) return found;
    try {
      await inbox.waitFor(seen + 1, signal);
    } catch {
      return null;
    }
  }
}

/** `preferred`, or any free port when something listens there already. */
function firstFree(preferred: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once("error", () => void freePort().then(resolve, reject));
    probe.listen(preferred, "127.0.0.1", () => probe.close(() => resolve(preferred)));
  });
}

const PARENT_CHECK_MS = 1_000;

/** npm that was killed cannot tell us; then somebody else is our parent. */
function stopWithParent(stop: AbortController): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) stop.abort(new Error("the parent process is gone"));
  }, PARENT_CHECK_MS).unref();
}
