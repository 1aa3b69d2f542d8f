import type { Store } from "@cidadao/database/store";
import type { Admission } from "@cidadao/operations/admit";
import type { WatchContext } from "@cidadao/operations/create-watch";
import type { Enqueue, Producer } from "@cidadao/queue/produce";
import type { Logger } from "@cidadao/runtime/logger";
import type { Telemetry } from "@cidadao/runtime/telemetry";

export type ApiContext = {
  store: Store;
  enqueue: Enqueue;
  admit: Admission;
  queueIsReady: () => boolean;
  queueDepths: Producer["depths"];
  queues: Producer["queues"];
  /** Aborts when the process is told to stop: streams end, readiness turns. */
  stopping: AbortSignal;
  corsOrigins: string[];
  /** Opens the routes of the operator; `null`: they are off. */
  secretKey: string | null;
  /** Checks the links in alerts by which people say what a finding is; `null`: nobody is asked. */
  feedbackSecret: string | null;
  /** Which addresses a watch may name. */
  targetRules: WatchContext["targetRules"];
  logger: Logger;
  telemetry: Telemetry;
};
