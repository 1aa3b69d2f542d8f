import type { ChannelId } from "@cidadao/domain/alert";
import { ConfigError } from "@cidadao/runtime/config";
import { type AlertConfig, alertConfig, type ConfiguredTarget } from "./config.ts";
import { parseAlertEmails } from "./email-address.ts";
import { parseAlertWebhooks, parseLocalAlertWebhooks, parseSignedWebhooks } from "./webhook-url.ts";

/** What says which addresses somebody may name. */
export const targetRules = alertConfig.pick({ ALERT_SIGNED_WEBHOOK_HOSTS: true, ALERT_WEBHOOKS_LOOPBACK: true });
export type TargetRules = Pick<AlertConfig, keyof typeof targetRules.shape>;

/** One address that somebody gave, under the rules of those that the operator configures. Throws a `ConfigError`. */
export function parseTarget(given: { channel: ChannelId; address: string }, rules: TargetRules): ConfiguredTarget {
  const loopback = rules.ALERT_WEBHOOKS_LOOPBACK === "true";
  const parse = {
    discord: loopback ? parseLocalAlertWebhooks : parseAlertWebhooks,
    email: parseAlertEmails,
    webhook: (text: string) => parseSignedWebhooks(text, { hosts: rules.ALERT_SIGNED_WEBHOOK_HOSTS, loopback }),
  }[given.channel];
  const targets: ConfiguredTarget[] = parse(given.address);
  const [target] = targets;
  if (target === undefined || targets.length > 1 || target.severityMin !== null)
    throw new ConfigError("name one address, with nothing before or after it");
  return target;
}
