import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Store } from "@cidadao/database/store";
import { createRandom } from "@cidadao/detectors/seeded-random";
import { runScheduled } from "@cidadao/operations/run-scheduled";
import { type Schedule, schedules } from "@cidadao/queue/schedules";
import { nextSlot } from "@cidadao/queue/slots";
import { createLogger } from "@cidadao/runtime/logger";
import { createTelemetry } from "@cidadao/runtime/telemetry";
import type { ReplicaReport, TickOrder } from "./scheduler-replica.ts";

export type SchedulerCampaign = {
  store: Store;
  supabaseUrl: string;
  serviceRoleKey: string;
  /** Virtual days, from a moment on that they contain the day without a midnight (2018-11-04). */
  days: number;
  kills: number;
  redeploys: number;
  clockSteps: number;
  seed: number;
};

export type SchedulerFigures = {
  seed: number;
  virtualDays: number;
  ticks: number;
  kills: number;
  redeploys: number;
  clockSteps: number;
  slots: number;
  runs: number;
  missed: number;
  deliveries: number;
  violations: string[];
};

const REPLICAS = 3;
const STEP_MINUTES_MAX = 20;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Something that comes every few hours is always due within this time. */
const SOON_MS = 6 * HOUR_MS;
/** How many turns a clock that was set wrong stays wrong. */
const WRONG_TURNS = 6;
const KILL_AFTER_MS_MAX = 25;
const SETTLE_TIMEOUT_MS = 60_000;
const MIDNIGHT_MISSING = Date.parse("2018-11-04T12:00:00Z");

type Replica = {
  child: ChildProcess;
  ready: Promise<void>;
  isReady: boolean;
  offsetMs: number;
  wrongTurns: number;
  ticked: (() => void) | null;
};

/**
 * Schedulers as processes that are killed, redeployed exactly when something is due, and have their clocks set wrong,
 * while a virtual month passes. Afterwards every slot of the timetable must have happened once: as one run whose work was
 * done once, or counted as missed where the policy says so.
 */
