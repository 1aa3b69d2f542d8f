import type { AlertMessage } from "@cidadao/domain/alert";
import { severities } from "@cidadao/domain/severity";
import { createHttpClient, type HttpClient } from "@cidadao/runtime/http-client";
import { startDiscordSink } from "@cidadao/testing/discord/start-discord-sink";
import { validatePayload } from "@cidadao/testing/discord/validate-payload";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SendOutcome } from "./channel.ts";
import { buildDiscordPayload, type DiscordPayload, sendDiscord } from "./discord.ts";
import { escapeMarkdown } from "./escape-markdown.ts";

const never = new AbortController().signal;
const message: AlertMessage = {
  ids: ["0199a0a0-0000-7000-8000-000000000001"],
  title: "Alerta de anomalia: 2 indícios novos",
  severity: "high",
  summary: "Os 2 mais graves somam R$ 10.000,00 em pontos de atenção.",
  findings: [
    {
      title: "Fornecedor concentra os contratos de um órgão",
      severity: "high",
      reason: "O fornecedor responde por 75 % do valor.",
      agencyName: "Órgão_de_exemplo",
      supplierName: "*Fornecedora* @everyone",
      amountAtRiskCents: 1_000_000,
      url: "https://portaldatransparencia.gov.br/contratos/1",
    },
  ],
  findingsTotal: 2,
  investigationUrl: "https://api.example/api/v1/investigations/1/report",
  notes: [],
  sample: null,
};

let resources = new AsyncDisposableStack();
let sink: Awaited<ReturnType<typeof startDiscordSink>>;
let http: HttpClient;
beforeEach(async () => {
  sink = resources.use(await startDiscordSink());
  http = resources.use(createHttpClient({ userAgent: "cidadao-tests" }));
});
afterEach(async () => {
  await resources.disposeAsync();
  resources = new AsyncDisposableStack();
});

const send = (webhookUrl = sink.webhookUrl, signal = never) => sendDiscord({ http }, { webhookUrl, message }, signal);
const token = () => sink.webhookUrl.pathname.split("/").at(-1)!;

test("sends, waits for Discord to store it, and keeps the message's id", async () => {
  const outcome = await send();
  expect(sink.accepted).toHaveLength(1);
  expect(outcome).toEqual({ kind: "sent", externalId: sink.accepted[0]!.id });
  expect(sink.requests[0]).toMatchObject({ method: "POST", path: expect.stringMatching(/\?wait=true$/) });
  expect(sink.accepted[0]!.payload).toEqual(buildDiscordPayload(message));
});

