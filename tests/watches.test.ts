import { completeInvestigation, type InvestigationResult } from "@cidadao/database/investigations";
import type { Finding } from "@cidadao/domain/anomaly";
import { deliverAlert, type DeliverContext } from "@cidadao/operations/deliver-alert";
import { parseConfig } from "@cidadao/runtime/config";
import { createLogger } from "@cidadao/runtime/logger";
import { createTelemetry } from "@cidadao/runtime/telemetry";
import { openAlertTargets } from "@cidadao/channels/open-targets";
import { workerEnvironment } from "@cidadao/worker/config";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type MailSink, startMailSink } from "./support/mail-sink.ts";
import { finding, noLimit, openRunning, resultOf } from "./support/records.ts";
import { openSystem, type System } from "./support/system.ts";
import { until } from "./support/until.ts";

const SECRET_KEY = "a key of at least thirty-two characters";
const SUPPLIER = "15195707000178";
const address = "alguem@orgao.example";

let system: System;
let mail: MailSink;

beforeAll(async () => {
  mail = await startMailSink();
  system = await openSystem({
    queue: "postgres",
    environment: {
      API_SECRET_KEY: SECRET_KEY,
      SMTP_URL: mail.url,
      ALERT_EMAIL_FROM: "alertas@cidadao.example",
      ALERT_SIGNED_WEBHOOK_HOSTS: "avisos.orgao.example",
    },
  });
  system.start("api");
  await system.untilReady();
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await mail[Symbol.asyncDispose]();
});
beforeEach(() => {
  mail.accepted.length = 0;
  system.inbox.accepted.length = 0;
});
afterEach(() => system.data.sql("truncate watches, alerts, alert_findings, alert_targets cascade"));

type Answer = { status: number; body: Record<string, unknown> & { id: string; detail: string } };

