import {
  acknowledgeAlert,
  claimDelivery,
  disableTarget,
  findDeliveries,
  pauseTarget,
  putOffDelivery,
  raiseAlert as raiseGeneral,
  resendAlert,
  settleDelivery,
  type Settlement,
  takeUnqueuedDeliveries,
} from "@cidadao/database/alerts";
import { completeInvestigation } from "@cidadao/database/investigations";
import type { AlertContent } from "@cidadao/domain/alert";
import type { Severity } from "@cidadao/domain/severity";
import { afterAll, describe, expect, test } from "vitest";
import { finding, findWholeAlert, noLimit, openRunning, resultOf } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
afterAll(() => db[Symbol.asyncDispose]());
const { store } = db;

/** An alert on its way to `targets` targets. */
async function raiseAlert(targets = 1): Promise<{ alertId: string; deliveries: string[] }> {
  const running = await openRunning(store);
  const result = resultOf([finding(running.id)]);
  result.alert.targets = Array.from({ length: targets }, (_, index) => ({
    channel: "discord",
    target: `${running.id}-${index}`,
    severityMin: null,
  }));
  const { alertId, deliveries } = await completeInvestigation(store, running, result, noLimit);
  return { alertId: alertId!, deliveries };
}

/** No grouping, no throttle. */
const one = { leaseSeconds: 60, groupMax: 1, perMinute: 1_000 };

async function claimed(id: string) {
  const answer = await claimDelivery(store, id, one, noLimit);
  if (answer.outcome !== "claimed") throw new Error(`the delivery was not claimed but ${answer.outcome}`);
  return answer.delivery;
}

const rowOf = async (id: string) => (await db.sql("select * from alert_deliveries where id = $1", [id]))[0]!;
const alertStatus = async (id: string) => (await findWholeAlert(store, id))!.alert.status;
const take = () => takeUnqueuedDeliveries(store, { limit: 100, graceSeconds: 60 }, noLimit);
const expireLease = (id: string) =>
  db.sql("update alert_deliveries set lease_until = now() - interval '1 second' where id = $1", [id]);
const sent: Settlement = { status: "sent", externalId: "123" };