describe("an answer of Discord", () => {
  const cases: [string, Parameters<typeof sink.setFaults>[0][number], Partial<SendOutcome>][] = [
    [
      "429 with fractions of a second",
      { kind: "rate_limited", retryAfterSeconds: 0.65 },
      { kind: "retry", afterSeconds: 0.65 },
    ],
    [
      "429 for all of Discord",
      { kind: "rate_limited", retryAfterSeconds: 64.57, scope: "global" },
      { kind: "retry", afterSeconds: 64.57, pause: "channel" },
    ],
    [
      "429 of the network before it",
      { kind: "rate_limited_page", retryAfter: "30" },
      { kind: "retry", afterSeconds: 30 },
    ],
    [
      "429 with a pause nobody can read",
      { kind: "rate_limited_page", retryAfter: "soon" },
      { kind: "retry", afterSeconds: null },
    ],
    ["500", { kind: "status", status: 500 }, { kind: "retry" }],
    ["502", { kind: "status", status: 502 }, { kind: "retry" }],
    ["503", { kind: "status", status: 503 }, { kind: "retry" }],
    ["408", { kind: "status", status: 408 }, { kind: "retry" }],
    ["400", { kind: "status", status: 400 }, { kind: "failed" }],
    ["401", { kind: "status", status: 401 }, { kind: "failed" }],
    ["403", { kind: "status", status: 403 }, { kind: "failed" }],
    ["404", { kind: "status", status: 404 }, { kind: "failed", targetIsGone: true }],
    ["302", { kind: "status", status: 302 }, { kind: "failed" }],
    ["200 that is not JSON", { kind: "garbled_answer" }, { kind: "sent", externalId: null }],
    ["a reset after it was accepted", { kind: "reset_after_accepting" }, { kind: "unknown" }],
    ["a reset before it was accepted", { kind: "reset_before_accepting" }, { kind: "unknown" }],
  ];
  test.each(cases)("%s", async (_, fault, expected) => {
    sink.setFaults([fault]);
    const outcome = await send();
    expect(outcome).toMatchObject(expected);
    expect(JSON.stringify(outcome)).not.toContain(token());
  });

  test("that names no message left for now keeps the next one back", async () => {
    await using limited = await startDiscordSink({ limit: { messages: 1, seconds: 60 } });
    expect(await send(limited.webhookUrl)).toMatchObject({ kind: "sent", pauseSeconds: expect.any(Number) });
    expect(await send(limited.webhookUrl)).toMatchObject({ kind: "retry", pause: "target" });
  });

  test("names the whole of Discord where the limit is global", async () => {
    sink.setFaults([{ kind: "rate_limited", retryAfterSeconds: 1, scope: "global" }]);
    expect(await send()).toMatchObject({ problem: "HTTP 429: Discord asks for a pause (all of Discord)" });
  });

  test("repeats why Discord refused a message", async () => {
    const answer = {
      status: 400,
      headers: {},
      url: "",
      text: JSON.stringify(validatePayload({ content: "x".repeat(3_000) })),
    };
    const outcome = await sendDiscord(
      { http: { request: async () => answer } },
      { webhookUrl: sink.webhookUrl, message },
      never,
    );
    expect(outcome).toMatchObject({
      kind: "failed",
      problem: expect.stringMatching(/Invalid Form Body.*50035.*2000 or fewer/),
    });
  });

  test("an unknown webhook and a wrong token are failures that name the variable to check", async () => {
    const unknown = new URL(sink.webhookUrl.href.replace(/webhooks\/\d+/, "webhooks/42"));
    const wrong = new URL(`${sink.webhookUrl.href}x`);
    for (const url of [unknown, wrong]) {
      const outcome = await send(url);
      expect(outcome).toMatchObject({ kind: "failed", problem: expect.stringContaining("ALERT_WEBHOOKS") });
      expect(JSON.stringify(outcome)).not.toContain(token());
    }
  });
});

test("a refused connection carried nothing: to be tried again", async () => {
  await sink.stop();
  expect(await send()).toMatchObject({ kind: "retry", afterSeconds: null });
});

test("a message that may have left when time ran out is unknown, one that cannot have left is tried again", async () => {
  sink.setFaults([{ kind: "stall" }]);
  expect(await send(sink.webhookUrl, AbortSignal.timeout(500))).toMatchObject({ kind: "unknown" });
  expect(await send(sink.webhookUrl, AbortSignal.abort())).toMatchObject({ kind: "retry" });
});

test("an error nobody foresaw counts as unknown, without the token in it", async () => {
  const broken = { request: () => Promise.reject(new TypeError(`bad ${sink.webhookUrl.href}`)) };
  const outcome = await sendDiscord({ http: broken }, { webhookUrl: sink.webhookUrl, message }, never);
  expect(outcome).toMatchObject({ kind: "unknown", problem: expect.stringContaining("[secret]") });
  expect(JSON.stringify(outcome)).not.toContain(token());
});

test("each severity has its colour", () => {
  const colours = severities.map((severity) =>
    buildDiscordPayload({ ...message, severity }).embeds[0]!.color.toString(16),
  );
  expect(Object.fromEntries(severities.map((severity, index) => [severity, colours[index]]))).toEqual({
    info: "6c757d",
    low: "28a745",
    medium: "ffc107",
    high: "fd7e14",
    critical: "dc3545",
  });
});

test("shows agency, supplier, money, reason and link, with the names taken literally", () => {
  const [embed] = buildDiscordPayload({ ...message, sample: "compras de janeiro de 2024" }).embeds;
  expect(embed!.title).toBe("\\[ALTA\\] Alerta de anomalia\\: 2 indícios novos");
  expect(embed!.description).toContain("Dados de amostra, não de hoje:** compras de janeiro de 2024");
  expect(embed!.description).toContain("Mostrando 1 de 2 indícios.");
  expect(embed!.fields[0]).toEqual({
    name: "1. Fornecedor concentra os contratos de um órgão \\(alta\\)",
    value: [
      "**Valor em atenção:** R$ 10.000,00",
      "**Órgão:** Órgão\\_de\\_exemplo",
      "**Fornecedor:** \\*Fornecedora\\* @\u200beveryone",
      "O fornecedor responde por 75 % do valor.",
      "[Conferir no registro público](https://portaldatransparencia.gov.br/contratos/1)",
    ].join("\n"),
  });
});

