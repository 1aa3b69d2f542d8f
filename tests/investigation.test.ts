import { detectors as registry } from "@cidadao/detectors/registry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { finalStatuses, openSystem, queueKinds, type System } from "./support/system.ts";
import { until } from "./support/until.ts";

type Shown = {
  id: string;
  status: string;
  outcome: string | null;
  records: number;
  anomalies: number;
  sample: string | null;
  coverage: { asked: number; answered: number; missing: { what: string; why: string }[] }[];
};
type Finding = {
  rank: number;
  detector: string;
  severity: string;
  score: number;
  amountAtRiskCents: number;
  sample: string | null;
  evidence: { formula: string; facts: unknown[]; records: { id: string; url: string; retrievedAt: string }[] };
  innocentExplanations: string[];
  explanation: { text: string; source: string } | null;
};

const january = { from: "2024-01-01", to: "2024-01-31" };
/** Fiocruz: 220 contracts of the sample. */
const fiocruz = { agencyCodes: ["36201"], ...january };

async function openAndFinish(system: System, body: unknown): Promise<Shown> {
  const answer = await system.post(body);
  expect(answer.status).toBe(202);
  const { id } = (await answer.json()) as { id: string };
  await untilFinal(system, id);
  return system.get<Shown>(`/api/v1/investigations/${id}`);
}

async function untilFinal(system: System, id: string): Promise<void> {
  await until(`investigation ${id} has ended`, async () => {
    const rows = await system.data.sql(`select 1 from investigations where id = $1 and status in ${finalStatuses}`, [
      id,
    ]);
    return rows.length > 0;
  });
}

