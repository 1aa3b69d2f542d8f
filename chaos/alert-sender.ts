/** One sender of alerts as a process of its own: delivers what it is told to, one at a time, until it is killed. */
import { sendDiscord } from "@cidadao/channels/discord";
import { openStore } from "@cidadao/database/store";
import { deliverAlert } from "@cidadao/operations/deliver-alert";
import { messageOf } from "@cidadao/runtime/errors";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { createLogger } from "@cidadao/runtime/logger";
import { createTelemetry } from "@cidadao/runtime/telemetry";

export type SenderReport = { kind: "ready" } | { kind: "done"; problem: string | null };

const http = createHttpClient({ userAgent: "cidadao-chaos" });
const webhookUrl = new URL(process.env["WEBHOOK_URL"]!);
const context: Parameters<typeof deliverAlert>[0] = {
  store: openStore({
    SUPABASE_URL: process.env["SUPABASE_URL"]!,
    SUPABASE_SERVICE_ROLE_KEY: process.env["SUPABASE_SERVICE_ROLE_KEY"]!,
  }),
  targets: [
    {
      channel: "discord",
      target: "chaos",
      severityMin: null,
      send: (message, signal) => sendDiscord({ http }, { webhookUrl, message }, signal),
    },
  ],
  openTarget: () => {
    throw new Error("nobody watches anything here");
  },
  groupMax: Number(process.env["GROUP_MAX"]),
  messagesPerMinute: 1_000_000,
  quietHours: null,
  sendLeaseSeconds: Number(process.env["SEND_LEASE_SECONDS"]),
  publicUrl: null,
  feedbackSecret: null,
  logger: createLogger({ process: "sender", level: "silent" }),
  telemetry: createTelemetry({ process: "sender" }),
};
const signal = new AbortController().signal;
const report = (message: SenderReport) => void process.send!(message);

process.on("message", (deliveryId: string) => {
  deliverAlert(context, { deliveryId }, signal).then(
    () => report({ kind: "done", problem: null }),
    (error: unknown) => report({ kind: "done", problem: messageOf(error) }),
  );
});
process.on("disconnect", () => process.exit());
report({ kind: "ready" });