async function call(method: string, where: string, body?: unknown, key: string | null = SECRET_KEY): Promise<Answer> {
  const answer = await fetch(`${system.url}/api/v1/watches${where}`, {
    method,
    headers: {
      ...(key === null ? {} : { "x-api-key": key }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: (text === "" ? {} : JSON.parse(text)) as Answer["body"] };
}

const watch = (kind: string, subject: string, given: object = {}) =>
  call("POST", "", { kind, subject, channel: "email", address, ...given });

describe("a watch", () => {
  test("is created once, listed without its address, and deleted, by whoever has the key", async () => {
    const { status, body: created } = await watch("supplier", "15.195.707/0001-78", { severityMin: "high" });
    expect(status).toBe(201);
    expect(created).toMatchObject({ kind: "supplier", subject: SUPPLIER, channel: "email", severityMin: "high" });
    const again = await watch("supplier", SUPPLIER, { address: address.toUpperCase() });
    expect([again.status, again.body]).toEqual([200, created]);
    const { body: other } = await watch("agency", "26408");
    const { body: page } = await call("GET", "?limit=1");
    expect(page["watches"]).toEqual([other]);
    expect((await call("GET", `?cursor=${String(page["nextCursor"])}`)).body["watches"]).toEqual([created]);
    expect(JSON.stringify((await call("GET", "")).body)).not.toContain("orgao.example");
    expect((await call("DELETE", `/${created.id}`)).status).toBe(204);
    expect((await call("DELETE", `/${created.id}`)).status).toBe(404);
    expect((await call("GET", "")).body["watches"]).toEqual([other]);
  });

  test("is nobody's business without the key", async () => {
    const body = { kind: "agency", subject: "26408", channel: "email", address };
    for (const [method, where, sent] of [
      ["GET", "", undefined],
      ["POST", "", body],
      ["DELETE", `/${crypto.randomUUID()}`, undefined],
    ] as const) {
      expect((await call(method, where, sent, null)).status).toBe(401);
      expect((await call(method, where, sent, "another key")).status).toBe(403);
    }
    expect(await system.data.sql("select 1 from watches")).toEqual([]);
  });

  test.each([
    ["supplier", "15195707000179", {}, "CNPJ"],
    ["supplier", "26408", {}, "CNPJ"],
    ["agency", "264", {}, "SIAFI"],
    ["agency", "ab408", {}, "SIAFI"],
    ["detector", "no-such-detector", {}, "price-outlier"],
    ["agency", "26408", { address: "nobody" }, "address 1 is not an e-mail address"],
    ["agency", "26408", { address: "a@b.example, c@d.example" }, "name one address"],
    ["agency", "26408", { address: "critical=a@b.example" }, "name one address"],
    ["agency", "26408", { channel: "webhook", address: "http://avisos.orgao.example/" }, "https"],
    ["agency", "26408", { channel: "webhook", address: "https://10.0.0.1/" }, "by its name"],
    ["agency", "26408", { channel: "webhook", address: "https://elsewhere.example/" }, "ALERT_SIGNED_WEBHOOK_HOSTS"],
    ["agency", "26408", { channel: "discord", address: "https://discord.example/api/webhooks/1/a" }, "not Discord"],
  ])("on the %s %s with %j is refused with the reason", async (kind, subject, given, reason) => {
    const { status, body } = await watch(kind, subject, given);
    expect(status).toBe(400);
    expect(body.detail).toContain(reason);
    expect(await system.data.sql("select 1 from watches")).toEqual([]);
  });

  test.each([{ kind: "person" }, { channel: "sms" }, { severityMin: "grave" }, { ownerId: "me" }, { surprise: 1 }])(
    "with %j is refused",
    async (wrong) => {
      expect((await watch("agency", "26408", wrong)).status).toBe(400);
    },
  );

  test("is one of two hundred at an address at most, however many are asked for at once", async () => {
    const fill = (count: number) =>
      system.data.sql(
        `insert into watches (subject_kind, subject_id, channel, target, address)
         select 'agency', 's' || n, w.channel, w.target, w.address from watches w, generate_series(1, $1) n`,
        [count],
      );
    await watch("agency", "26408");
    await fill(194);
    const suppliers = ["26409", "26410", "26411", "26412", "26413", "26414", "26415", "26416"];
    const answers = await Promise.all(suppliers.map((code) => watch("agency", code)));
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual([
      "201",
      "201",
      "201",
      "201",
      "201",
      "400",
      "400",
      "400",
    ]);
    expect(await system.data.sql("select count(*) as watches from watches")).toEqual([{ watches: 200 }]);
  });
});

describe("an alert", () => {
  const of = (subject: string, given: Partial<Finding>) => finding(`${subject}-${crypto.randomUUID()}`, given);

  /** Stores these findings as an investigation that alerts `targets`; what it was told to deliver. */
  async function raise(findings: Finding[], targets: InvestigationResult["alert"]["targets"] = []): Promise<string[]> {
    const running = await openRunning(system.data.store);
    const result = resultOf(findings);
    result.alert.targets = targets;
    return (await completeInvestigation(system.data.store, running, result, noLimit)).deliveries;
  }

  async function deliver(ids: string[], changed: Record<string, string> = {}): Promise<void> {
    const config = parseConfig(workerEnvironment, { ...system.environment, ...changed });
    await using targets = openAlertTargets(config);
    const context: DeliverContext = {
      store: system.data.store,
      targets: targets.list,
      openTarget: targets.open,
      groupMax: 10,
      messagesPerMinute: 1_000,
      quietHours: null,
      sendLeaseSeconds: 60,
      publicUrl: null,
      feedbackSecret: null,
      logger: createLogger({ process: "test", level: "silent" }),
      telemetry: createTelemetry({ process: "test" }),
    };
    for (const deliveryId of ids) await deliverAlert(context, { deliveryId }, noLimit);
  }

  const deliveries = () => system.data.sql("select channel, status, problem from alert_deliveries order by channel");
  const sent = { channel: "email", status: "sent", problem: null };

  test("goes to whoever watches its supplier, agency or detector, and tells that target of nothing else", async () => {
    await watch("supplier", SUPPLIER);
    await deliver(
      await raise([
        of("alheio", { supplierTaxId: "11222333000181", title: "De outro fornecedor" }),
        of("visto", { title: "Do fornecedor acompanhado", score: 0.5, severity: "medium" }),
      ]),
    );
    expect(await deliveries()).toEqual([sent]);
    const [message] = mail.accepted;
    expect(message!.subject).toContain("MÉDIA");
    expect(message!.text).toContain("Do fornecedor acompanhado");
    expect(message!.text).toContain("Este destino acompanha: fornecedor 15.195.707/0001-78");
    expect(message!.text).not.toContain("De outro fornecedor");
    expect(mail.accepted).toHaveLength(1);
  });

  test.each([
    ["agency", "26435"],
    ["detector", "price-outlier"],
  ])("goes to whoever watches its %s", async (kind, subject) => {
    await watch(kind, subject);
    await deliver(await raise([of("um", {})]));
    expect(mail.accepted).toHaveLength(1);
  });

  test("is one message to a target, whatever it watches and wherever it is named besides", async () => {
    await watch("supplier", SUPPLIER);
    await watch("agency", "26435");
    await watch("detector", "price-outlier");
    const { body } = await watch("agency", "26408");
    const configured = { channel: "email" as const, target: String(body["target"]), severityMin: null };
    const ids = await raise([of("um", {}), of("dois", {})], [configured]);
    expect(ids).toHaveLength(1);
    await deliver([...ids, ...ids], { ALERT_EMAILS: address });
    expect(await deliveries()).toEqual([sent]);
    expect(mail.accepted).toHaveLength(1);
  });

  test("of the same finding again reaches nobody twice", async () => {
    await watch("supplier", SUPPLIER);
    const same = of("um", {});
    await deliver(await raise([same]));
    expect(await raise([same])).toEqual([]);
    expect(mail.accepted).toHaveLength(1);
  });

  test("that is milder than a watch asks for, or about something else, or private, is not for its target", async () => {
    await watch("supplier", SUPPLIER, { severityMin: "critical" });
    await watch("agency", "99999");
    expect(await raise([of("leve", { severity: "high", score: 0.8 })])).toEqual([]);
    const running = await openRunning(system.data.store);
    await system.data.sql("update investigations set visibility = 'private', owner_id = $2 where id = $1", [
      running.id,
      crypto.randomUUID(),
    ]);
    const result = resultOf([of("privado", {})]);
    result.alert.targets = [];
    expect((await completeInvestigation(system.data.store, running, result, noLimit)).deliveries).toEqual([]);
  });

  test("to an address that this system can send nothing to fails with the reason", async () => {
    await watch("supplier", SUPPLIER, { channel: "webhook", address: "https://avisos.orgao.example/hook" });
    await deliver(await raise([of("um", {})]));
    const failed = { channel: "webhook", status: "failed" };
    expect(await deliveries()).toEqual([{ ...failed, problem: "a webhook needs ALERT_SIGNED_WEBHOOK_SECRET" }]);
    await system.data.sql("truncate alerts cascade");
    const ids = await raise([of("dois", {})]);
    await system.data.sql("truncate watches");
    await deliver(ids);
    expect(await deliveries()).toEqual([{ ...failed, problem: expect.stringContaining("watches nothing") }]);
  });
});

test("of a real investigation, with nobody else to tell, only what is watched is told, and only that counts as told", async () => {
  system.start("worker", { ALERT_WEBHOOKS: "" });
  const scope = { agencyCodes: ["52000", "26408"], from: "2024-01-01", to: "2024-01-31" };
  const investigate = async () => {
    const { id } = (await (await system.post({ scope })).json()) as { id: string };
    await system.untilFinal([id]);
    return id;
  };
  const id = await investigate();
  expect(await system.data.sql("select 1 from alerts")).toEqual([]);
  const [most] = await system.data.sql<{ detector: string; findings: number }>(
    `select detector, count(*) as findings from anomalies where investigation_id = $1 and severity <> 'info'
      group by 1 order by 2 limit 1`,
    [id],
  );
  expect((await watch("detector", most!.detector)).status).toBe(201);
  const again = await investigate();
  await until("the message has come", async () => mail.accepted.length === 1);
  const told = await system.data.sql(
    "select distinct a.detector from alert_findings f join anomalies a using (fingerprint) where a.investigation_id = $1",
    [again],
  );
  expect(told).toEqual([{ detector: most!.detector }]);
  expect(await system.data.sql("select findings from alerts")).toEqual([{ findings: most!.findings }]);
});
