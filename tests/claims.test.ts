import {
  cancelInvestigation,
  completeInvestigation,
  failInvestigation,
  findInvestigation,
  recordProgress,
  releaseInvestigation,
  renewInvestigation,
} from "@cidadao/database/investigations";
import { listEvents } from "@cidadao/database/events";
import { afterAll, describe, expect, test } from "vitest";
import { claim, CRASHES_MAX, finding, noLimit, openInvestigation, openRunning, resultOf } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
afterAll(() => db[Symbol.asyncDispose]());
const { store } = db;

const rowOf = async (id: string) => (await findInvestigation(store, id, noLimit))!;
/** What the passing of time would do. */
const expireLease = (id: string) =>
  db.sql("update investigations set lease_until = now() - interval '1 second' where id = $1", [id]);

describe("claiming", () => {
  test("gives an investigation to one of twenty workers that ask at once", async () => {
    const id = await openInvestigation(store);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, worker) =>
        db.sql<{ outcome: string }>("select claim_investigation($1, $2, 60, 4) ->> 'outcome' as outcome", [id, worker]),
      ),
    );
    const outcomes = answers.map(([answer]) => answer!.outcome).toSorted();
    expect(outcomes).toEqual(["claimed", ...Array.from({ length: 19 }, () => "leased")]);
    expect(await rowOf(id)).toMatchObject({ status: "running", phase: "claimed", fence: 1, attempts: 0, crashes: 0 });
  });

  test("gives it to one of twenty workers through PostgREST as well", async () => {
    const id = await openInvestigation(store);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, worker) => claim(store, id, String(worker))));
    expect(answers.filter((answer) => answer.outcome === "claimed")).toHaveLength(1);
    expect(answers.filter((answer) => answer.outcome === "leased")).toHaveLength(19);
  });

  test("refuses an investigation that nobody opened", async () => {
    expect(await claim(store, crypto.randomUUID())).toEqual({ outcome: "unknown" });
  });

  test("refuses one that is to run later, and gives it once its time has come", async () => {
    const id = await openInvestigation(store);
    await db.sql("update investigations set run_after = now() + interval '1 hour' where id = $1", [id]);
    expect(await claim(store, id)).toEqual({ outcome: "early" });
    await db.sql("update investigations set run_after = now() where id = $1", [id]);
    expect(await claim(store, id)).toMatchObject({ outcome: "claimed" });
  });

  test.each(["completed", "failed", "cancelled"] as const)("refuses one that is %s", async (status) => {
    const running = await openRunning(store);
    if (status === "completed") await completeInvestigation(store, running, resultOf([]), noLimit);
    if (status === "failed") await failInvestigation(store, running, failure({ delaySeconds: null }), noLimit);
    if (status === "cancelled") await cancelInvestigation(store, running.id, noLimit);
    expect(await rowOf(running.id)).toMatchObject({ status });
    expect(await claim(store, running.id)).toEqual({ outcome: "final" });
  });

  test("takes an expired lease over, under a new fence, and counts the crash", async () => {
    const { id } = await openRunning(store);
    await expireLease(id);
    expect(await claim(store, id, "worker-2")).toMatchObject({
      outcome: "claimed",
      investigation: { fence: 2, crashes: 1, attempts: 0 },
    });
  });

  test("gives up an investigation whose worker died four times", async () => {
    const id = await openInvestigation(store);
    for (let crash = 1; crash <= CRASHES_MAX; crash++) {
      expect(await claim(store, id)).toMatchObject({ outcome: "claimed" });
      await expireLease(id);
    }
    expect(await claim(store, id)).toEqual({ outcome: "poison" });
    expect(await rowOf(id)).toMatchObject({ status: "failed", failureCode: "poison", crashes: 4, phase: "finished" });
    expect(await claim(store, id)).toEqual({ outcome: "final" });
  });
});

