import { severities } from "@cidadao/domain/severity";
import { ConfigError } from "@cidadao/runtime/config";
import { z } from "zod";
import { type AlertWebhook, parseAlertWebhooks, parseLocalAlertWebhooks } from "./webhook-url.ts";

export const alertConfig = z.object({
  ALERT_WEBHOOKS: z
    .string()
    .default("")
    .superRefine((text, context) => {
      try {
        parseLocalAlertWebhooks(text);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        context.addIssue({ code: "custom", message: error.message });
      }
    })
    .describe("Discord webhook URLs, separated by commas; without any, no alert is made"),
  ALERT_SEVERITY_MIN: z
    .preprocess((text) => (typeof text === "string" ? text.toLowerCase() : text), z.enum(severities))
    .default("high")
    .describe("Findings at least this grave raise an alert: info, low, medium, high or critical"),
  ALERT_WEBHOOKS_LOOPBACK: z
    .enum(["true", "false"])
    .default("false")
    .describe("true lets ALERT_WEBHOOKS name http addresses of this computer, for tests; refused in production"),
});

export type AlertConfig = z.output<typeof alertConfig>;

/** Where alerts go. Throws a `ConfigError` when an address of this computer is named without leave. */
export function alertWebhooks(config: Pick<AlertConfig, "ALERT_WEBHOOKS" | "ALERT_WEBHOOKS_LOOPBACK">): AlertWebhook[] {
  const parse = config.ALERT_WEBHOOKS_LOOPBACK === "true" ? parseLocalAlertWebhooks : parseAlertWebhooks;
  return parse(config.ALERT_WEBHOOKS);
}
