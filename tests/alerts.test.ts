import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ServiceProcess } from "@cidadao/testing/service-process";
import { type DiscordSink, type SinkFault, startDiscordSink } from "@cidadao/testing/discord/start-discord-sink";
import { startMailSink } from "./support/mail-sink.ts";
import { openSystem, type System } from "./support/system.ts";
import { until } from "./support/until.ts";

/** Findings of medium severity, and of low ones as well. */
const scope = { agencyCodes: ["52000", "26408"], from: "2024-01-01", to: "2024-01-31" };
const STOP_MS_MAX = 15_000;

type Delivery = { status: string; attempts: number; problem: string | null; alert: string };

let system: System;
let secondInbox: DiscordSink;
let worker: ServiceProcess;

beforeAll(async () => {
  system = await openSystem({ queue: "postgres" });
  secondInbox = await startDiscordSink();
  system.start("api");
  worker = system.start("worker");
  await system.untilReady();
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await secondInbox[Symbol.asyncDispose]();
});
beforeEach(() => {
  system.inbox.accepted.length = 0;
  system.inbox.requests.length = 0;
});
afterEach(() => system.data.sql("truncate alerts, alert_targets cascade"));

async function investigate(): Promise<string> {
  const { id } = (await (await system.post({ scope })).json()) as { id: string };
  await system.untilFinal([id]);
  return id;
}

function deliveries(): Promise<Delivery[]> {
  return system.data.sql<Delivery>(
    `select d.status, d.attempts, d.problem, a.status as alert
       from alert_deliveries d join alerts a on a.id = d.alert_id order by d.target`,
  );
}

async function untilSettled(count: number): Promise<Delivery[]> {
  await until(`${count} deliveries are settled`, async () => {
    const rows = await system.data.sql("select 1 from alert_deliveries where settled_at is not null");
    return rows.length === count;
  });
  return deliveries();
}

async function restartWorker(changed: Record<string, string>): Promise<void> {
  await worker.stop(STOP_MS_MAX);
  worker = system.start("worker", changed);
}

describe("an alert", () => {
  const passing: [string, SinkFault][] = [
    ["a pause", { kind: "rate_limited", retryAfterSeconds: 0.3 }],
    ["an error of its own", { kind: "status", status: 500 }],
    ["a page of the network in front of it", { kind: "rate_limited_page", retryAfter: "1" }],
  ];
  test.each(passing)("is delivered once when Discord first answers with %s", async (_what, fault) => {
    system.inbox.setFaults([fault]);
    await investigate();
    expect(await untilSettled(1)).toEqual([{ status: "sent", attempts: 2, problem: null, alert: "sent" }]);
    expect(system.inbox.accepted).toHaveLength(1);
    expect(system.inbox.requests).toHaveLength(2);
  });

  test("is failed, with the reason, when Discord knows no such webhook", async () => {
    system.inbox.setFaults([{ kind: "status", status: 404 }]);
    await investigate();
    expect(await untilSettled(1)).toEqual([
      { status: "failed", attempts: 1, problem: expect.stringContaining("HTTP 404"), alert: "failed" },
    ]);
    expect(system.inbox.accepted).toEqual([]);
  });

  test("that may have arrived is unknown, and is never posted again", async () => {
    system.inbox.setFaults([{ kind: "reset_after_accepting" }]);
    await investigate();
    const unknown = [
      { status: "unknown", attempts: 1, problem: expect.stringContaining("may have arrived"), alert: "unknown" },
    ];
    expect(await untilSettled(1)).toEqual(unknown);
    // The sweep of every second, and a restart, would be the ways back.
    await restartWorker({});
    await investigate();
    expect(await deliveries()).toEqual(unknown);
    expect(system.inbox.requests).toHaveLength(1);
  });

  test("is not raised while nobody can be told, and is raised over the same findings once somebody can", async () => {
    await restartWorker({ ALERT_WEBHOOKS: "" });
    await investigate();
    expect(await system.data.sql("select 1 from alerts union all select 1 from alert_findings")).toEqual([]);
    const targets = [system.inbox.webhookUrl.href, secondInbox.webhookUrl.href].join(",");
    await restartWorker({ ALERT_WEBHOOKS: targets });
    const id = await investigate();
    expect(await untilSettled(2)).toEqual([
      { status: "sent", attempts: 1, problem: null, alert: "sent" },
      { status: "sent", attempts: 1, problem: null, alert: "sent" },
    ]);
    expect(await system.data.sql("select investigation_id from alerts")).toEqual([{ investigation_id: id }]);
    expect(system.inbox.accepted).toHaveLength(1);
    expect(secondInbox.accepted).toHaveLength(1);
  });

  test("covers only findings at least as grave as it was asked for", async () => {
    await restartWorker({ ALERT_SEVERITY_MIN: "low" });
    const id = await investigate();
    const [severities] = await system.data.sql<{ found: string[]; told: string[] }>(
      `select array_agg(a.severity order by a.rank) as found,
              array_agg(a.severity order by a.rank) filter (where f.fingerprint is not null) as told
         from anomalies a left join alert_findings f using (fingerprint) where a.investigation_id = $1`,
      [id],
    );
    const { found, told } = severities!;
    expect(found).toContain("info");
    expect(told.length).toBeGreaterThan(0);
    expect(told).toEqual(found.filter((severity) => ["low", "medium", "high", "critical"].includes(severity)));
  });
});