describe("a delivery", () => {
  test("is given to one of twenty senders that ask at once", async () => {
    const { deliveries } = await raiseAlert();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        db.sql<{ outcome: string }>(
          "select claim_alert_delivery($1, 60, 1, 1000) ->> 'outcome' as outcome",
          deliveries,
        ),
      ),
    );
    const outcomes = answers.map(([answer]) => answer!.outcome).toSorted();
    expect(outcomes).toEqual([...Array.from({ length: 19 }, () => "busy"), "claimed"]);
  });

  test("is committed as sending, with its fence and attempt, before its sender hears of it", async () => {
    const { alertId, deliveries } = await raiseAlert();
    const delivery = await claimed(deliveries[0]!);
    expect(delivery).toMatchObject({ status: "sending", fence: 1, attempts: 1, channel: "discord" });
    expect(await rowOf(delivery.id)).toMatchObject({ status: "sending", fence: 1, attempts: 1 });
    expect(await alertStatus(alertId)).toBe("sending");
  });

  test("that was sent is settled for good, with the id of its message", async () => {
    const { alertId, deliveries } = await raiseAlert();
    const delivery = await claimed(deliveries[0]!);
    expect(await settleDelivery(store, delivery, sent, noLimit)).toBe(true);
    expect(await rowOf(delivery.id)).toMatchObject({ status: "sent", external_id: "123", lease_until: null });
    expect(await alertStatus(alertId)).toBe("sent");
    expect(await settleDelivery(store, delivery, { status: "failed", problem: "late" }, noLimit)).toBe(false);
    expect(await claimDelivery(store, delivery.id, one, noLimit)).toEqual({ outcome: "settled" });
  });

  test("nobody made is unknown", async () => {
    expect(await claimDelivery(store, crypto.randomUUID(), one, noLimit)).toEqual({ outcome: "unknown" });
  });

  test("to be tried again waits for its delay, then goes out under a new fence that the old sender does not have", async () => {
    const { alertId, deliveries } = await raiseAlert();
    const first = await claimed(deliveries[0]!);
    const later: Settlement = { status: "pending", problem: "429", delaySeconds: 3_600 };
    expect(await settleDelivery(store, first, later, noLimit)).toBe(true);
    expect(await claimDelivery(store, first.id, one, noLimit)).toEqual({ outcome: "early" });
    expect(await alertStatus(alertId)).toBe("sending");
    expect(await take()).toEqual([]);
    await db.sql("update alert_deliveries set run_after = now() where id = $1", [first.id]);
    expect(await take()).toEqual([{ id: first.id, fence: 1 }]);
    expect(await findDeliveries(store, [first.id], noLimit)).toEqual([{ id: first.id, fence: 1 }]);
    const second = await claimed(first.id);
    expect(second).toMatchObject({ fence: 2, attempts: 2 });
    expect(await settleDelivery(store, first, sent, noLimit)).toBe(false);
    expect(await settleDelivery(store, second, sent, noLimit)).toBe(true);
  });

  test("whose sender died becomes unknown and is never sent again", async () => {
    const { alertId, deliveries } = await raiseAlert();
    const delivery = await claimed(deliveries[0]!);
    await expireLease(delivery.id);
    expect(await claimDelivery(store, delivery.id, one, noLimit)).toEqual({ outcome: "busy" });
    expect(await take()).toEqual([]);
    expect(await rowOf(delivery.id)).toMatchObject({ status: "unknown", problem: "its sender died while sending" });
    expect(await alertStatus(alertId)).toBe("unknown");
    expect(await claimDelivery(store, delivery.id, one, noLimit)).toEqual({ outcome: "settled" });
    expect(await settleDelivery(store, delivery, sent, noLimit)).toBe(false);
    expect(await take()).toEqual([]);
  });

  test("that waits on the queue is handed out again only after the grace, and to one of many sweepers", async () => {
    const { deliveries } = await raiseAlert(12);
    expect(await take()).toEqual([]);
    await db.sql("update alert_deliveries set enqueued_at = now() - interval '61 seconds' where id = any($1)", [
      deliveries,
    ]);
    const taken = await Promise.all(
      Array.from({ length: 8 }, () => db.sql<{ id: string }>("select id from take_unqueued_deliveries(5, 60)")),
    );
    const ids = [...taken.flat(), ...(await take())].map(({ id }) => id);
    expect(ids.toSorted()).toEqual(deliveries.toSorted());
  });
});

describe("an alert", () => {
  test.each([
    [["sent", "sent", "sent"], "sent"],
    [["sent", "failed", "sent"], "failed"],
    [["failed", "unknown", "sent"], "unknown"],
  ] as const)("whose deliveries ended %j is %s", async (ends, status) => {
    const { alertId, deliveries } = await raiseAlert(ends.length);
    for (const [index, end] of ends.entries()) {
      expect(await alertStatus(alertId)).toBe(index === 0 ? "pending" : "sending");
      const settlement: Settlement = end === "sent" ? sent : { status: end, problem: "it broke" };
      await settleDelivery(store, await claimed(deliveries[index]!), settlement, noLimit);
    }
    expect(await alertStatus(alertId)).toBe(status);
  });

  test("whose last two deliveries are settled at the same moment is settled", async () => {
    const { alertId, deliveries } = await raiseAlert(2);
    for (const id of deliveries) await claimed(id);
    const settle = "select settle_alert_delivery($1, 1, 'sent', null, null, null)";
    await using first = await db.session();
    await using second = await db.session();
    await first.sql("begin");
    await first.sql(settle, [deliveries[0]]);
    let secondIsDone = false;
    const settling = second.sql(settle, [deliveries[1]]).then(() => (secondIsDone = true));
    await expect
      .poll(async () => {
        const waiting = await db.sql(
          "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        );
        return secondIsDone || waiting.length > 0;
      })
      .toBe(true);
    await first.sql("commit");
    await settling;
    expect(await alertStatus(alertId)).toBe("sent");
  });

  test("that somebody acknowledged stays acknowledged", async () => {
    const { alertId, deliveries } = await raiseAlert();
    const delivery = await claimed(deliveries[0]!);
    expect(await acknowledgeAlert(store, alertId, noLimit)).toBe(true);
    expect(await acknowledgeAlert(store, crypto.randomUUID(), noLimit)).toBe(false);
    await settleDelivery(store, delivery, sent, noLimit);
    expect(await alertStatus(alertId)).toBe("acknowledged");
  });
});

/** `count` alerts of the same severity for one target of its own. */
async function burst(count: number, severity: Severity = "high") {
  const target = `burst-${crypto.randomUUID()}`;
  const raised = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      raiseGeneral(
        store,
        {
          kind: "operations",
          dedupeKey: `${target}-${index}`,
          message: { ...content, severity },
          targets: [{ channel: "discord", target, severityMin: null }],
        },
        noLimit,
      ),
    ),
  );
  return { target, alerts: raised.map(({ alertId }) => alertId!), deliveries: raised.flatMap((one) => one.deliveries) };
}

