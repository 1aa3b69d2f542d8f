import { findAlert } from "@cidadao/database/alerts";
import { listAnomaliesOf } from "@cidadao/database/anomalies";
import { listEvents } from "@cidadao/database/events";
import { completeInvestigation, findInvestigation, type InvestigationResult } from "@cidadao/database/investigations";
import { findReport } from "@cidadao/database/reports";
import { findingFingerprint } from "@cidadao/domain/anomaly";
import { severities, type Severity } from "@cidadao/domain/severity";
import { afterAll, describe, expect, test } from "vitest";
import { finding, findWholeAlert, noLimit, openRunning, resultOf } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

const db = await openTestStore();
afterAll(() => db[Symbol.asyncDispose]());
const { store } = db;

let subjects = 0;
/** Findings that no other test has alerted. */
const newFindings = (count: number) =>
  Array.from({ length: count }, () => finding(`c${++subjects}`, { score: 0.95 - subjects / 10_000 }));

describe("completing an investigation", () => {
  test("stores anomalies, report, alert, deliveries, counters and the last event together", async () => {
    const running = await openRunning(store);
    const findings = newFindings(3);
    const coverage = [
      { source: "s", asked: 2, answered: 1, records: 5, rejected: 0, missing: [{ what: "p", why: "t" }] },
    ];
    const targets = ["main", "second"].map((target) => ({ channel: "discord" as const, target, severityMin: null }));
    const result = resultOf(findings, { coverage, sample: "Amostra de 2024", outcome: "partial" });
    result.alert.targets = targets;

    const completion = await completeInvestigation(store, running, result, noLimit);

    expect(completion).toMatchObject({ completed: true, alertId: expect.any(String) });
    expect(await findInvestigation(store, running.id, noLimit)).toMatchObject({
      status: "completed",
      outcome: "partial",
      phase: "finished",
      progress: 1,
      records: 10,
      anomalies: 3,
      coverage,
      sample: "Amostra de 2024",
    });
    const anomalies = await listAnomaliesOf(store, running.id, { afterRank: 0, limit: 10 }, noLimit);
    expect(anomalies.map(({ rank, fingerprint, sample }) => ({ rank, fingerprint, sample }))).toEqual(
      findings.map((one, index) => ({
        rank: index + 1,
        fingerprint: findingFingerprint(one),
        sample: "Amostra de 2024",
      })),
    );
    expect(anomalies[0]).toMatchObject({ amountAtRiskCents: 123_456_78, status: "detected", explanation: "Texto." });
    expect(await findReport(store, running.id, noLimit)).toMatchObject({
      title: "Relatório",
      sample: "Amostra de 2024",
    });
    const alert = await findAlert(store, completion.alertId!, { limit: 2, severities }, noLimit);
    expect(alert?.alert).toMatchObject({ severity: "critical", findings: 3, status: "pending" });
    expect(alert?.anomalies.map((anomaly) => anomaly.rank)).toEqual([1, 2]);
    const deliveries = await db.sql(
      "select id, target, status from alert_deliveries where alert_id = $1 order by target",
      [completion.alertId],
    );
    expect(deliveries).toEqual([
      { id: expect.any(String), target: "main", status: "pending" },
      { id: expect.any(String), target: "second", status: "pending" },
    ]);
    expect(new Set(completion.deliveries)).toEqual(new Set(deliveries.map(({ id }) => id)));
    expect((await listEvents(store, running.id, 0, noLimit)).at(-1)).toMatchObject({ message: "3 indícios." });
  });

  test("without findings to alert makes no alert", async () => {
    const running = await openRunning(store);
    expect(await completeInvestigation(store, running, resultOf([]), noLimit)).toEqual({
      completed: true,
      alertId: null,
      deliveries: [],
    });
  });

  const broken: [string, (result: InvestigationResult) => void][] = [
    ["a severity that does not exist", (result) => Object.assign(result.anomalies[1]!, { severity: "terrible" })],
    ["a score above 1", (result) => Object.assign(result.anomalies[1]!, { score: 1.5 })],
    [
      "an explanation without its source",
      (result) => Object.assign(result.anomalies[1]!, { explanation_source: null }),
    ],
    [
      "the same finding twice",
      (result) => Object.assign(result.anomalies[1]!, { fingerprint: result.anomalies[0]!["fingerprint"] }),
    ],
    ["no outcome", (result) => Object.assign(result, { outcome: null })],
    ["an outcome that does not exist", (result) => Object.assign(result, { outcome: "fine" })],
    ["a report without a title", (result) => Object.assign(result.report, { title: null })],
    ["a channel that does not exist", (result) => Object.assign(result.alert.targets[0]!, { channel: "pigeon" })],
    ["one target twice", (result) => result.alert.targets.push({ ...result.alert.targets[0]! })],
    ["an alert on a finding that is not there", (result) => (result.alert.fingerprints = ["nothing"])],
    ["no message", (result) => Object.assign(result, { message: null })],
  ];
  test.each(broken)("with %s stores nothing at all, and the investigation still runs", async (_, breakIt) => {
    const running = await openRunning(store);
    const result = resultOf(newFindings(2));
    breakIt(result);
    const before = await findInvestigation(store, running.id, noLimit);
    await expect(completeInvestigation(store, running, result, noLimit)).rejects.toThrow("storing the result");
    expect(await findInvestigation(store, running.id, noLimit)).toEqual(before);
    for (const table of ["anomalies", "reports", "alerts"]) {
      expect(await db.sql(`select 1 from ${table} where investigation_id = $1`, [running.id])).toEqual([]);
    }
    expect(await listEvents(store, running.id, 1, noLimit)).toEqual([]);
  });

  test("by twenty copies of one worker at once stores one result", async () => {
    const running = await openRunning(store);
    const result = JSON.stringify(resultOf(newFindings(2)));
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        db.sql<{ done: boolean }>("select (complete_investigation($1, $2, $3) ->> 'completed')::boolean as done", [
          running.id,
          running.fence,
          result,
        ]),
      ),
    );
    expect(answers.filter(([answer]) => answer!.done)).toHaveLength(1);
    expect(await db.sql("select 1 from anomalies where investigation_id = $1", [running.id])).toHaveLength(2);
  });
});

