import type { Groq } from "groq-sdk";
import type { ModelPort } from "./port.ts";
import { readAnswer } from "./read-answer.ts";
import { readSdkError } from "./read-sdk-error.ts";
import { type ModelHttp, sdkFetch } from "./sdk-fetch.ts";

export type VendorOptions = { apiKey: string; model: string; baseUrl: string };

/** What a model that thinks before it speaks may spend on thinking, on top of the answer. */
export const THINKING_TOKENS_MAX = 1_000;
export const SDK_TIMEOUT_MS = 120_000;

export function createGroqPort(context: { http: ModelHttp }, options: VendorOptions): ModelPort {
  const { apiKey, model, baseUrl } = options;
  let client: Promise<Groq> | null = null;
  const thinks = model.startsWith("openai/gpt-oss");
  return {
    id: "groq",
    model,
    complete: async (request, signal) => {
      client ??= load(context.http, { apiKey, baseUrl });
      try {
        const answer: unknown = await (
          await client
        ).chat.completions.create(
          {
            model,
            messages: [
              { role: "system", content: request.system },
              { role: "user", content: request.user },
            ],
            temperature: request.temperature,
            max_completion_tokens: request.tokensMax + (thinks ? THINKING_TOKENS_MAX : 0),
            ...(thinks ? { reasoning_effort: "low" as const, include_reasoning: false } : {}),
          },
          { signal, maxRetries: 0 },
        );
        return readAnswer(answer);
      } catch (error) {
        signal.throwIfAborted();
        throw readSdkError(error);
      }
    },
  };
}

/** Loaded at the first call: a process that asks no model does not carry the SDK. */
async function load(http: ModelHttp, { apiKey, baseUrl }: { apiKey: string; baseUrl: string }): Promise<Groq> {
  const { Groq } = await import("groq-sdk");
  return new Groq({
    apiKey,
    baseURL: baseUrl,
    fetch: sdkFetch(http),
    maxRetries: 0,
    timeout: SDK_TIMEOUT_MS,
    logLevel: "off",
  });
}
