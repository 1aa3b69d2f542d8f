import { severities } from "@cidadao/domain/severity";
import { ConfigError } from "@cidadao/runtime/config";
import { z } from "zod";
import { type AlertEmail, parseAlertEmails } from "./email-address.ts";
import { type AlertWebhook, parseAlertWebhooks, parseLocalAlertWebhooks, parseSignedWebhooks } from "./webhook-url.ts";

const PER_TARGET = "; severity= before one lets only graver alerts through, as in critical=…";

export const alertConfig = z.object({
  ALERT_WEBHOOKS: z
    .string()
    .default("")
    .superRefine(checkedBy(parseLocalAlertWebhooks))
    .describe(`Discord webhook URLs, separated by commas${PER_TARGET}`),
  ALERT_SEVERITY_MIN: z
    .preprocess((text) => (typeof text === "string" ? text.toLowerCase() : text), z.enum(severities))
    .default("high")
    .describe("Findings at least this grave raise an alert: info, low, medium, high or critical"),
  ALERT_WEBHOOKS_LOOPBACK: z
    .enum(["true", "false"])
    .default("false")
    .describe("true lets alerts go to http addresses of this computer, for tests; refused in production"),
  ALERT_EMAILS: z
    .string()
    .default("")
    .superRefine(checkedBy(parseAlertEmails))
    .describe(`E-mail addresses that get alerts, separated by commas${PER_TARGET}; needs SMTP_URL`),
  SMTP_URL: z
    .url({ protocol: /^smtps?$/, error: "use smtp://user:password@host:port or smtps://…" })
    .optional()
    .describe("Mail server for alerts, as smtps://user:password@host:port"),
  ALERT_EMAIL_FROM: z
    .string()
    .regex(/^[^\r\n]*[^\s@]+@[^\s@]+$|^[^\r\n<]*<[^\s@]+@[^\s@]+>$/, "use name@host, or Name <name@host>")
    .default("Cidadao.AI <alertas@localhost.localdomain>")
    .describe("Sender of alert e-mails"),
  ALERT_SIGNED_WEBHOOKS: z
    .string()
    .default("")
    .describe(`https addresses that get alerts as signed JSON, separated by commas${PER_TARGET}`),
  ALERT_SIGNED_WEBHOOK_HOSTS: z
    .string()
    .default("")
    .transform((text) =>
      text
        .split(",")
        .map((host) => host.trim().toLowerCase())
        .filter((host) => host !== ""),
    )
    .describe("Hosts that ALERT_SIGNED_WEBHOOKS and watches may name, separated by commas"),
  ALERT_SIGNED_WEBHOOK_SECRET: z
    .string()
    .min(32, "use at least 32 random characters, for example from: openssl rand -hex 32")
    .optional()
    .describe("Secret that signs the JSON (HMAC-SHA-256); the receivers know it too"),
  ALERT_MESSAGES_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(20)
    .describe(
      "Messages that one target gets in a minute; what comes on top waits and leaves as one, critical ones aside",
    ),
  ALERT_QUIET_HOURS: z
    .string()
    .regex(/^([01]?\d|2[0-3])-([01]?\d|2[0-3])$/, "use two hours of America/Sao_Paulo, as 22-7")
    .optional()
    .describe("Local hours in which only critical alerts leave, as 22-7; the others leave after them, in one message"),
});

export type AlertConfig = z.output<typeof alertConfig>;

/** What says where alerts go, without what says which and when. */
export const targetsConfig = alertConfig.omit({
  ALERT_SEVERITY_MIN: true,
  ALERT_MESSAGES_PER_MINUTE: true,
  ALERT_QUIET_HOURS: true,
});
export type TargetsConfig = z.output<typeof targetsConfig>;

export type ConfiguredTarget = AlertWebhook | AlertEmail;

/** Where alerts go. Throws a `ConfigError` with every problem of the variables together. */
export function configuredTargets(config: TargetsConfig): ConfiguredTarget[] {
  const loopback = config.ALERT_WEBHOOKS_LOOPBACK === "true";
  const problems: string[] = [];
  const parse = <Target>(name: string, read: () => Target[]): Target[] => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(`${name}: ${error.message}`);
      return [];
    }
  };
  const discord = parse("ALERT_WEBHOOKS", () =>
    (loopback ? parseLocalAlertWebhooks : parseAlertWebhooks)(config.ALERT_WEBHOOKS),
  );
  const signed = parse("ALERT_SIGNED_WEBHOOKS", () =>
    parseSignedWebhooks(config.ALERT_SIGNED_WEBHOOKS, { hosts: config.ALERT_SIGNED_WEBHOOK_HOSTS, loopback }),
  );
  const emails = parse("ALERT_EMAILS", () => parseAlertEmails(config.ALERT_EMAILS));
  if (signed.length > 0 && config.ALERT_SIGNED_WEBHOOK_SECRET === undefined)
    problems.push("ALERT_SIGNED_WEBHOOKS: needs ALERT_SIGNED_WEBHOOK_SECRET");
  if (emails.length > 0 && config.SMTP_URL === undefined) problems.push("ALERT_EMAILS: needs SMTP_URL");
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  return [...discord, ...signed, ...emails];
}

/** For `check` on the schema of a process that sends alerts: told with the problems of its other variables. */
export const alertsAreUsable = z.superRefine<TargetsConfig & { ENVIRONMENT: string }>(
  (config, context) => {
    const add = (variable: string, message: string) =>
      context.addIssue({ code: "custom", path: [variable], message, input: config });
    if (config.ENVIRONMENT === "production" && config.ALERT_WEBHOOKS_LOOPBACK === "true") {
      add("ALERT_WEBHOOKS_LOOPBACK", "is for tests and npm start; production sends alerts to Discord");
    }
    try {
      configuredTargets(config);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.message.split("\n")) {
        const [, variable = "ALERT_WEBHOOKS", message = problem] = /^([A-Z_]+): (.*)$/.exec(problem) ?? [];
        add(variable, message);
      }
    }
  },
  // Once the variables are readable.
  {
    when: ({ issues }) =>
      !issues.some(({ path }) => /^(?:ALERT_(?:WEBHOOKS|EMAILS|SIGNED)|SMTP_URL)/.test(String(path?.[0]))),
  },
);

/** A check of one variable by itself, so that its problems are told with those of the others. */
function checkedBy(parse: (text: string) => unknown) {
  return (text: string, context: z.RefinementCtx) => {
    try {
      parse(text);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
    }
  };
}
