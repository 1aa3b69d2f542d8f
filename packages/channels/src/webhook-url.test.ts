import { ConfigError } from "@cidadao/runtime/config";
import { expect, test } from "vitest";
import { alertConfig, configuredTargets } from "./config.ts";
import { parseAlertWebhooks, parseLocalAlertWebhooks } from "./webhook-url.ts";

const TOKEN = "T0ken-of_the-webhook";
const PATH = `/api/webhooks/1234567890/${TOKEN}`;
const GOOD = `https://discord.com${PATH}`;

function problemOf(text: string, parse = parseAlertWebhooks): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

test.each(["discord.com", "ptb.discord.com", "canary.discord.com", "discordapp.com", "discord.com:443"])(
  "accepts Discord at %s",
  (host) => {
    const [webhook] = parseAlertWebhooks(`https://${host}${PATH}`);
    expect(webhook).toMatchObject({ channel: "discord", target: expect.stringMatching(/^discord-[0-9a-f]{12}$/) });
  },
);

test("reads a list, names each target without its secret, and takes the same address once", () => {
  const webhooks = parseAlertWebhooks(` ${GOOD}, https://ptb.discord.com${PATH} ,,${GOOD}`);
  expect(webhooks.map(({ url }) => url.host)).toEqual(["discord.com", "ptb.discord.com"]);
  expect(new Set(webhooks.map(({ target }) => target)).size).toBe(2);
  expect(webhooks.map(({ target }) => target).join()).not.toContain(TOKEN);
  expect(parseAlertWebhooks("")).toEqual([]);
});

test.each([
  `http://discord.com${PATH}`,
  `https://discord.com:8443${PATH}`,
  `https://user:pass@discord.com${PATH}`,
  `https://discord.com@evil.example${PATH}`,
  `https://discord.com.evil.example${PATH}`,
  `https://evildiscord.com${PATH}`,
  `https://discord.com./${PATH}`,
  `https://evil.example/discord.com${PATH}`,
  `https://discord.com/api/webhooks/abc/${TOKEN}`,
  `https://discord.com/api/webhooks/1234567890/`,
  `https://discord.com/api/webhooks/1234567890/${TOKEN}/slack`,
  `https://discord.com/api/webhooks/../../x/1/${TOKEN}`,
  `https://discord.com/api/webhooks/1/${TOKEN}%2f..%2f`,
  `${GOOD}?wait=false`,
  `${GOOD}#x`,
  `https://127.0.0.1${PATH}`,
  `https://[::1]${PATH}`,
  `https://169.254.169.254${PATH}`,
  `https://discord.com%00.evil.example${PATH}`,
  `file:///etc/passwd`,
  `javascript:alert(1)`,
  `not a url`,
])("refuses %s and repeats no token", (text) => {
  expect(problemOf(text)).toMatch(/^webhook 1 /);
  expect(problemOf(text)).not.toContain(TOKEN);
});

test("says what to do about a Slack address, and lists every problem", () => {
  const text = `https://hooks.slack.com/services/T/B/${TOKEN},${GOOD},http://discord.com${PATH}`;
  const problem = problemOf(text);
  expect(problem).toContain("webhook 1 is a Slack URL; alerts go to Discord only");
  expect(problem).toContain("Server settings > Integrations > Webhooks");
  expect(problem).toContain("webhook 3 does not use https");
});

test("this computer's inbox needs the local variant, plain http and Discord's path", () => {
  const local = `http://127.0.0.1:4005${PATH}`;
  expect(parseLocalAlertWebhooks(`${local},${GOOD}`)).toHaveLength(2);
  problemOf(local);
  for (const url of [
    `http://10.0.0.1${PATH}`,
    `http://discord.com${PATH}`,
    "http://127.0.0.1/x",
    `https://localhost${PATH}`,
  ]) {
    problemOf(url, parseLocalAlertWebhooks);
  }
});

test("the configuration takes loopback addresses only when told, and has sane defaults", () => {
  const local = `http://127.0.0.1:4005${PATH}`;
  expect(alertConfig.parse({})).toMatchObject({
    ALERT_WEBHOOKS: "",
    ALERT_SEVERITY_MIN: "high",
    ALERT_WEBHOOKS_LOOPBACK: "false",
  });
  expect(alertConfig.safeParse({ ALERT_WEBHOOKS: "https://hooks.slack.com/x" }).success).toBe(false);
  expect(alertConfig.parse({ ALERT_SEVERITY_MIN: "CRITICAL" }).ALERT_SEVERITY_MIN).toBe("critical");
  expect(() => configuredTargets(alertConfig.parse({ ALERT_WEBHOOKS: local }))).toThrow(ConfigError);
  expect(configuredTargets(alertConfig.parse({ ALERT_WEBHOOKS: local, ALERT_WEBHOOKS_LOOPBACK: "true" }))).toHaveLength(
    1,
  );
});