describe.each(queueKinds())("an investigation through the running services, queue in %s", (queue) => {
  let system: System;

  beforeAll(async () => {
    system = await openSystem({ queue });
    for (const name of ["api", "worker"] as const) system.start(name);
    await system.untilReady();
  });
  afterAll(() => system[Symbol.asyncDispose]());

  test("finds real anomalies in real contracts, with evidence, explanation, report, events and one alert", async () => {
    const ended = await openAndFinish(system, { scope: fiocruz, query: "O que chama atenção na Fiocruz?" });
    expect(ended, system.logs().slice(-3_000)).toMatchObject({ status: "completed" });
    expect(ended.records).toBeGreaterThan(150);
    expect(ended.anomalies).toBeGreaterThan(0);
    expect(ended.sample).toContain("janeiro de 2024");

    const { anomalies, total } = await system.get<{ anomalies: Finding[]; total: number }>(
      `/api/v1/investigations/${ended.id}/anomalies?limit=100`,
    );
    expect(total).toBe(ended.anomalies);
    expect(anomalies.map((anomaly) => anomaly.rank)).toEqual(anomalies.map((_, index) => index + 1));
    expect(anomalies.map((anomaly) => anomaly.score)).toEqual(
      anomalies.map((anomaly) => anomaly.score).toSorted((a, b) => b - a),
    );
    for (const anomaly of anomalies) {
      expect(anomaly.evidence.records.length, anomaly.detector).toBeGreaterThan(0);
      expect(anomaly.evidence.facts.length).toBeGreaterThan(2);
      expect(
        anomaly.evidence.records.every((record) => record.url.startsWith("https://portaldatransparencia.gov.br/")),
      ).toBe(true);
      expect(anomaly.innocentExplanations.length).toBeGreaterThan(0);
      expect(anomaly.sample).toContain("janeiro de 2024");
    }
    // No model is configured: the gravest five carry template text, labelled as such, the others none.
    expect(anomalies.map((anomaly) => anomaly.explanation?.source ?? null)).toEqual(
      anomalies.map((_, index) => (index < 5 ? "template" : null)),
    );

    const report = await system.get<{ markdown: string; detectors: { detector: string }[] }>(
      `/api/v1/investigations/${ended.id}/report`,
    );
    expect(report.markdown).toContain("janeiro de 2024");
    expect(report.detectors.map(({ detector }) => detector)).toEqual(registry.map(({ id }) => id));

    const listed = await system.get<{ anomalies: { investigationId: string }[] }>("/api/v1/anomalies?severityMin=low");
    expect(listed.anomalies.some((anomaly) => anomaly.investigationId === ended.id)).toBe(true);

    await until("the alert is settled", async () => {
      const rows = await system.data.sql("select 1 from alerts where investigation_id = $1 and status = 'sent'", [
        ended.id,
      ]);
      return rows.length === 1;
    });
    expect(system.inbox.accepted).toHaveLength(1);
    expect(JSON.stringify(system.inbox.accepted[0])).toContain("janeiro de 2024");
  });

  test("replays its events from any point, in order and without a gap", async () => {
    const ended = await openAndFinish(system, { scope: { agencyCodes: ["26435"], ...january } });
    const events = async (after?: number) => {
      const headers: Record<string, string> = after === undefined ? {} : { "last-event-id": String(after) };
      const text = await (await fetch(`${system.url}/api/v1/investigations/${ended.id}/events`, { headers })).text();
      return [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
    };
    const all = await events();
    expect(all.length).toBeGreaterThan(4);
    expect(all).toEqual(all.map((_, index) => index + 1));
    expect(await events(3)).toEqual(all.slice(3));
  });

  test("a second one over the same contracts finds the same, writes no record again and alerts nobody again", async () => {
    const first = await openAndFinish(system, { scope: fiocruz });
    const before = system.inbox.accepted.length;
    const changed = await system.data.sql("select max(changed_at)::text as at, count(*)::int as rows from contracts");
    const second = await openAndFinish(system, { scope: fiocruz });
    expect(await system.data.sql("select max(changed_at)::text as at, count(*)::int as rows from contracts")).toEqual(
      changed,
    );
    const fingerprints = (id: string) =>
      system.data.sql("select fingerprint, score from anomalies where investigation_id = $1 order by rank", [id]);
    expect(await fingerprints(second.id)).toEqual(await fingerprints(first.id));
    expect(await system.data.sql("select 1 from alerts where investigation_id = $1", [second.id])).toEqual([]);
    expect(system.inbox.accepted).toHaveLength(before);
  });

  test("a running one that is cancelled stops, and stores no result", async () => {
    await system.portal.setFaults({ rules: [{ path: "/contratos", fault: { kind: "stall_before_headers" } }] });
    const { id } = (await (await system.post({ scope: { agencyCodes: ["52131"], ...january } })).json()) as {
      id: string;
    };
    await until(
      "it reads",
      async () => (await system.get<{ phase: string }>(`/api/v1/investigations/${id}`)).phase === "reading",
    );
    const answer = await fetch(`${system.url}/api/v1/investigations/${id}`, { method: "DELETE" });
    expect(((await answer.json()) as Shown).status).toBe("cancelled");
    await until("the worker has let go", () => system.logs().includes("stopped: the investigation is no longer ours"));
    await system.portal.setFaults({});
    expect(await system.data.sql("select 1 from reports where investigation_id = $1", [id])).toEqual([]);
    expect((await system.get<Shown>(`/api/v1/investigations/${id}`)).status).toBe("cancelled");
  });

  test("a portal that is down is source_unavailable, one that fails in part is partial; neither is 'no anomalies'", async () => {
    await system.portal.setFaults({ down: true });
    const down = await openAndFinish(system, { scope: { agencyCodes: ["26298"], ...january } });
    expect(down).toMatchObject({ status: "completed", outcome: "source_unavailable" });
    expect(down.coverage[0]!.missing.length).toBeGreaterThan(0);
    await system.portal.setFaults({ rules: [{ path: "/contratos", times: 1, fault: { kind: "malformed_json" } }] });
    const partial = await openAndFinish(system, { scope: { agencyCodes: ["26443", "26271"], ...january } });
    await system.portal.setFaults({});
    expect(partial).toMatchObject({ status: "completed", outcome: "partial" });
    expect(partial.records).toBeGreaterThan(0);
    expect(partial.coverage[0]!.missing).toHaveLength(1);
    expect(partial.coverage[0]!.missing[0]!.what).toMatch(/contratos do órgão 26(443|271)/);
  });
});
