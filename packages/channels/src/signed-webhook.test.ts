import { createHmac } from "node:crypto";
import type { AlertMessage } from "@cidadao/domain/alert";
import { HttpError, type HttpRequest } from "@cidadao/runtime/http-client";
import { expect, test } from "vitest";
import { sendSignedWebhook } from "./signed-webhook.ts";
import { parseSignedWebhooks } from "./webhook-url.ts";

const secret = "a secret of thirty-two characters or more";
const url = new URL("https://hooks.example.org/alerts");
const now = () => new Date("2026-03-06T12:00:00.500Z");
const never = new AbortController().signal;
const message: AlertMessage = {
  ids: ["a", "b"],
  title: "Dois alertas",
  severity: "high",
  summary: "",
  notes: [],
  findings: [],
  findingsTotal: 0,
  investigationUrl: null,
  sample: null,
};

async function sendTo(answer: { status: number; headers?: Record<string, string> } | Error) {
  const requests: HttpRequest[] = [];
  const request = async (asked: HttpRequest) => {
    requests.push(asked);
    if (answer instanceof Error) throw answer;
    return { headers: {}, text: "", url: url.href, ...answer };
  };
  const outcome = await sendSignedWebhook({ http: { request }, now }, { url, secret, message }, never);
  return { outcome, sent: requests[0]! };
}

test("a receiver that knows the secret can check who sent what, and when", async () => {
  const { outcome, sent } = await sendTo({ status: 204 });
  expect(outcome).toEqual({ kind: "sent", externalId: null });
  expect(sent).toMatchObject({ method: "POST", url: url.href, redirect: "manual" });
  const timestamp = sent.headers!["x-cidadao-timestamp"]!;
  expect(timestamp).toBe("1772798400");
  const expected = createHmac("sha256", secret).update(`${timestamp}.${sent.body}`).digest("hex");
  expect(sent.headers!["x-cidadao-signature"]).toBe(`v1=${expected}`);
  expect(JSON.parse(sent.body!)).toEqual({ type: "cidadao.alert", version: 1, alert: message });
  expect(JSON.stringify(sent)).not.toContain(secret);
});

test.each([
  [{ status: 302, headers: { location: "http://169.254.169.254/" } }, { kind: "failed" }],
  [{ status: 400 }, { kind: "failed" }],
  [{ status: 410 }, { kind: "failed", targetIsGone: true }],
  [
    { status: 429, headers: { "retry-after": "7" } },
    { kind: "retry", afterSeconds: 7, pause: "target" },
  ],
  [{ status: 503 }, { kind: "retry" }],
  [new HttpError("source_unavailable", "refused", { phase: "connect" }), { kind: "retry" }],
  [new HttpError("source_unavailable", "reset", { phase: "sent" }), { kind: "unknown" }],
])("%j is %j", async (answer, outcome) => {
  expect((await sendTo(answer)).outcome).toMatchObject(outcome);
});

const parse = (text: string) => parseSignedWebhooks(text, { hosts: ["hooks.example.org"], loopback: false });

test("only a host that the operator has named is posted to, and each may ask for graver alerts only", () => {
  expect(parse(`critical=${url.href}`)).toEqual([
    { channel: "webhook", target: expect.stringMatching(/^webhook-[0-9a-f]{12}$/), severityMin: "critical", url },
  ]);
});

test.each([
  "https://evil.example/alerts",
  "http://hooks.example.org/alerts",
  "https://hooks.example.org:8443/alerts",
  "https://user:pass@hooks.example.org/alerts",
  "https://hooks.example.org.evil.example/",
  "https://127.0.0.1/alerts",
  "https://2130706433/alerts",
  "https://0x7f.1/alerts",
  "https://[::1]/alerts",
  "https://[::ffff:169.254.169.254]/",
  "https://localhost/alerts",
  "ftp://hooks.example.org/",
  "not a url",
])("%s is refused", (text) => {
  expect(() => parse(text)).toThrow(/^webhook 1 /);
});
