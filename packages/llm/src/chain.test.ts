import { createHttpClient } from "@cidadao/runtime/http-client";
import type { Behaviour } from "@cidadao/testing/model-provider/behaviour";
import { startModelProvider } from "@cidadao/testing/model-provider/start-model-provider";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ChainOptions, createModelChain, type ModelCall } from "./chain.ts";
import { configuredModels, llmConfig } from "./config.ts";
import { ModelError, type ModelFailure, type ModelPort } from "./port.ts";
import { retryAfterOf } from "./read-sdk-error.ts";

const GROQ_KEY = "gsk_groqsecretgroqsecretgroqsecret";
const OPENAI_KEY = "sk-openaisecretopenaisecretopenai";
const never = new AbortController().signal;
const request = { system: "Explique.", user: '{"evidencia":{}}', tokensMax: 400, temperature: 0.2 };

let resources = new AsyncDisposableStack();
let provider: Awaited<ReturnType<typeof startModelProvider>>;
// The first call loads an SDK, which takes longer than the short time limits below.
beforeAll(() => Promise.all([import("groq-sdk"), import("openai")]));
beforeEach(async () => {
  provider = resources.use(await startModelProvider());
});
afterEach(async () => {
  await resources.disposeAsync();
  resources = new AsyncDisposableStack();
});

function chainOf(options: ChainOptions = {}, environment: Record<string, string> = {}) {
  const http = resources.use(createHttpClient({ userAgent: "cidadao-tests" }));
  const config = llmConfig.parse({
    GROQ_API_KEY: GROQ_KEY,
    OPENAI_API_KEY: OPENAI_KEY,
    GROQ_BASE_URL: provider.url,
    OPENAI_BASE_URL: `${provider.url}/v1`,
    ...environment,
  });
  return createModelChain(configuredModels({ http }, config), { callTimeoutMs: 5_000, backoffMsMax: 5, ...options });
}

const vendors = () => provider.calls.map(({ vendor }) => vendor);

test("asks Groq with its own key and model, and nobody else when it answers", async () => {
  const calls: ModelCall[] = [];
  const result = await chainOf({ onCall: (call) => calls.push(call) }).complete(request, never);
  expect(result).toMatchObject({ ok: true, provider: "groq", model: "openai/gpt-oss-120b", problems: [] });
  expect(provider.calls).toMatchObject([{ vendor: "groq", authorization: `Bearer ${GROQ_KEY}`, user: request.user }]);
  expect(calls).toEqual([
    { provider: "groq", model: "openai/gpt-oss-120b", result: "ok", tokens: { input: 321, output: 123 } },
  ]);
});

test("leaves a model that thinks room to do so, and gives the others exactly what was asked", async () => {
  provider.behave({ groq: [{ kind: "silent" }] });
  await chainOf().complete(request, never);
  await chainOf({}, { GROQ_MODEL: "llama-3.3-70b-versatile", OPENAI_MODEL: "gpt-4.1-mini" }).complete(request, never);
  expect(provider.calls.map(({ body }) => body)).toMatchObject([
    { max_completion_tokens: 1_400, reasoning_effort: "low", include_reasoning: false, temperature: 0.2 },
    { max_completion_tokens: 1_400, reasoning_effort: "low" },
    { max_completion_tokens: 400, temperature: 0.2 },
    { max_completion_tokens: 400, temperature: 0.2 },
  ]);
  expect(provider.calls[1]!.body).not.toHaveProperty("temperature");
  expect(provider.calls[2]!.body).not.toHaveProperty("reasoning_effort");
});