describe("several channels", () => {
  test("each tell of the same finding in their own form", async () => {
    await using mail = await startMailSink();
    await using hook = await startHook();
    const secret = "a secret of thirty-two characters or more";
    await restartWorker({
      ALERT_EMAILS: "alguem@orgao.example, critical=chefe@orgao.example",
      SMTP_URL: mail.url,
      ALERT_EMAIL_FROM: "alertas@cidadao.example",
      ALERT_SIGNED_WEBHOOKS: hook.url,
      ALERT_SIGNED_WEBHOOK_SECRET: secret,
    });
    await investigate();
    const sent = { status: "sent", attempts: 1, problem: null, alert: "sent" };
    expect(await untilSettled(3)).toEqual([sent, sent, sent]);
    expect(system.inbox.accepted).toHaveLength(1);
    expect(mail.accepted.map(({ to }) => (to as { text: string }).text)).toEqual(["alguem@orgao.example"]);
    const [{ headers, body }] = hook.received as [HookRequest];
    const signed = createHmac("sha256", secret).update(`${String(headers["x-cidadao-timestamp"])}.${body}`);
    expect(headers["x-cidadao-signature"]).toBe(`v1=${signed.digest("hex")}`);
  });

  test("that rest for the night keep back what is not critical, and say it in one message in the morning", async () => {
    // Quiet now and for the next three hours, whatever the time is.
    const hour = Number(
      new Intl.DateTimeFormat("en-GB", { timeZone: "America/Sao_Paulo", hour: "2-digit", hourCycle: "h23" }).format(),
    );
    await restartWorker({ ALERT_QUIET_HOURS: `${(hour + 23) % 24}-${(hour + 3) % 24}` });
    await investigate();
    await until("the delivery is put off", async () => {
      const waiting =
        "select 1 from alert_deliveries where status = 'pending' and run_after > now() + interval '1 hour'";
      return (await system.data.sql(waiting)).length === 1;
    });
    expect(system.inbox.requests).toEqual([]);
    const raise = (severity: string, key: string) =>
      system.data.sql(
        "select raise_alert('operations', $1, $2, $3, (select jsonb_agg(t) from (select distinct channel, target from alert_deliveries) t))",
        [key, severity, JSON.stringify({ ...operations, severity })],
      );
    await raise("critical", "now");
    await system.data.sql("update alert_deliveries set enqueued_at = null where run_after <= now()");
    await system.inbox.waitFor(1);
    await raise("high", "tomorrow");
    await restartWorker({});
    await system.data.sql("update alert_deliveries set run_after = now(), enqueued_at = null where status = 'pending'");
    await untilSettled(3);
    expect(system.inbox.accepted).toHaveLength(2);
    expect(JSON.stringify(system.inbox.accepted[1]!.payload)).toContain("2 alertas");
  });
});

const operations = {
  title: "Teste",
  summary: "Um teste.",
  notes: [],
  findings: [],
  findingsTotal: 0,
  investigationUrl: null,
  sample: null,
};

type HookRequest = { headers: IncomingHttpHeaders; body: string };

async function startHook(): Promise<AsyncDisposable & { url: string; received: HookRequest[] }> {
  const received: HookRequest[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      received.push({ headers: request.headers, body });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => new Promise<void>((resolve) => void server.close(() => resolve()));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return stop();
    },
  };
}