export async function runSchedulerCampaign(given: SchedulerCampaign): Promise<SchedulerFigures> {
  const random = createRandom(given.seed);
  const { store } = given;
  const start = MIDNIGHT_MISSING - (given.days / 2) * DAY_MS;
  const end = start + given.days * DAY_MS;
  const worked: string[] = [];
  const violations: string[] = [];
  const handling = new Set<Promise<void>>();
  const context = {
    store,
    enqueue: () => Promise.reject(new Error("no run of a campaign tells anybody")),
    alertTargets: [],
    logger: createLogger({ process: "chaos", level: "silent" }),
    telemetry: createTelemetry({ process: "chaos" }),
  };
  const never = new AbortController().signal;
  let [ticks, deliveries, kills, redeploys, clockSteps] = [0, 0, 0, 0, 0];

  /** A queue that delivers everything twice, at once. */
  const deliver = (payload: { scheduleId: string; slot: string; fence: number }) => {
    for (let copy = 0; copy < 2; copy++) {
      deliveries++;
      const run = runScheduled(context, payload, never, async () => {
        worked.push(`${payload.scheduleId} ${payload.slot}`);
        return {};
      });
      const handled = run.catch((error: unknown) => void violations.push(`a run broke: ${String(error)}`));
      handling.add(handled);
      void handled.finally(() => handling.delete(handled));
    }
  };

  const boot = (): Replica => {
    const child = spawn(process.execPath, [fileURLToPath(new URL("scheduler-replica.ts", import.meta.url))], {
      env: {
        PATH: process.env["PATH"] ?? "",
        NODE_COMPILE_CACHE: path.resolve(import.meta.dirname, "../node_modules/.cache/node"),
        SUPABASE_URL: given.supabaseUrl,
        SUPABASE_SERVICE_ROLE_KEY: given.serviceRoleKey,
      },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const ready = Promise.withResolvers<void>();
    const replica: Replica = { child, ready: ready.promise, isReady: false, offsetMs: 0, wrongTurns: 0, ticked: null };
    child.on("message", (report: ReplicaReport) => {
      if (report.kind === "ready") {
        replica.isReady = true;
        ready.resolve();
      } else if (report.kind === "enqueued") deliver(report.payload);
      else {
        if (report.problem !== null) violations.push(`a tick failed: ${report.problem}`);
        replica.ticked?.();
      }
    });
    child.on("exit", () => {
      ready.resolve();
      replica.ticked?.();
    });
    return replica;
  };

  const turn = async (replica: Replica, now: number) => {
    if (!replica.isReady || replica.child.exitCode !== null || replica.child.signalCode !== null) return;
    const order: TickOrder = { at: new Date(now + replica.offsetMs).toISOString() };
    const { promise, resolve } = Promise.withResolvers<void>();
    replica.ticked = resolve;
    ticks++;
    replica.child.send(order, () => {});
    await promise;
    if (replica.wrongTurns > 0 && --replica.wrongTurns === 0) replica.offsetMs = 0;
  };
  const killSoon = async (replica: Replica) => {
    await sleep(random.between(0, KILL_AFTER_MS_MAX));
    replica.child.kill("SIGKILL");
  };

  let replicas = Array.from({ length: REPLICAS }, boot);
  try {
    await Promise.all(replicas.map(({ ready }) => ready));
    let now = start;
    for (const replica of replicas) await turn(replica, now);
    const fixed = schedules.filter(({ cron }) => cron.split(" ")[1] !== "*");
    while (now < end) {
      // Each kind of trouble is spread over the whole time: what is left of it over what is left of the month.
      const turnsLeft = Math.max(1, (0.7 * (end - now)) / ((STEP_MINUTES_MAX / 2) * MINUTE_MS));
      // A start takes real time, in which no virtual time may pass: one replica is there at every turn.
      await Promise.any(replicas.map(({ ready }) => ready));
      if (clockSteps < given.clockSteps && random.next() < (given.clockSteps - clockSteps) / turnsLeft) {
        const replica = replicas[random.below(REPLICAS)]!;
        replica.offsetMs = random.next() < 0.5 ? HOUR_MS : -HOUR_MS;
        replica.wrongTurns = WRONG_TURNS;
        clockSteps++;
      }
      const isRedeploy = redeploys < given.redeploys && random.next() < (given.redeploys - redeploys) / turnsLeft;
      if (isRedeploy) {
        // To the very moment at which something is due: the old ones are ended in it while the new ones come up.
        const soon = fixed
          .map(({ cron }) => nextSlot(cron, new Date(now)).getTime())
          .filter((at) => at - now <= SOON_MS);
        const due = soon[random.below(soon.length)]!;
        now = Math.min(due, now + STEP_MINUTES_MAX * MINUTE_MS, end);
        while (now < due && now < end) {
          await Promise.all(replicas.map((replica) => turn(replica, now)));
          now = Math.min(due, now + STEP_MINUTES_MAX * MINUTE_MS, end);
        }
        const old = replicas;
        replicas = Array.from({ length: REPLICAS }, boot);
        await Promise.all([...old.map((replica) => turn(replica, now)), ...old.map(killSoon)]);
        await Promise.all(replicas.map(({ ready }) => ready));
        await Promise.all(replicas.map((replica) => turn(replica, now)));
        redeploys++;
        continue;
      }
      now = Math.min(end, now + Math.ceil(random.between(0, STEP_MINUTES_MAX)) * MINUTE_MS);
      const victim =
        kills < given.kills && random.next() < (given.kills - kills) / turnsLeft ? random.below(REPLICAS) : null;
      await Promise.all(
        replicas.flatMap((replica, index) => [turn(replica, now), ...(index === victim ? [killSoon(replica)] : [])]),
      );
      if (victim !== null) {
        replicas[victim]!.child.kill("SIGKILL");
        replicas[victim] = boot();
        kills++;
      }
    }
    // What a killed replica had taken and not handed over is taken again after the grace.
    await Promise.all(replicas.map(({ ready }) => ready));
    const deadline = performance.now() + SETTLE_TIMEOUT_MS;
    for (const replica of replicas) replica.offsetMs = 0;
    for (;;) {
      await turn(replicas[0]!, end);
      await Promise.all(handling);
      const open = await store.from("schedule_runs").select("slot").in("status", ["pending", "running"]).limit(1);
      if (open.data?.length === 0) break;
      if (performance.now() > deadline) throw new Error("runs were still open a minute after the last kill");
      await sleep(200);
    }
  } finally {
    for (const { child } of replicas) child.kill("SIGKILL");
  }

  const totals = { slots: 0, runs: 0, missed: 0 };
  for (const schedule of schedules) {
    const checked = await checkSchedule(store, schedule, { start, end, worked });
    totals.slots += checked.slots;
    totals.runs += checked.runs;
    totals.missed += checked.missed;
    violations.push(...checked.violations);
  }
  return {
    seed: given.seed,
    virtualDays: given.days,
    ticks,
    kills,
    redeploys,
    clockSteps,
    ...totals,
    deliveries,
    violations,
  };
}

type Row = { slot: string; status: string; missed: number; crashes: number };

async function checkSchedule(
  store: Store,
  schedule: Schedule,
  period: { start: number; end: number; worked: string[] },
): Promise<{ slots: number; runs: number; missed: number; violations: string[] }> {
  const violations: string[] = [];
  const broken = (what: string) => void violations.push(`${schedule.id}: ${what}`);
  const rows: Row[] = [];
  for (let after = new Date(0).toISOString(); ; after = rows.at(-1)!.slot) {
    const { data, error } = await store
      .from("schedule_runs")
      .select("slot,status,missed,crashes")
      .eq("schedule_id", schedule.id)
      .gt("slot", after)
      .order("slot")
      .limit(1_000);
    if (error) throw new Error(error.message);
    rows.push(...(data as Row[]));
    if (data.length < 1_000) break;
  }
  const claimed = rows.map(({ slot }) => Date.parse(slot));
  const begins = await store.from("schedule_starts").select("slot").eq("schedule_id", schedule.id).maybeSingle();
  if (begins.error) throw new Error(begins.error.message);
  const start = begins.data === null ? null : Date.parse(String(begins.data.slot));
  if ((start !== null) !== (schedule.firstSlot === "next")) broken("did not begin as the timetable says");
  // The timetable from its beginning on, asked forwards, up to the last that was claimed (a fast clock claims early).
  const last = Math.max(period.end, claimed.at(-1) ?? 0);
  const first = start === null ? claimed[0]! : nextSlot(schedule.cron, new Date(start)).getTime();
  const timetable: number[] = [];
  for (let slot = first; slot <= last; slot = nextSlot(schedule.cron, new Date(slot)).getTime()) timetable.push(slot);
  const position = new Map(timetable.map((slot, index) => [slot, index]));
  let missed = 0;
  for (const [index, row] of rows.entries()) {
    const at = position.get(claimed[index]!);
    if (at === undefined) broken(`${row.slot} is not in the timetable`);
    const before = index === 0 ? -1 : position.get(claimed[index - 1]!)!;
    if (at !== undefined && at - before - 1 !== row.missed)
      broken(`${row.slot} stands for ${row.missed} missed slots, and it is ${at - before - 1}`);
    missed += row.missed;
    if (row.status !== "completed") broken(`${row.slot} is ${row.status}`);
    const key = `${schedule.id} ${new Date(row.slot).toISOString()}`;
    const times = period.worked.filter((one) => one === key).length;
    if (times !== 1) broken(`the work of ${row.slot} was done ${times} times`);
  }
  if (rows.length + missed !== timetable.length)
    broken(`${rows.length} runs and ${missed} missed are not the ${timetable.length} slots`);
  // Three replicas look every 20 minutes, and a clock that is an hour fast takes what is due within it, the latest alone:
  // of what comes more seldom than that nothing may be missed at all.
  const intervalMs = timetable.length > 1 ? timetable[1]! - timetable[0]! : Number.POSITIVE_INFINITY;
  if (intervalMs > HOUR_MS + STEP_MINUTES_MAX * MINUTE_MS && missed > 0) broken(`${missed} slots were missed`);
  return { slots: timetable.length, runs: rows.length, missed, violations };
}