/** Every fault, what it is called, how often the vendor is asked, and in what time it is given up. */
const faults: [Behaviour, ModelFailure, asked: number, callTimeoutMs: number][] = [
  [{ kind: "stall_before_headers" }, "timeout", 1, 800],
  [{ kind: "stall_in_body" }, "timeout", 1, 800],
  [{ kind: "drip" }, "timeout", 1, 800],
  [{ kind: "reset" }, "network", 2, 5_000],
  [{ kind: "reset_in_body" }, "network", 2, 5_000],
  [{ kind: "status", status: 429, retryAfter: "90" }, "rate_limited", 1, 5_000],
  [{ kind: "status", status: 429, retryAfter: "3600" }, "rate_limited", 1, 5_000],
  [{ kind: "status", status: 429, retryAfter: "277403" }, "rate_limited", 1, 5_000],
  [{ kind: "status", status: 429, retryAfter: "garbage" }, "rate_limited", 2, 5_000],
  [{ kind: "status", status: 429, retryAfter: "-1" }, "rate_limited", 2, 5_000],
  [{ kind: "status", status: 429 }, "rate_limited", 2, 5_000],
  [{ kind: "status", status: 500 }, "server_error", 2, 5_000],
  [{ kind: "status", status: 503, retryAfter: "120" }, "server_error", 1, 5_000],
  [{ kind: "status", status: 498 }, "server_error", 2, 5_000],
  [{ kind: "status", status: 408 }, "server_error", 2, 5_000],
  [{ kind: "status", status: 409 }, "server_error", 2, 5_000],
  [{ kind: "status", status: 400 }, "rejected", 1, 5_000],
  [{ kind: "status", status: 401 }, "rejected", 1, 5_000],
  [{ kind: "status", status: 404 }, "rejected", 1, 5_000],
  [{ kind: "status", status: 413 }, "rejected", 1, 5_000],
  [{ kind: "status", status: 204 }, "invalid_answer", 1, 5_000],
  [{ kind: "redirect", location: "http://127.0.0.1:1/" }, "invalid_answer", 1, 5_000],
  [{ kind: "truncated_json" }, "invalid_answer", 1, 5_000],
  [{ kind: "html" }, "invalid_answer", 1, 5_000],
  [{ kind: "empty_body" }, "invalid_answer", 1, 5_000],
  [{ kind: "wrong_shape" }, "invalid_answer", 1, 5_000],
  [{ kind: "silent" }, "invalid_answer", 1, 5_000],
  [{ kind: "huge", megabytes: 2 }, "invalid_answer", 1, 5_000],
  [{ kind: "refusal" }, "refusal", 1, 5_000],
  [{ kind: "cut_off" }, "cut_off", 1, 5_000],
];

describe.each(faults)("%o", (fault, failure, asked, callTimeoutMs) => {
  test(`at Groq is ${failure}, and OpenAI answers`, async () => {
    provider.behave({ groq: [fault] });
    const result = await chainOf({ callTimeoutMs }).complete(request, never);
    expect(result).toMatchObject({ ok: true, provider: "openai" });
    expect(result.problems.map((problem) => problem.failure)).toEqual(Array(asked).fill(failure));
    expect(vendors()).toEqual([...Array(asked).fill("groq"), "openai"]);
  });

  test("at both is reported attempt by attempt, without a word of the vendor or a key", async () => {
    provider.behave({ groq: [fault], openai: [fault] });
    const calls: ModelCall[] = [];
    const result = await chainOf({ callTimeoutMs, onCall: (call) => calls.push(call) }).complete(request, never);
    expect(result.ok).toBe(false);
    const expected = [...Array(asked).fill("groq"), ...Array(asked).fill("openai")];
    expect(result.problems.map(({ provider }) => provider)).toEqual(expected);
    expect(new Set(calls.map((call) => call.result))).toEqual(new Set([failure]));
    expect(JSON.stringify([result, calls])).not.toMatch(/secret|Incorrect|Bearer|evidencia/);
  });
});

test("waits for a short Retry-After and asks the same vendor once more", async () => {
  provider.behave({ groq: [{ kind: "status", status: 429, retryAfter: "1" }, { kind: "truthful" }] });
  const result = await chainOf().complete(request, never);
  expect(result).toMatchObject({ ok: true, provider: "groq", problems: [{ failure: "rate_limited" }] });
  expect(vendors()).toEqual(["groq", "groq"]);
});

