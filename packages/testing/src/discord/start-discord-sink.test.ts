import { afterEach, beforeEach, expect, test } from "vitest";
import { renderInboxMessage } from "./render-inbox-message.ts";
import { startDiscordSink } from "./start-discord-sink.ts";
import { type SinkPayload, validatePayload } from "./validate-payload.ts";

let sink: Awaited<ReturnType<typeof startDiscordSink>>;
beforeEach(async () => {
  sink = await startDiscordSink();
});
afterEach(() => sink.stop());

const post = (payload: unknown, url = `${sink.webhookUrl.href}?wait=true`) =>
  fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(payload) });
const many = (count: number, value: string) => Array.from({ length: count }, () => ({ name: "n", value }));
const embed = (more: object) => ({ embeds: [{ title: "t", ...more }] });

test("stores a good message and answers with it and the limits, or with nothing when nobody waits", async () => {
  const answer = await post({ content: "olá" });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("x-ratelimit-remaining")).toBe("4");
  expect(await answer.json()).toMatchObject({ id: sink.accepted[0]!.id, content: "olá" });
  expect((await post({ content: "olá" }, sink.webhookUrl.href)).status).toBe(204);
  expect(sink.accepted.map(({ payload }) => payload)).toEqual([{ content: "olá" }, { content: "olá" }]);
  expect(new Set(sink.accepted.map(({ id }) => id)).size).toBe(2);
});

test.each([
  ["nothing", {}],
  ["no JSON object", null],
  ["a long content", { content: "x".repeat(2_001) }],
  ["a long title", embed({ title: "x".repeat(257) })],
  ["a long description", embed({ description: "x".repeat(4_097) })],
  ["26 fields", embed({ fields: many(26, "v") })],
  ["an empty field", embed({ fields: [{ name: " ", value: "v" }] })],
  ["a long field", embed({ fields: [{ name: "n", value: "x".repeat(1_025) }] })],
  ["too much together", embed({ fields: many(7, "x".repeat(1_000)) })],
  ["a bad address", embed({ url: "javascript:alert(1)" })],
  ["a bad colour", embed({ color: 0x1000000 })],
])("refuses %s as Discord does", async (_, payload) => {
  const answer = await post(payload);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: expect.any(Number), message: expect.any(String) });
  expect(sink.accepted).toEqual([]);
});

test("accepts a message exactly at the limits", () => {
  const fields = Array.from({ length: 4 }, () => ({ name: "n", value: "x".repeat(1_024) }));
  expect(
    validatePayload({ content: "x".repeat(2_000), embeds: [{ description: "y".repeat(1_900), fields }] }),
  ).toBeNull();
});

test("strikes with its faults in order, one a request, and then works", async () => {
  sink.setFaults([{ kind: "rate_limited", retryAfterSeconds: 0.3 }, null, { kind: "reset_after_accepting" }]);
  const limited = await post({ content: "1" });
  expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "1"]);
  expect(await limited.json()).toMatchObject({ retry_after: 0.3, global: false });
  expect((await post({ content: "2" })).status).toBe(200);
  await expect(post({ content: "3" })).rejects.toThrow("fetch failed");
  expect((await post({ content: "4" })).status).toBe(200);
  expect(sink.accepted.map(({ payload }) => payload.content)).toEqual(["2", "3", "4"]);
  expect(sink.requests).toHaveLength(4);
});

test("counts its limit, says with each answer what is left, and refuses with the pause when nothing is", async () => {
  await using limited = await startDiscordSink({ limit: { messages: 2, seconds: 60 } });
  const url = `${limited.webhookUrl.href}?wait=true`;
  const answers = [
    await post({ content: "1" }, url),
    await post({ content: "2" }, url),
    await post({ content: "3" }, url),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
  expect(answers[1]!.headers.get("x-ratelimit-remaining")).toBe("0");
  const { retry_after: pause } = (await answers[2]!.json()) as { retry_after: number };
  expect(pause).toBeGreaterThan(30);
  expect(pause).toBeLessThanOrEqual(60);
  expect(limited.accepted).toHaveLength(2);
});

test("lets a test wait for messages, and gives up with it or with the sink", async () => {
  const waiting = sink.waitFor(2);
  await post({ content: "1" });
  await post({ content: "2" });
  expect(await waiting).toHaveLength(2);
  await expect(sink.waitFor(3, AbortSignal.timeout(10))).rejects.toThrow(/timeout/);
  await Promise.all([expect(sink.waitFor(3)).rejects.toThrow("the sink stopped"), sink.stop()]);
});

const payload: SinkPayload = {
  embeds: [
    {
      title: "\\[ALTA\\] Alerta",
      color: 0xfd7e14,
      description: "Um texto com \\*asteriscos\\* e [um link](https://a.gov.br/x).",
      fields: [{ name: "1. Indício", value: `**Órgão:** ${"Nome longo ".repeat(20)}\u001b[2J` }],
      footer: { text: "rodapé" },
    },
  ],
};

test("draws a message as a box with straight edges, without commands for the terminal", () => {
  const box = renderInboxMessage(payload, { columns: 60 });
  const lines = box.split("\n");
  expect(new Set(lines.map((line) => line.length))).toEqual(new Set([60]));
  expect(lines[1]).toMatch(/^│ \[ALTA\] Alerta +│$/);
  expect(box).toContain("*asteriscos* e um link: https://a.gov.br/x");
  expect(box).not.toContain("\u001b");
});

test("colours the frame only when asked", () => {
  const box = renderInboxMessage(payload, { colour: "ansi" });
  expect(box).toContain("\u001b[38;2;253;126;20m┌");
  expect(box).not.toContain("\u001b[2J");
});
