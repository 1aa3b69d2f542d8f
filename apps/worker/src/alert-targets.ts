import { type AlertConfig, type ConfiguredTarget, configuredTargets } from "@cidadao/channels/config";
import { parseTarget } from "@cidadao/channels/parse-target";
import { sendDiscord } from "@cidadao/channels/discord";
import { sendEmail } from "@cidadao/channels/email";
import { sendSignedWebhook } from "@cidadao/channels/signed-webhook";
import type { AlertTarget, DeliverContext } from "@cidadao/operations/deliver-alert";
import { ConfigError } from "@cidadao/runtime/config";
import { createHttpClient } from "@cidadao/runtime/http-client";
import { publicLookup } from "@cidadao/runtime/private-address";

export type AlertTargets = AsyncDisposable & { list: AlertTarget[]; open: DeliverContext["openTarget"] };

/** Every configured way out, and the way to addresses that watches name, with a connection of its own: no alert waits behind a portal. */
export function openAlertTargets(config: AlertConfig): AlertTargets {
  const resources = new AsyncDisposableStack();
  const http = resources.use(
    createHttpClient({
      userAgent: "cidadao-ai/0.1 (alerts)",
      // Names that lead into a private network are refused, but for this computer's own inbox.
      ...(config.ALERT_WEBHOOKS_LOOPBACK === "true" ? {} : { lookup: publicLookup }),
    }),
  );
  const sender = (configured: ConfiguredTarget): AlertTarget["send"] => {
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
