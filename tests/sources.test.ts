import { randomUUID } from "node:crypto";
import { createRedisRateLimiter } from "@cidadao/runtime/rate-limit";
import { Redis } from "ioredis";
import type { Fault } from "@cidadao/testing/portal/faults";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { openSystem, queueKinds, type System } from "./support/system.ts";
import { until } from "./support/until.ts";

/** One page of contracts each. */
const small = ["26404", "26421", "26432", "26278", "26409", "26430", "53202", "63000"];
const january = { from: "2024-01-01", to: "2024-01-31" };

type Ended = {
  status: string;
  outcome: string;
  attempts: number;
  records: number;
  coverage: { asked: number; answered: number; records: number; rejected: number; missing: Missing[] }[];
};
type Missing = { what: string; why: string };
type IngestRun = {
  status: string;
  asked: number;
  answered: number;
  records: number;
  rejected: number;
  stored: number;
  problems: { sourceId: string | null; field?: string; reason: string; raw?: unknown }[];
};

let system: System;

/** Every answer comes from the portal, and what an earlier test read is gone. */
async function forget(): Promise<void> {
  await system.data.sql("truncate source_responses, ingest_runs, contracts, suppliers, agencies, sanctions cascade");
}

async function open(agencyCodes: string[], query?: string): Promise<string> {
  const answer = await system.post({ scope: { agencyCodes, ...january }, ...(query ? { query } : {}) });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { id: string }).id;
}

async function endOf(id: string): Promise<Ended> {
  await system.untilFinal([id]);
  const [ended] = await system.data.sql<Ended>("select * from investigations where id = $1", [id]);
  return ended!;
}

async function contractRun(id: string): Promise<IngestRun> {
  const [run] = await system.data.sql<IngestRun>(
    `select *, inserted + updated + unchanged as stored from ingest_runs
      where investigation_id = $1 and dataset = 'contracts'`,
    [id],
  );
  return run!;
}

