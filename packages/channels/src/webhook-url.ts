import { createHash } from "node:crypto";
import type { Severity } from "@cidadao/domain/severity";
import { ConfigError } from "@cidadao/runtime/config";
import { splitTargets } from "./split-targets.ts";

export type AlertWebhook = {
  channel: "discord" | "webhook";
  /** Names the target in the database and in logs without its secret address. */
  target: string;
  /** Only alerts at least this grave; `null`: every alert. */
  severityMin: Severity | null;
  url: URL;
};

const HOSTS = new Set(["discord.com", "ptb.discord.com", "canary.discord.com", "discordapp.com"]);
/** What follows is a name, not an address in digits: only a name is looked up, and what it means is checked then. */
const HOST_NAME = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*$/;
const LOOPBACK_HOSTS = new Set(["127.0.0.1", "localhost", "[::1]"]);
const PATH = /^\/api\/webhooks\/\d{1,25}\/[\w-]{1,200}$/;
const WEBHOOKS_MAX = 20;

const CREATE = "Create one in Discord under Server settings > Integrations > Webhooks and copy its URL.";

/** Comma-separated Discord webhook URLs. Throws a `ConfigError` with every problem; it never repeats a token. */
export function parseAlertWebhooks(text: string): AlertWebhook[] {
  return parseList(text, "discord", discordProblem);
}

/** As `parseAlertWebhooks`, and plain http to this computer as well: for the local inbox and for tests. */
export function parseLocalAlertWebhooks(text: string): AlertWebhook[] {
  return parseList(text, "discord", (url) => (isLoopback(url) ? loopbackProblem(url) : discordProblem(url)));
}

/** Addresses that get alerts as signed JSON: https on port 443 of a host that the operator has named. */
export function parseSignedWebhooks(text: string, allowed: { hosts: string[]; loopback: boolean }): AlertWebhook[] {
  return parseList(text, "webhook", (url) => {
    if (allowed.loopback && isLoopback(url)) return url.protocol === "http:" ? credentialProblem(url) : "is no http";
    if (!HOST_NAME.test(url.hostname)) return "names no host by its name";
    if (!allowed.hosts.includes(url.hostname))
      return `points to ${url.hostname.slice(0, 100)}, which ALERT_SIGNED_WEBHOOK_HOSTS does not allow. Add the host there.`;
    if (url.protocol !== "https:") return "does not use https";
    if (url.port !== "") return "names a port; only 443 is allowed";
    return credentialProblem(url);
  });
}

function parseList(
  text: string,
  channel: AlertWebhook["channel"],
  problemOf: (url: URL) => string | null,
): AlertWebhook[] {
  const entries = splitTargets(text);
  const webhooks = new Map<string, AlertWebhook>();
  const problems: string[] = [];
  if (entries.length > WEBHOOKS_MAX) problems.push(`${entries.length} webhooks, at most ${WEBHOOKS_MAX} are possible`);
  for (const [index, { value, severityMin }] of entries.slice(0, WEBHOOKS_MAX).entries()) {
    const url = URL.parse(value);
    const problem = url === null ? `is not a URL. ${channel === "discord" ? CREATE : ""}` : problemOf(url);
    if (url === null || problem !== null) {
      problems.push(`webhook ${index + 1} ${problem}`);
      continue;
    }
    const target = `${channel}-${createHash("sha256").update(url.href).digest("hex").slice(0, 12)}`;
    webhooks.set(target, { channel, target, severityMin, url });
  }
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  return [...webhooks.values()];
}

function discordProblem(url: URL): string | null {
  if (!HOSTS.has(url.hostname)) {
    const slack = url.hostname === "slack.com" || url.hostname.endsWith(".slack.com");
    const what = slack ? "is a Slack URL" : `points to a host that is not Discord (${url.hostname.slice(0, 100)})`;
    return `${what}; alerts go to Discord only. Remove it, or put a Discord webhook in its place. ${CREATE}`;
  }
  if (url.protocol !== "https:") return `does not use https. ${CREATE}`;
  if (url.port !== "") return "names a port; Discord's webhooks are on port 443. Remove the port.";
  return addressProblem(url);
}

/** A page of this computer's own inbox: plain http, any port, Discord's path. */
function loopbackProblem(url: URL): string | null {
  if (url.protocol !== "http:") return "points to this computer but does not use http";
  return addressProblem(url);
}

function credentialProblem(url: URL): string | null {
  return url.username === "" && url.password === ""
    ? null
    : "holds a user name or password. Remove what stands before the @.";
}

function addressProblem(url: URL): string | null {
  const problem = credentialProblem(url);
  if (problem !== null) return problem;
  if (!PATH.test(url.pathname)) return `is not of the form /api/webhooks/<number>/<token>. ${CREATE}`;
  if (url.search !== "" || url.hash !== "")
    return "has something after its token. Remove everything from the ? or # on.";
  return null;
}

function isLoopback(url: URL): boolean {
  return LOOPBACK_HOSTS.has(url.hostname);
}
