import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { raiseAlert, takeUnqueuedDeliveries } from "@cidadao/database/alerts";
import type { Store } from "@cidadao/database/store";
import { createRandom } from "@cidadao/detectors/seeded-random";
import { type SinkFault, startDiscordSink } from "@cidadao/testing/discord/start-discord-sink";
import type { SenderReport } from "./alert-sender.ts";

export type AlertCampaign = {
  store: Store;
  supabaseUrl: string;
  serviceRoleKey: string;
  alerts: number;
  kills: number;
  /** Alerts in one message at most. */
  groupMax: number;
  sendLeaseSeconds: number;
  faultShare: number;
  seed: number;
};

export type AlertFigures = {
  seed: number;
  alerts: number;
  kills: number;
  groupMax: number;
  requests: number;
  faults: number;
  messages: number;
  sent: number;
  failed: number;
  unknown: number;
  unknownMessages: number;
  unknownButPosted: number;
  duplicates: number;
  violations: string[];
};

const SENDERS = 4;
const RAISED_AT_ONCE = 16;
const TAKEN_MAX = 100;
const GRACE_SECONDS = 15;
/** From before the claim until after the answer: a delivery takes some tens of milliseconds, more on a busy machine. */
const KILL_AFTER_MS_MAX = 300;
/** A dead sender's lease has to end; then there are tries left with their pauses. */
const SETTLE_TIMEOUT_MS = 240_000;
const FAULTS_PREPARED = 3;

/** Faults after which a sender knows that its message was not taken. What it cannot know is tested by itself. */
const faults: SinkFault[] = [
  { kind: "rate_limited", retryAfterSeconds: 0.05 },
  { kind: "rate_limited", retryAfterSeconds: 0.05, scope: "global" },
  { kind: "rate_limited_page", retryAfter: "0" },
  { kind: "status", status: 500 },
  { kind: "status", status: 502 },
  { kind: "status", status: 503 },
  { kind: "slow", delayMs: 50 },
];

type Sender = { child: ChildProcess; isFree: boolean };

/**
 * Many alerts for one webhook that answers badly, through senders that are killed in the middle of their work. Whatever
 * happens, no alert may be posted twice, every one must end, and no more may be uncertain than senders were killed.
 */