test.each([
  "http://portaldatransparencia.gov.br/x",
  "https://evil.example/x",
  "https://gov.br.evil.example/x",
  "https://evilgov.br/x",
  "https://user@portaldatransparencia.gov.br/x",
  "javascript:alert(1)",
  "nothing",
])("links to no other place than public bodies: %s", (url) => {
  const finding = { ...message.findings[0]!, url };
  expect(JSON.stringify(buildDiscordPayload({ ...message, findings: [finding] }).embeds[0]!.fields)).not.toContain(
    "](",
  );
});

const hostile = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 5_000 }),
  fc.string({ unit: "binary", maxLength: 500 }),
  fc
    .array(
      fc.constantFrom(
        "@everyone",
        "@here",
        "<@123>",
        "<@&9>",
        "<#1>",
        "[x](https://evil.example)",
        "https://evil.example",
        "**",
        "`",
        "\\",
        "||",
        "# ",
        "> ",
        "\n",
        "\u202e",
        "\u200b",
        " 529.982.247-25 ",
        "𝕏",
        "é",
      ),
      { maxLength: 400 },
    )
    .map((parts) => parts.join("")),
);
const hostileMessage: fc.Arbitrary<AlertMessage> = fc.record({
  ids: fc.array(hostile, { maxLength: 20 }),
  title: hostile,
  notes: fc.array(hostile, { maxLength: 60 }),
  severity: fc.constantFrom(...severities),
  summary: hostile,
  findings: fc.array(
    fc.record({
      title: hostile,
      severity: fc.constantFrom(...severities),
      reason: hostile,
      agencyName: fc.option(hostile),
      supplierName: fc.option(hostile),
      amountAtRiskCents: fc.integer({ min: -1e14, max: 1e14 }),
      url: fc.option(fc.oneof(hostile, fc.webUrl(), fc.constant("https://a.gov.br/(x)[y]*_~`|@everyone"))),
      feedbackUrl: fc.option(fc.oneof(hostile, fc.webUrl())),
    }),
    { maxLength: 30 },
  ),
  findingsTotal: fc.nat(1_000_000),
  investigationUrl: fc.option(fc.oneof(hostile, fc.webUrl())),
  sample: fc.option(hostile),
});

/** What Discord would act on in our payload, our own bold labels and links aside. */
function liveMarkup(payload: DiscordPayload): string[] {
  const [embed] = payload.embeds;
  const texts = [embed!.title, embed!.description, ...embed!.fields.flatMap(({ name, value }) => [name, value])];
  return texts.flatMap((text) => {
    const strangers = text
      .replace(/\*\*(?:Valor em atenção|Órgão|Fornecedor|Dados de amostra, não de hoje):\*\*/g, "")
      .replace(/\[Procede\?\]\(https?:\/\/[^()\s]*\)$/, "")
      .replace(/\[Conferir no registro público\]\(https:\/\/[^()\s]*\)(?: · )?$/, "")
      .replace(/\[Ver a investigação completa\]\(https?:\/\/[^()\s]*\)$/, "")
      .replace(/\\[^\p{L}\p{N}\s]/gu, "");
    return strangers.match(/@(?:everyone|here)|<[@#]|[*_~`|[\]<>\\]|https?:|529\.982/g) ?? [];
  });
}

test("whatever the texts are, Discord accepts the message and nothing in it is live", { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(hostileMessage, (one) => {
      const payload = buildDiscordPayload(one);
      expect(validatePayload(payload)).toBeNull();
      expect(payload.allowed_mentions).toEqual({ parse: [] });
      expect(liveMarkup(payload)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test("a CPF that the cut of a long text goes through is not shown in part", () => {
  for (let before = 0; before < 400; before++) {
    const text = `${"\u200b".repeat(before)}529.982.247-25 ${"\u200b".repeat(400)}`;
    expect(escapeMarkdown(text, 20)).not.toContain("529");
  }
});

test.each(["CPF/529.982.247-25", "52998224725/nome", "-529.982.247-25.", "(529.982.247-25,"])(
  "%j holds a CPF",
  (text) => {
    expect(escapeMarkdown(text, 100)).not.toContain("529");
  },
);

test("escaped text never grows beyond what it is given", () => {
  fc.assert(
    fc.property(hostile, fc.integer({ min: 0, max: 300 }), (text, charactersMax) => {
      expect(escapeMarkdown(text, charactersMax).length).toBeLessThanOrEqual(charactersMax);
    }),
  );
});