describe("alerting a finding", () => {
  test("happens once, however many investigations come to it one after the other", async () => {
    const findings = newFindings(2);
    const first = await openRunning(store);
    expect((await completeInvestigation(store, first, resultOf(findings), noLimit)).alertId).not.toBeNull();
    const second = await openRunning(store);
    expect(await completeInvestigation(store, second, resultOf(findings), noLimit)).toEqual({
      completed: true,
      alertId: null,
      deliveries: [],
    });
    expect(await listAnomaliesOf(store, second.id, { afterRank: 0, limit: 10 }, noLimit)).toHaveLength(2);
  });

  test("happens again only when it has grown graver", async () => {
    const [known] = newFindings(1);
    const alertOf = async (score: number, severity: Severity) => {
      const running = await openRunning(store);
      const result = resultOf([{ ...known!, score, severity }]);
      return (await completeInvestigation(store, running, result, noLimit)).alertId;
    };
    const first = await alertOf(0.72, "high");
    expect(first).not.toBeNull();
    expect(await alertOf(0.75, "high")).toBeNull();
    expect(await alertOf(0.55, "medium")).toBeNull();
    const graver = await alertOf(0.93, "critical");
    expect((await findWholeAlert(store, graver!))?.alert).toMatchObject({ findings: 1, severity: "critical" });
    expect(await alertOf(0.72, "high")).toBeNull();
    expect(await alertOf(0.99, "critical")).toBeNull();
    expect((await findWholeAlert(store, first!))?.anomalies, "the first one still says what it said").toHaveLength(1);
  });

  test("tells each target only from its own severity on", async () => {
    const running = await openRunning(store);
    const result = resultOf([finding(`${running.id}-1`, { severity: "high", score: 0.8 })]);
    result.alert.targets = [
      { channel: "discord", target: "all", severityMin: null },
      { channel: "email", target: "high", severityMin: "high" },
      { channel: "webhook", target: "critical", severityMin: "critical" },
    ];
    const { deliveries } = await completeInvestigation(store, running, result, noLimit);
    const told = await db.sql("select target from alert_deliveries where id = any($1) order by target", [deliveries]);
    expect(told).toEqual([{ target: "all" }, { target: "high" }]);
  });

  test("covers only what is new beside what was alerted before, at the severity of the new", async () => {
    const [known] = newFindings(1);
    const first = await openRunning(store);
    await completeInvestigation(store, first, resultOf([known!]), noLimit);
    const fresh = finding("fresh", { score: 0.72, severity: "high" });
    const second = await openRunning(store);
    const { alertId } = await completeInvestigation(store, second, resultOf([known!, fresh]), noLimit);
    const found = await findWholeAlert(store, alertId!);
    expect(found?.alert).toMatchObject({ findings: 1, severity: "high" });
    expect(found?.anomalies.map((anomaly) => anomaly.subjectId)).toEqual(["fresh"]);
  });

  test("happens once when completions that share findings in opposite orders race, and none of them deadlocks", async () => {
    for (let round = 0; round < 5; round++) {
      const findings = newFindings(40);
      const orders = [findings, findings.toReversed(), findings.slice(10), findings.slice(0, 30).toReversed()];
      const runs = await Promise.all(orders.map(async (order) => ({ running: await openRunning(store), order })));
      const completions = await Promise.all(
        runs.map(({ running, order }) => completeInvestigation(store, running, resultOf(order), noLimit)),
      );
      expect(completions.every((completion) => completion.completed)).toBe(true);
      const covered = await db.sql<{ fingerprint: string; alert: string }>(
        "select fingerprint, alert_id as alert from alert_findings where fingerprint = any($1)",
        [findings.map(findingFingerprint)],
      );
      expect(covered).toHaveLength(40);
      const alerts = completions.flatMap((completion) => completion.alertId ?? []);
      expect(new Set(covered.map((row) => row.alert))).toEqual(new Set(alerts));
      const [counted] = await db.sql<{ findings: number }>(
        "select sum(findings)::int as findings from alerts where id = any($1)",
        [alerts],
      );
      expect(counted!.findings).toBe(40);
    }
  });
});
