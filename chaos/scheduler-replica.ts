/**
 * One scheduler as a process of its own: ticks whenever it is told to, at the time it is told, against the database named
 * in its environment. What it enqueues goes to its parent, which stands for the queue.
 */
import { openStore } from "@cidadao/database/store";
import { schedules } from "@cidadao/queue/schedules";
import { messageOf } from "@cidadao/runtime/errors";
import { createLogger } from "@cidadao/runtime/logger";
import { tick } from "@cidadao/scheduler/tick";

export type TickOrder = { at: string };
export type ReplicaReport =
  | { kind: "ready" }
  | { kind: "enqueued"; payload: { scheduleId: string; slot: string; fence: number } }
  | { kind: "ticked"; problem: string | null };

const store = openStore({
  SUPABASE_URL: process.env["SUPABASE_URL"]!,
  SUPABASE_SERVICE_ROLE_KEY: process.env["SUPABASE_SERVICE_ROLE_KEY"]!,
});
const logger = createLogger({ process: "replica", level: "silent" });
const signal = new AbortController().signal;
const report = (message: ReplicaReport) => void process.send!(message);
let clock = new Date(0);
const context = {
  store,
  enqueue: async (_name: string, payload: object) =>
    report({ kind: "enqueued", payload: payload as { scheduleId: string; slot: string; fence: number } }),
  queueIsReady: () => true,
  clock: () => clock,
  graceSeconds: 1,
  logger,
};

process.on("message", (order: TickOrder) => {
  clock = new Date(order.at);
  tick(context, schedules, signal).then(
    () => report({ kind: "ticked", problem: null }),
    (error: unknown) => report({ kind: "ticked", problem: messageOf(error) }),
  );
});
process.on("disconnect", () => process.exit());
report({ kind: "ready" });