const content: AlertContent = {
  title: "Teste",
  severity: "high",
  summary: "Um teste.",
  notes: [],
  findings: [],
  findingsTotal: 0,
  investigationUrl: null,
  sample: null,
};
const group = { leaseSeconds: 60, groupMax: 4, perMinute: 1_000 };
const statusesOf = async (ids: string[]) =>
  (await db.sql<{ status: string }>("select status from alert_deliveries where id = any($1)", [ids])).map(
    ({ status }) => status,
  );
async function claimGroup(id: string) {
  const answer = await claimDelivery(store, id, group, noLimit);
  if (answer.outcome !== "claimed") throw new Error(answer.outcome);
  return answer;
}

describe("alerts that wait for one target", () => {
  test("go out in one message, at most so many, and are settled with it", async () => {
    const { alerts, deliveries } = await burst(6);
    const { delivery, grouped } = await claimGroup(deliveries[2]!);
    expect(grouped).toHaveLength(3);
    expect(await claimDelivery(store, grouped[0]!.id, group, noLimit)).toEqual({ outcome: "busy" });
    await settleDelivery(store, delivery, sent, noLimit);
    expect((await statusesOf(deliveries)).toSorted()).toEqual(["pending", "pending", "sent", "sent", "sent", "sent"]);
    const ended = await db.sql("select 1 from alerts where id = any($1) and status = 'sent'", [alerts]);
    expect(ended).toHaveLength(4);
  });

  test("are in one message each, and in as few as they fit in, however many senders ask at once", async () => {
    const { deliveries } = await burst(12);
    const answers = await Promise.all(
      deliveries.map((id) =>
        db.sql<{ claim: { outcome: string; delivery: { id: string }; grouped: { id: string }[] } }>(
          "select claim_alert_delivery($1, 60, 4, 1000) as claim",
          [id],
        ),
      ),
    );
    const messages = answers.map(([answer]) => answer!.claim).filter(({ outcome }) => outcome === "claimed");
    expect(messages).toHaveLength(3);
    const carried = messages.flatMap(({ delivery, grouped }) => [delivery.id, ...grouped.map(({ id }) => id)]);
    expect(carried.toSorted()).toEqual(deliveries.toSorted());
  });

  test("are all unknown when their sender died, and none goes out again", async () => {
    const { deliveries } = await burst(3);
    await claimGroup(deliveries[0]!);
    await db.sql("update alert_deliveries set lease_until = now() - interval '1 s' where id = any($1)", [deliveries]);
    expect(await take()).toEqual([]);
    expect(await statusesOf(deliveries)).toEqual(["unknown", "unknown", "unknown"]);
  });

  test("each try again alone when their message was refused", async () => {
    const { deliveries } = await burst(3);
    const { delivery } = await claimGroup(deliveries[0]!);
    await settleDelivery(store, delivery, { status: "failed", problem: "400" }, noLimit);
    expect(await statusesOf(deliveries)).toEqual(["pending", "pending", "pending"]);
    const alone = await claimGroup(deliveries[1]!);
    expect(alone.grouped).toEqual([]);
    await settleDelivery(store, alone.delivery, { status: "failed", problem: "400" }, noLimit);
    expect((await statusesOf(deliveries)).toSorted()).toEqual(["failed", "pending", "pending"]);
  });

  test("wait for the next minute when the target had its share of this one, but for a critical one", async () => {
    const { target, deliveries } = await burst(3);
    const bounds = { leaseSeconds: 60, groupMax: 1, perMinute: 2 };
    for (const id of deliveries.slice(0, 2)) {
      const answer = await claimDelivery(store, id, bounds, noLimit);
      await settleDelivery(store, (answer as { delivery: { id: string; fence: number } }).delivery, sent, noLimit);
    }
    expect(await claimDelivery(store, deliveries[2]!, bounds, noLimit)).toEqual({ outcome: "early" });
    const [put] = await db.sql<{ wait: number }>(
      "select extract(epoch from run_after - now())::int as wait from alert_deliveries where id = $1",
      [deliveries[2]],
    );
    expect(put!.wait).toBeGreaterThan(30);
    const critical = await raiseGeneral(
      store,
      {
        kind: "operations",
        dedupeKey: `${target}-critical`,
        message: { ...content, severity: "critical" },
        targets: [{ channel: "discord", target, severityMin: null }],
      },
      noLimit,
    );
    expect(await claimDelivery(store, critical.deliveries[0]!, bounds, noLimit)).toMatchObject({ outcome: "claimed" });
  });
});

