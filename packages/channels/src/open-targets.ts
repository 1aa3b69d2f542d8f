import type { AlertMessage, ChannelId } from "@cidadao/domain/alert";
import type { Severity } from "@cidadao/domain/severity";
import { ConfigError } from "@cidadao/runtime/config";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { publicLookup } from "@cidadao/runtime/private-address";

import type { SendOutcome } from "./channel.ts";
import { type ConfiguredTarget, configuredTargets, type TargetsConfig } from "./config.ts";
import { sendDiscord } from "./discord.ts";
import { sendEmail } from "./email.ts";
import { parseTarget } from "./parse-target.ts";
import { sendSignedWebhook } from "./signed-webhook.ts";

type Send = (message: AlertMessage, signal: AbortSignal) => Promise<SendOutcome>;

export type AlertTargets = AsyncDisposable & {
  list: { channel: ChannelId; target: string; severityMin: Severity | null; send: Send }[];
  /** Throws a `ConfigError` for an address that the configuration does not allow or has no way to. */
  open: (given: { channel: ChannelId; address: string }) => Send;
};

/**
 * Every configured way out, and the way to addresses that watches name, with connections of its own: no alert waits behind
 * a portal.
 */
export function openAlertTargets(config: TargetsConfig): AlertTargets {
  const resources = new AsyncDisposableStack();
  const http = resources.use(
    createHttpClient({
      userAgent: "cidadao-ai/0.1 (alerts)",
      // Names that lead into a private network are refused, but for this computer's own inbox.
      ...(config.ALERT_WEBHOOKS_LOOPBACK === "true" ? {} : { lookup: publicLookup }),
    }),
  );
  const sender = (configured: ConfiguredTarget): Send => {
    switch (configured.channel) {
      case "discord":
        return (message, signal) => sendDiscord({ http }, { webhookUrl: configured.url, message }, signal);
      case "webhook": {
        const secret = config.ALERT_SIGNED_WEBHOOK_SECRET;
        if (secret === undefined) throw new ConfigError("a webhook needs ALERT_SIGNED_WEBHOOK_SECRET");
        const now = () => new Date();
        return (message, signal) => sendSignedWebhook({ http, now }, { url: configured.url, secret, message }, signal);
      }
      case "email": {
        if (config.SMTP_URL === undefined) throw new ConfigError("an e-mail address needs SMTP_URL");
        const mailer = { url: config.SMTP_URL, from: config.ALERT_EMAIL_FROM };
        return (message, signal) => sendEmail(mailer, { to: configured.address, message }, signal);
      }
    }
  };
  const list = configuredTargets(config).map((configured) => ({
    channel: configured.channel,
    target: configured.target,
    severityMin: configured.severityMin,
    send: sender(configured),
  }));
  const open: AlertTargets["open"] = (given) => sender(parseTarget(given, config));
  return { list, open, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