test("leaves a vendor alone for as long as it asked, for later requests too", async () => {
  provider.behave({ groq: [{ kind: "status", status: 429, retryAfter: "3600" }] });
  const chain = chainOf();
  await chain.complete(request, never);
  const second = await chain.complete(request, never);
  expect(second).toMatchObject({ ok: true, provider: "openai", problems: [{ provider: "groq", failure: "resting" }] });
  expect(vendors()).toEqual(["groq", "openai", "openai"]);
});

test("stops asking a vendor that fails again and again", async () => {
  provider.behave({ groq: [{ kind: "html" }] });
  const chain = chainOf();
  for (let asked = 0; asked < 8; asked++) await chain.complete(request, never);
  expect(vendors().filter((vendor) => vendor === "groq")).toHaveLength(5);
  expect(vendors().filter((vendor) => vendor === "openai")).toHaveLength(8);
});

test("names the vendor's code where it tells what to change", async () => {
  provider.behave({ groq: [{ kind: "status", status: 404, code: "model_not_found" }] });
  const result = await chainOf().complete(request, never);
  expect(result.problems).toMatchObject([{ message: "HTTP 404 (model_not_found)" }]);
});

test("rejects with the caller's reason when the caller gives up, and asks nobody else", async () => {
  provider.behave({ groq: [{ kind: "stall_in_body" }] });
  const stop = new AbortController();
  const chain = chainOf({ onCall: () => expect.unreachable() });
  const asked = chain.complete(request, stop.signal);
  const reason = new Error("shutting down");
  setImmediate(() => stop.abort(reason));
  await expect(asked).rejects.toBe(reason);
  await expect(chain.complete(request, stop.signal)).rejects.toBe(reason);
  expect(vendors()).not.toContain("openai");
});

test("ends with its time even when a port heeds no signal, and survives one that throws nonsense", async () => {
  const deaf: ModelPort = { id: "deaf", model: "m", complete: () => new Promise(() => {}) };
  const odd: ModelPort = { id: "odd", model: "m", complete: () => Promise.reject(new TypeError(GROQ_KEY)) };
  const strict: ModelPort = {
    id: "strict",
    model: "m",
    complete: () => Promise.reject(new ModelError("refusal", "no")),
  };
  const result = await createModelChain([deaf, odd, strict], { callTimeoutMs: 30 }).complete(request, never);
  expect(result.problems.map(({ failure }) => failure)).toEqual(["timeout", "unexpected", "refusal"]);
  expect(JSON.stringify(result)).not.toContain(GROQ_KEY);
});

test("an empty chain answers at once that there is nobody to ask", async () => {
  const chain = createModelChain([]);
  expect(chain.models).toEqual([]);
  expect(await chain.complete(request, never)).toEqual({ ok: false, problems: [] });
});

describe("the configuration", () => {
  const http = createHttpClient({ userAgent: "cidadao-tests" });
  afterAll(() => http.close());

  test("needs no key, and then names no model", () => {
    expect(configuredModels({ http }, llmConfig.parse({}))).toEqual([]);
  });

  test("puts Groq before OpenAI", () => {
    const config = llmConfig.parse({ GROQ_API_KEY: GROQ_KEY, OPENAI_API_KEY: OPENAI_KEY });
    expect(configuredModels({ http }, config).map(({ id }) => id)).toEqual(["groq", "openai"]);
  });

  test.each(["http://example.org", "ftp://example.org", "https://user:secret@example.org", "not a url"])(
    "refuses the base URL %s",
    (url) => {
      expect(llmConfig.safeParse({ OPENAI_BASE_URL: url }).success).toBe(false);
    },
  );
});

test("reads Retry-After as seconds or as a date, and nothing else", () => {
  const read = (text: string) => retryAfterOf(new Headers({ "retry-after": text }));
  expect(read("1.5")).toBe(1.5);
  expect(read("Wed, 21 Oct 2015 07:28:00 GMT")).toBe(0);
  expect(read(new Date(Date.now() + 60_000).toUTCString())).toBeGreaterThan(50);
  for (const text of ["-1", "soon", "", "1e9", "Infinity"]) expect(read(text)).toBeNull();
});