describe("a target", () => {
  test("that asked for a pause gets nothing before its end, whatever waits for it", async () => {
    const { target, deliveries } = await burst(2);
    const pause = { channel: "discord", seconds: 30.5, problem: "429" } as const;
    await pauseTarget(store, { ...pause, target }, noLimit);
    for (const id of deliveries) expect(await claimDelivery(store, id, group, noLimit)).toEqual({ outcome: "early" });
    expect((await take()).filter(({ id }) => deliveries.includes(id))).toEqual([]);
    const other = await burst(1);
    expect(await claimDelivery(store, other.deliveries[0]!, group, noLimit)).toMatchObject({ outcome: "claimed" });
  });

  test("waits with all others of its channel when the pause is for the whole channel", async () => {
    const [first, second] = [await burst(1), await burst(1)];
    await pauseTarget(store, { channel: "discord", target: null, seconds: 30, problem: "429" }, noLimit);
    for (const { deliveries } of [first, second])
      expect(await claimDelivery(store, deliveries[0]!, group, noLimit)).toEqual({ outcome: "early" });
    await db.sql("delete from alert_targets");
  });

  test("that is gone fails at once what is for it, until somebody resends", async () => {
    const { target, alerts, deliveries } = await burst(1);
    await disableTarget(store, { channel: "discord", target, problem: "HTTP 404" }, noLimit);
    expect(await claimDelivery(store, deliveries[0]!, group, noLimit)).toEqual({ outcome: "disabled" });
    expect(await rowOf(deliveries[0]!)).toMatchObject({
      status: "failed",
      problem: "the target is disabled: HTTP 404",
    });
    expect(await alertStatus(alerts[0]!)).toBe("failed");
    expect(await resendAlert(store, alerts[0]!, noLimit)).toEqual([{ id: deliveries[0], fence: 1 }]);
    expect(await alertStatus(alerts[0]!)).toBe("pending");
    expect(await claimDelivery(store, deliveries[0]!, group, noLimit)).toMatchObject({ outcome: "claimed" });
    expect(await resendAlert(store, alerts[0]!, noLimit)).toEqual([]);
  });
});

test("a delivery that is put off waits until then, with no attempt counted", async () => {
  const { deliveries } = await burst(1);
  await putOffDelivery(store, deliveries[0]!, new Date(Date.now() + 3_600_000), noLimit);
  expect(await claimDelivery(store, deliveries[0]!, group, noLimit)).toEqual({ outcome: "early" });
  expect(await rowOf(deliveries[0]!)).toMatchObject({ status: "pending", attempts: 0 });
});

test("an alert with the same key is raised once, by one of twenty", async () => {
  const dedupeKey = crypto.randomUUID();
  const targets = [{ channel: "email", target: "one", severityMin: null }];
  const raised = await Promise.all(
    Array.from({ length: 20 }, () =>
      db.sql<{ alert: { alertId: string | null; deliveries: string[] } }>(
        "select raise_alert('digest', $1, 'high', $2, $3) as alert",
        [dedupeKey, JSON.stringify(content), JSON.stringify(targets)],
      ),
    ),
  );
  const alerts = raised.map(([row]) => row!.alert);
  expect(alerts.filter(({ alertId }) => alertId !== null)).toHaveLength(1);
  expect(alerts.flatMap(({ deliveries }) => deliveries)).toHaveLength(1);
});