describe("a source that misbehaves", () => {
  beforeAll(async () => {
    system = await openSystem({
      queue: "postgres",
      environment: { PORTAL_TRANSPARENCIA_TIMEOUT_SECONDS: "0.5", ALERT_WEBHOOKS: "" },
    });
    system.start("api");
    await system.untilReady();
  });
  afterAll(() => system[Symbol.asyncDispose]());

  const mute: [what: string, why: RegExp, fault: Fault | null, environment: Record<string, string>][] = [
    ["refuses a wrong key", /HTTP 401: Chave de API inválida/, null, { TRANSPARENCY_API_KEY: "wrong" }],
    ["has suspended the key", /HTTP 403.*suspensa/, { kind: "forbidden" }, {}],
    ["answers with a web page", /uma página HTML/, { kind: "html" }, {}],
    ["cuts its answer short", /não é JSON/, { kind: "truncated_json" }, {}],
    ["drips", /não respondeu/, { kind: "slow_drip" }, {}],
    [
      "sends only records without an id",
      /nenhum dos 2 registros pôde ser lido: no id/,
      { kind: "field_null", field: "id" },
      {},
    ],
  ];

  test.each(mute)(
    "and %s is unavailable in the outcome, with the reason in coverage, report and ingest run",
    async (_what, why, fault, environment) => {
      await forget();
      await system.portal.setFaults(fault === null ? {} : { rules: [{ path: "/contratos", fault }] });
      const worker = system.start("worker", environment);
      const id = await open(["26421"]);
      const ended = await endOf(id);
      await worker.stop(15_000);
      expect(ended, system.logs().slice(-3_000)).toMatchObject({ status: "completed", outcome: "source_unavailable" });
      expect(ended.coverage[0]).toMatchObject({ asked: 1, answered: 0, records: 0 });
      expect(ended.coverage[0]!.missing).toEqual([
        { what: "contratos do órgão 26421", why: expect.stringMatching(why) },
      ]);
      const run = await contractRun(id);
      expect(run).toMatchObject({ status: "failed", asked: 1, answered: 0, records: 0, stored: 0 });
      expect(run.problems[0]!.reason).toMatch(why);
      const [report] = await system.data.sql<{ markdown: string }>(
        "select markdown from reports where investigation_id = $1",
        [id],
      );
      expect(report!.markdown).toMatch(why);
    },
  );

  test("and sends absurd values is read without them, and each of them is told", async () => {
    await forget();
    const absurd: [field: string, value: unknown, reason: RegExp][] = [
      ["valorInicialCompra", -5, /negative amount: -5/],
      ["dataInicioVigencia", "0022-01-01", /not a day between 1988 and 2100/],
      ["dataFimVigencia", "1990-01-01", /before it starts/],
      ["valorFinalCompra", "muito", /not an amount of money/],
      ["modalidadeCompra", "Sorteio", /unknown method/],
      ["fornecedor", null, /./],
      ["unidadeGestora", null, /no agency/],
      ["id", null, /no id/],
    ];
    const rules = absurd.map(([field, value]) => ({
      path: "/contratos",
      times: 1,
      fault: { kind: "field_value" as const, field, value },
    }));
    await system.portal.setFaults({ rules });
    const worker = system.start("worker");
    const id = await open(small);
    const ended = await endOf(id);
    await worker.stop(15_000);
    await system.portal.setFaults({});
    // Of two agencies not one record could be read.
    expect(ended, system.logs().slice(-3_000)).toMatchObject({ status: "completed", outcome: "partial" });
    const run = await contractRun(id);
    expect(run).toMatchObject({ status: "partial", asked: 8, answered: 6 });
    expect(run.rejected).toBeGreaterThan(0);
    const [{ sent }] = (await system.data.sql<{ sent: number }>("select count(*)::int as sent from contracts")) as [
      { sent: number },
    ];
    expect(sent).toBe(run.records);
    for (const [field, , reason] of absurd) {
      const told = run.problems.some((problem) => reason.test(problem.reason));
      expect(told, `${field} in ${JSON.stringify(run.problems.map((problem) => problem.reason))}`).toBe(true);
    }
    const impossible = `select 1 from contracts where initial_value_cents < 0 or starts_on < '1988-01-01' or ends_on < starts_on`;
    expect(await system.data.sql(impossible)).toEqual([]);
  });

  test("and publishes CPFs leaves none of them in the database or in the logs", async () => {
    await forget();
    const cpfs = ["529.982.247-25", "11144477735", "168.995.350-09"];
    const leaks: [field: string, value: unknown][] = [
      ["objeto", `Serviço prestado por Maria, CPF ${cpfs[0]}, e João (${cpfs[1]})`],
      ["fornecedor.nome", `JOAO DA SILVA ${cpfs[1]}`],
      ["fornecedor.cnpjFormatado", cpfs[0]],
      ["fornecedor.cnpjFormatado", `000${cpfs[1]}`],
      ["fornecedor.cnpjFormatado", Number(cpfs[1])],
      ["numero", cpfs[1]],
      ["dataAssinatura", cpfs[2]],
      ["id", cpfs[2]],
    ];
    const rules = leaks.map(([field, value]) => ({
      path: "/contratos",
      times: 1,
      fault: { kind: "field_value" as const, field, value },
    }));
    await system.portal.setFaults({ rules });
    const worker = system.start("worker");
    const id = await open(small, `O que recebeu o CPF ${cpfs[2]}?`);
    await endOf(id);
    await worker.stop(15_000);
    await system.portal.setFaults({});
    const [{ masked }] = (await system.data.sql<{ masked: number }>(
      "select count(*)::int as masked from contracts where object like '%***.982.247-**%' or supplier_tax_id = '***.444.777-**'",
    )) as [{ masked: number }];
    expect(masked).toBeGreaterThan(0);
    expect(await cpfsInDatabase()).toEqual([]);
    expect(cpfsIn(system.logs())).toEqual([]);
  });

  test("and asks for a long pause is asked again after it, and no attempt is counted", async () => {
    await forget();
    await system.portal.setFaults({ rules: [{ path: "/contratos", fault: { kind: "rate_limited", retryAfter: 32 } }] });
    const paused = system.start("worker");
    const id = await open(["26421"]);
    const given = `select attempts, crashes, extract(epoch from run_after - now())::int as seconds
                     from investigations where id = $1 and status = 'pending' and run_after > now()`;
    await until("it is given back", async () => (await system.data.sql(given, [id])).length === 1);
    const [released] = await system.data.sql<{ attempts: number; crashes: number; seconds: number }>(given, [id]);
    expect(released).toMatchObject({ attempts: 0, crashes: 0 });
    expect(released!.seconds).toBeGreaterThan(20);
    await system.portal.setFaults({});
    // The worker that was told to wait would; a new one without a Redis to share does not know.
    await paused.stop(15_000);
    await system.data.sql("update investigations set run_after = now() where id = $1", [id]);
    system.start("worker");
    expect(await endOf(id)).toMatchObject({ status: "completed", outcome: "no_anomalies", attempts: 0, records: 2 });
  });
});