describe("a worker that lost its investigation", () => {
  const takenOver = async () => {
    const late = await openRunning(store);
    await expireLease(late.id);
    await claim(store, late.id, "worker-2");
    return late;
  };
  const cancelled = async () => {
    const late = await openRunning(store);
    await cancelInvestigation(store, late.id, noLimit);
    return late;
  };
  const released = async () => {
    const late = await openRunning(store);
    await releaseInvestigation(store, late, { delaySeconds: 0, reason: "Reinício." }, noLimit);
    return late;
  };

  test.each([
    ["taken over", takenOver],
    ["cancelled", cancelled],
    ["released", released],
  ] as const)("can write nothing any more once it is %s", async (_, lose) => {
    const late = await lose();
    const [before, events] = [await rowOf(late.id), await listEvents(store, late.id, 0, noLimit)];
    const step = { phase: "reading", progress: 0.5, message: "Lendo." } as const;
    expect(await renewInvestigation(store, late, noLimit)).toBe(false);
    expect(await recordProgress(store, late, step, noLimit)).toBe(false);
    expect(await releaseInvestigation(store, late, { delaySeconds: 0, reason: "Reinício." }, noLimit)).toBe(false);
    expect(await failInvestigation(store, late, failure({ delaySeconds: 1 }), noLimit)).toBe("refused");
    expect(await failInvestigation(store, late, failure({ delaySeconds: null }), noLimit)).toBe("refused");
    expect(await completeInvestigation(store, late, resultOf([finding(late.id)]), noLimit)).toEqual({
      completed: false,
      alertId: null,
      deliveries: [],
    });
    expect(await rowOf(late.id)).toEqual(before);
    expect(await listEvents(store, late.id, 0, noLimit)).toEqual(events);
    const tables = ["anomalies", "reports", "alerts"];
    for (const table of tables) {
      expect(await db.sql(`select 1 from ${table} where investigation_id = $1`, [late.id])).toEqual([]);
    }
  });
});

describe("settling an attempt", () => {
  test("renewing and progress both move the end of the lease", async () => {
    const running = await openRunning(store);
    const left = async () => {
      const [row] = await db.sql<{ seconds: number }>(
        "select extract(epoch from lease_until - now())::float as seconds from investigations where id = $1",
        [running.id],
      );
      return row!.seconds;
    };
    await renewInvestigation(store, { ...running, leaseSeconds: 1_000 }, noLimit);
    expect(await left()).toBeGreaterThan(900);
    const step = { phase: "detecting", progress: 0.6, message: "Analisando.", data: { contracts: 3 } } as const;
    expect(await recordProgress(store, { ...running, leaseSeconds: 5_000 }, step, noLimit)).toBe(true);
    expect(await left()).toBeGreaterThan(4_900);
    expect(await rowOf(running.id)).toMatchObject({ phase: "detecting", progress: 0.6 });
  });

  test("a release costs no attempt and no crash, and waits for its delay", async () => {
    const running = await openRunning(store);
    await releaseInvestigation(store, running, { delaySeconds: 3_600, reason: "A fonte pediu uma pausa." }, noLimit);
    expect(await rowOf(running.id)).toMatchObject({ status: "pending", attempts: 0, crashes: 0, phase: "opened" });
    expect(await claim(store, running.id)).toEqual({ outcome: "early" });
  });

  test("a failure with attempts left runs again after its delay, and fails at the last attempt", async () => {
    const running = await openRunning(store);
    const ends: string[] = [];
    for (let attempt = 1; attempt <= 3; attempt++) {
      const fence = attempt === 1 ? running.fence : ((await claim(store, running.id)) as Claimed).investigation.fence;
      ends.push(
        await failInvestigation(store, { ...running, fence }, failure({ delaySeconds: attempt < 3 ? 0 : 1 }), noLimit),
      );
    }
    expect(ends).toEqual(["pending", "pending", "failed"]);
    expect(await rowOf(running.id)).toMatchObject({
      status: "failed",
      attempts: 3,
      failureCode: "source_unavailable",
      failureMessage: "the portal did not answer",
    });
  });

  test("a failure with no delay is final at once", async () => {
    const running = await openRunning(store);
    expect(await failInvestigation(store, running, failure({ delaySeconds: null }), noLimit)).toBe("failed");
    expect(await rowOf(running.id)).toMatchObject({ status: "failed", attempts: 1 });
  });
});

