import { createHash } from "node:crypto";
import { ConfigError } from "@cidadao/runtime/config";

export type AlertWebhook = {
  channel: "discord";
  /** Names the target in the database and in logs without its secret address. */
  target: string;
  url: URL;
};

const HOSTS = new Set(["discord.com", "ptb.discord.com", "canary.discord.com", "discordapp.com"]);
const LOOPBACK_HOSTS = new Set(["127.0.0.1", "localhost", "[::1]"]);
const PATH = /^\/api\/webhooks\/\d{1,25}\/[\w-]{1,200}$/;
const WEBHOOKS_MAX = 20;

const CREATE = "Create one in Discord under Server settings > Integrations > Webhooks and copy its URL.";

/** Comma-separated Discord webhook URLs. Throws a `ConfigError` with every problem; it never repeats a token. */
export function parseAlertWebhooks(text: string): AlertWebhook[] {
  return parseList(text, discordProblem);
}

/** As `parseAlertWebhooks`, and plain http to this computer as well: for the local inbox and for tests. */
export function parseLocalAlertWebhooks(text: string): AlertWebhook[] {
  return parseList(text, (url) => (isLoopback(url) ? loopbackProblem(url) : discordProblem(url)));
}

function parseList(text: string, problemOf: (url: URL) => string | null): AlertWebhook[] {
  const entries = text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  const webhooks = new Map<string, AlertWebhook>();
  const problems: string[] = [];
  if (entries.length > WEBHOOKS_MAX) problems.push(`${entries.length} webhooks, at most ${WEBHOOKS_MAX} are possible`);
  for (const [index, entry] of entries.slice(0, WEBHOOKS_MAX).entries()) {
    const url = URL.parse(entry);
    const problem = url === null ? `is not a URL. ${CREATE}` : problemOf(url);
    if (url === null || problem !== null) {
      problems.push(`webhook ${index + 1} ${problem}`);
      continue;
    }
    const target = targetOf(url);
    webhooks.set(target, { channel: "discord", target, url });
  }
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  return [...webhooks.values()];
}

function targetOf(url: URL): string {
  return `discord-${createHash("sha256").update(url.href).digest("hex").slice(0, 12)}`;
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

function addressProblem(url: URL): string | null {
  if (url.username !== "" || url.password !== "")
    return "holds a user name or password. Remove what stands before the @.";
  if (!PATH.test(url.pathname)) return `is not of the form /api/webhooks/<number>/<token>. ${CREATE}`;
  if (url.search !== "" || url.hash !== "")
    return "has something after its token. Remove everything from the ? or # on.";
  return null;
}

function isLoopback(url: URL): boolean {
  return LOOPBACK_HOSTS.has(url.hostname);
}