export async function runAlertCampaign(given: AlertCampaign): Promise<AlertFigures> {
  const random = createRandom(given.seed);
  const { store } = given;
  const never = new AbortController().signal;
  await using sink = await startDiscordSink();
  const planned = Array.from({ length: given.alerts * FAULTS_PREPARED }, () =>
    random.next() < given.faultShare ? faults[random.below(faults.length)]! : null,
  );
  sink.setFaults(planned);
  const ids = await raiseAll(given, never);

  const problems: string[] = [];
  let kills = 0;
  let done = 0;
  const boot = (): Sender => {
    const child = spawn(process.execPath, [fileURLToPath(new URL("alert-sender.ts", import.meta.url))], {
      env: {
        PATH: process.env["PATH"] ?? "",
        NODE_COMPILE_CACHE: path.resolve(import.meta.dirname, "../node_modules/.cache/node"),
        SUPABASE_URL: given.supabaseUrl,
        SUPABASE_SERVICE_ROLE_KEY: given.serviceRoleKey,
        WEBHOOK_URL: sink.webhookUrl.href,
        GROUP_MAX: String(given.groupMax),
        SEND_LEASE_SECONDS: String(given.sendLeaseSeconds),
      },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const sender: Sender = { child, isFree: false };
    child.on("message", (report: SenderReport) => {
      sender.isFree = true;
      if (report.kind !== "done") return;
      done++;
      if (report.problem !== null) problems.push(`a delivery broke: ${report.problem}`);
    });
    return sender;
  };
  const senders = Array.from({ length: SENDERS }, boot);
  const waiting: string[] = [];
  const messagesExpected = given.alerts / given.groupMax;
  const deadline = performance.now() + SETTLE_TIMEOUT_MS + given.alerts * 100;
  let nextTakeAt = 0;
  try {
    for (;;) {
      if (waiting.length === 0 && performance.now() >= nextTakeAt) {
        const bounds = { limit: TAKEN_MAX, graceSeconds: GRACE_SECONDS };
        waiting.push(...(await takeUnqueuedDeliveries(store, bounds, never)).map(({ id }) => id));
        if (waiting.length === 0) {
          const open = await store.from("alert_deliveries").select("id").in("status", ["pending", "sending"]).limit(1);
          if (open.data?.length === 0) break;
          nextTakeAt = performance.now() + 250;
        }
      }
      if (performance.now() > deadline) throw new Error("deliveries were still open long after the last kill");
      for (const [index, sender] of senders.entries()) {
        if (!sender.isFree || waiting.length === 0) continue;
        sender.isFree = false;
        sender.child.send(waiting.shift()!, () => {});
        // Spread over the work: so many kills as there is a share of the messages done.
        if (kills < given.kills && done >= (0.9 * messagesExpected * kills) / given.kills) {
          kills++;
          senders[index] = boot();
          setTimeout(() => sender.child.kill("SIGKILL"), random.between(0, KILL_AFTER_MS_MAX));
        }
      }
      await sleep(1);
    }
  } finally {
    for (const { child } of senders) child.kill("SIGKILL");
  }
  return {
    ...(await check(given, { ids, sink, kills, problems })),
    faults: planned.slice(0, sink.requests.length).filter(Boolean).length,
  };
}

/** Each alert is raised twice at the same moment: once is enough, and twice is not two. */
async function raiseAll(given: AlertCampaign, signal: AbortSignal): Promise<Set<string>> {
  const ids = new Set<string>();
  let next = 0;
  const raise = async (index: number) => {
    const message = {
      title: `Alerta ${index}`,
      severity: "high" as const,
      summary: "Um alerta de campanha.",
      notes: [],
      findings: [],
      findingsTotal: 0,
      investigationUrl: null,
      sample: "campanha",
    };
    const targets = [{ channel: "discord" as const, target: "chaos", severityMin: null }];
    const alert = { kind: "operations" as const, dedupeKey: `campaign-${given.seed}-${index}`, message, targets };
    const raised = await Promise.all([raiseAlert(given.store, alert, signal), raiseAlert(given.store, alert, signal)]);
    for (const { alertId } of raised) if (alertId !== null) ids.add(alertId);
  };
  await Promise.all(
    Array.from({ length: RAISED_AT_ONCE }, async () => {
      while (next < given.alerts) await raise(next++);
    }),
  );
  await given.store.from("alert_deliveries").update({ enqueued_at: null }).eq("status", "pending");
  return ids;
}

type Row = { id: string; alert_id: string; status: string; grouped_into: string | null };

async function check(
  given: AlertCampaign,
  campaign: {
    ids: Set<string>;
    sink: Awaited<ReturnType<typeof startDiscordSink>>;
    kills: number;
    problems: string[];
  },
): Promise<Omit<AlertFigures, "faults">> {
  const { ids, sink, kills } = campaign;
  const violations = [...campaign.problems];
  const rows: Row[] = [];
  for (let after = "00000000-0000-0000-0000-000000000000"; ; after = rows.at(-1)!.id) {
    const asked = given.store.from("alert_deliveries").select("id,alert_id,status,grouped_into").gt("id", after);
    const { data, error } = await asked.order("id").limit(1_000);
    if (error) throw new Error(error.message);
    rows.push(...(data as Row[]));
    if (data.length < 1_000) break;
  }
  const posts = new Map<string, number>();
  for (const { payload } of sink.accepted) {
    for (const [id] of JSON.stringify(payload).matchAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g))
      posts.set(id, (posts.get(id) ?? 0) + 1);
  }
  const ofStatus = (status: string) => rows.filter((row) => row.status === status);
  const [sent, failed, unknown] = [ofStatus("sent"), ofStatus("failed"), ofStatus("unknown")];
  const duplicates = [...posts.values()].filter((times) => times > 1).length;
  const unknownMessages = unknown.filter(({ grouped_into: into }) => into === null).length;
  const expect = (isTrue: boolean, broken: string) => {
    if (!isTrue) violations.push(broken);
  };
  expect(ids.size === given.alerts, `${ids.size} alerts were raised for ${given.alerts} keys`);
  expect(rows.length === given.alerts, `${rows.length} deliveries for ${given.alerts} alerts`);
  expect(sent.length + failed.length + unknown.length === rows.length, "a delivery has not ended");
  expect(duplicates === 0, `${duplicates} alerts were posted twice`);
  expect(unknownMessages <= kills, `${unknownMessages} messages are unknown after ${kills} kills`);
  expect(unknown.length <= kills * given.groupMax, `${unknown.length} alerts are unknown after ${kills} kills`);
  const unposted = sent.filter(({ alert_id: id }) => !posts.has(id)).length;
  expect(unposted === 0, `${unposted} alerts count as sent and were never posted`);
  const failedButPosted = failed.filter(({ alert_id: id }) => posts.has(id)).length;
  expect(failedButPosted === 0, `${failedButPosted} alerts count as failed and were posted`);
  return {
    seed: given.seed,
    alerts: given.alerts,
    kills,
    groupMax: given.groupMax,
    requests: sink.requests.length,
    messages: sink.accepted.length,
    sent: sent.length,
    failed: failed.length,
    unknown: unknown.length,
    unknownMessages,
    unknownButPosted: unknown.filter(({ alert_id: id }) => posts.has(id)).length,
    duplicates,
    violations,
  };
}