describe("cancelling", () => {
  test("ends a pending and a running investigation, and says so again", async () => {
    const pending = await openInvestigation(store);
    const running = await openRunning(store);
    for (const id of [pending, running.id]) {
      expect(await cancelInvestigation(store, id, noLimit)).toBe("cancelled");
      expect(await cancelInvestigation(store, id, noLimit)).toBe("cancelled");
      expect(await rowOf(id)).toMatchObject({ status: "cancelled", outcome: null });
    }
  });

  test("leaves a final investigation as it is, and knows no other", async () => {
    const running = await openRunning(store);
    await completeInvestigation(store, running, resultOf([]), noLimit);
    expect(await cancelInvestigation(store, running.id, noLimit)).toBe("final");
    expect(await rowOf(running.id)).toMatchObject({ status: "completed", outcome: "no_anomalies" });
    expect(await cancelInvestigation(store, crypto.randomUUID(), noLimit)).toBe("unknown");
  });

  test("against a completion at the same moment, exactly one of the two is true", async () => {
    for (let round = 0; round < 10; round++) {
      const running = await openRunning(store);
      const [completion, cancellation] = await Promise.all([
        completeInvestigation(store, running, resultOf([]), noLimit),
        cancelInvestigation(store, running.id, noLimit),
      ]);
      const { status } = await rowOf(running.id);
      expect({ completed: completion.completed, cancellation, status }).toEqual(
        completion.completed
          ? { completed: true, cancellation: "final", status: "completed" }
          : { completed: false, cancellation: "cancelled", status: "cancelled" },
      );
    }
  });
});

describe("events", () => {
  test("are numbered from 1 without gaps when thirty are recorded at once", async () => {
    const running = await openRunning(store);
    const steps = Array.from({ length: 30 }, (_, index) => `Passo ${index}.`);
    await Promise.all(
      steps.map((message) =>
        db.sql("select record_progress($1, $2, 60, 'reading', 0.5, $3, '{}')", [running.id, running.fence, message]),
      ),
    );
    const events = await listEvents(store, running.id, 0, noLimit);
    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 31 }, (_, index) => index + 1));
    expect(
      events
        .slice(1)
        .map((event) => event.message)
        .toSorted(),
    ).toEqual(steps.toSorted());
    expect((await rowOf(running.id)).events).toBe(31);
  });

  test("tell the whole life of an investigation, and go on after a number", async () => {
    const running = await openRunning(store);
    await recordProgress(store, running, { phase: "reading", progress: 0.1, message: "Lendo." }, noLimit);
    await releaseInvestigation(store, running, { delaySeconds: 0, reason: "Reinício." }, noLimit);
    const again = ((await claim(store, running.id)) as Claimed).investigation;
    await completeInvestigation(store, { ...running, fence: again.fence }, resultOf([]), noLimit);
    const events = await listEvents(store, running.id, 0, noLimit);
    expect(events.map((event) => event.phase)).toEqual(["claimed", "reading", "opened", "claimed", "finished"]);
    expect(events.at(-1)).toMatchObject({ progress: 1, data: { status: "completed", outcome: "no_anomalies" } });
    expect(await listEvents(store, running.id, 3, noLimit)).toEqual(events.slice(3));
  });
});

type Claimed = Extract<Awaited<ReturnType<typeof claim>>, { outcome: "claimed" }>;

function failure({ delaySeconds }: { delaySeconds: number | null }) {
  return { code: "source_unavailable", message: "the portal did not answer", delaySeconds, attemptsMax: 3 };
}