for (const queue of queueKinds().filter((kind) => kind === "redis")) {
  test("two workers that share a Redis stay under the portal's limit together", async () => {
    const perMinute = 3_000;
    /** What the limiter lets through a second, so that no rolling minute holds more than the limit. */
    const perSecond = 49;
    await using both = await openSystem({
      queue,
      environment: { PORTAL_TRANSPARENCIA_PER_MINUTE: String(perMinute), WEB_CONCURRENCY: "1" },
    });
    system = both;
    system.start("api");
    system.start("worker");
    system.start("worker");
    await system.untilReady();
    await system.untilLogged("worker is up", 2);
    const ids = [await open(small.slice(0, 4)), await open(small.slice(4))];
    await system.untilFinal(ids);
    const workers = await system.data.sql("select distinct worker from investigations");
    expect(workers).toHaveLength(2);
    const { requests } = system.portal;
    expect(requests.perMinuteMax()).toBeLessThanOrEqual(perMinute);
    const times = requests.list().map((request) => request.atMs);
    expect(times.length).toBeGreaterThan(2 * perSecond);
    // Two limiters that do not know of each other would be through in half of this.
    const secondsMin = Math.floor((times.length - 1) / perSecond) - 1;
    expect((times.at(-1)! - times[0]!) / 1_000).toBeGreaterThanOrEqual(secondsMin);
  });
}

/** Where in the whole database something stands that is a CPF by its check digits. */
async function cpfsInDatabase(): Promise<string[]> {
  const columns = await system.data.sql<{ relation: string; name: string }>(
    `select format('%I.%I', table_schema, table_name) as relation, quote_ident(column_name) as name
       from information_schema.columns
      where table_schema not in ('pg_catalog', 'information_schema')
        and data_type in ('text', 'character varying', 'json', 'jsonb', 'ARRAY')`,
  );
  const found: string[] = [];
  for (const { relation, name } of columns) {
    const rows = await system.data.sql<{ text: string }>(
      `select ${name}::text as text from ${relation} where ${name} is not null`,
    );
    found.push(...rows.flatMap(({ text }) => cpfsIn(text).map((cpf) => `${relation}.${name}: ${cpf}`)));
  }
  expect(columns.length).toBeGreaterThan(50);
  return found;
}

/** Eleven digits in a row, punctuated or not, padded to a CNPJ's fourteen or not, whose last two are right. */
function cpfsIn(text: string): string[] {
  return [...text.matchAll(/(?<![\w.,/-])(?:000)?(\d{3}\.?\d{3}\.?\d{3}-?\d{2})(?![\w/-]|[.,]\d)/g)].flatMap(
    ([, found]) => (isCpf(found!.replace(/\D/g, "")) ? [found!] : []),
  );
}

function isCpf(digits: string): boolean {
  const sumOf = (length: number) =>
    Array.from(digits.slice(0, length)).reduce((sum, digit, index) => sum + Number(digit) * (length + 1 - index), 0);
  const check = (length: number) => ((sumOf(length) * 10) % 11) % 10;
  return new Set(digits).size > 1 && check(9) === Number(digits[9]) && check(10) === Number(digits[10]);
}

const redisUrl = inject("redisUrl");

test.each(redisUrl ? [redisUrl] : [])("one rate budget is shared by everyone who uses the same Redis", async (url) => {
  const keyPrefix = `rate-${randomUUID()}`;
  const never = new AbortController().signal;
  const clients = [new Redis(url), new Redis(url)] as const;
  const [first, second] = clients.map((redis) => createRedisRateLimiter({ redis, perMinute: 2, keyPrefix }));
  const stop = new AbortController();
  try {
    // A limiter goes on alone while its client is not ready, so both connect first.
    await Promise.all(clients.map((redis) => redis.ping()));
    await first!.take("portal", never);
    const waiting = second!.take("portal", stop.signal);
    // Who is refused asks once more from the head of its line.
    const turns = async () => Number(await clients[0].get(`${keyPrefix}:portal`));
    await expect.poll(turns).toBeGreaterThanOrEqual(2);
    stop.abort(new Error("had to wait"));
    await expect(waiting).rejects.toThrow("had to wait");
    await expect(second!.take("another", never)).resolves.toBeUndefined();
  } finally {
    for (const redis of clients) redis.disconnect();
  }
});
