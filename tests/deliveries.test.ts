import {
  claimDelivery,
  findAlert,
  findDeliveries,
  settleDelivery,
  type Settlement,
  takeUnqueuedDeliveries,
} from "@cidadao/database/alerts";
import { completeInvestigation } from "@cidadao/database/investigations";
import { afterAll, describe, expect, test } from "vitest";
import { finding, noLimit, openRunning, resultOf } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
afterAll(() => db[Symbol.asyncDispose]());
const { store } = db;

/** An alert on its way to `targets` targets. */
async function raiseAlert(targets = 1): Promise<{ alertId: string; deliveries: string[] }> {
  const running = await openRunning(store);
  const result = resultOf([finding(running.id)]);
  result.alert.targets = Array.from({ length: targets }, (_, index) => ({ channel: "discord", target: `t${index}` }));
  const { alertId, deliveries } = await completeInvestigation(store, running, result, noLimit);
  return { alertId: alertId!, deliveries };
}

async function claimed(id: string) {
  const answer = await claimDelivery(store, id, 60, noLimit);
  if (answer.outcome !== "claimed") throw new Error(`the delivery was not claimed but ${answer.outcome}`);
  return answer.delivery;
}

const rowOf = async (id: string) => (await db.sql("select * from alert_deliveries where id = $1", [id]))[0]!;
const alertStatus = async (id: string) => (await findAlert(store, id, 1, noLimit))!.alert.status;
const take = () => takeUnqueuedDeliveries(store, { limit: 100, graceSeconds: 60 }, noLimit);
const expireLease = (id: string) =>
  db.sql("update alert_deliveries set lease_until = now() - interval '1 second' where id = $1", [id]);
const sent: Settlement = { status: "sent", externalId: "123" };

describe("a delivery", () => {
  test("is given to one of twenty senders that ask at once", async () => {
    const { deliveries } = await raiseAlert();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        db.sql<{ outcome: string }>("select claim_alert_delivery($1, 60) ->> 'outcome' as outcome", deliveries),
      ),
    );
    const outcomes = answers.map(([answer]) => answer!.outcome).toSorted();
    expect(outcomes).toEqual([...Array.from({ length: 19 }, () => "busy"), "claimed"]);
  });

  test("is committed as sending, with its fence and attempt, before its sender hears of it", async () => {
    const { alertId, deliveries } = await raiseAlert();
    const delivery = await claimed(deliveries[0]!);
    expect(delivery).toMatchObject({ status: "sending", fence: 1, attempts: 1, channel: "discord", target: "t0" });
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
    expect(await claimDelivery(store, delivery.id, 60, noLimit)).toEqual({ outcome: "settled" });
  });

  test("nobody made is unknown", async () => {
    expect(await claimDelivery(store, crypto.randomUUID(), 60, noLimit)).toEqual({ outcome: "unknown" });
  });

  test("to be tried again waits for its delay, then goes out under a new fence that the old sender does not have", async () => {
    const { alertId, deliveries } = await raiseAlert();
    const first = await claimed(deliveries[0]!);
    const later: Settlement = { status: "pending", problem: "429", delaySeconds: 3_600 };
    expect(await settleDelivery(store, first, later, noLimit)).toBe(true);
    expect(await claimDelivery(store, first.id, 60, noLimit)).toEqual({ outcome: "early" });
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
    expect(await claimDelivery(store, delivery.id, 60, noLimit)).toEqual({ outcome: "busy" });
    expect(await take()).toEqual([]);
    expect(await rowOf(delivery.id)).toMatchObject({ status: "unknown", problem: "its sender died while sending" });
    expect(await alertStatus(alertId)).toBe("unknown");
    expect(await claimDelivery(store, delivery.id, 60, noLimit)).toEqual({ outcome: "settled" });
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
    await db.sql("update alerts set status = 'acknowledged' where id = $1", [alertId]);
    await settleDelivery(store, delivery, sent, noLimit);
    expect(await alertStatus(alertId)).toBe("acknowledged");
  });
});
