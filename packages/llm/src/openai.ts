import type { OpenAI } from "openai";
import { SDK_TIMEOUT_MS, THINKING_TOKENS_MAX, type VendorOptions } from "./groq.ts";
import type { ModelPort } from "./port.ts";
import { readAnswer } from "./read-answer.ts";
import { readSdkError } from "./read-sdk-error.ts";
import { type ModelHttp, sdkFetch } from "./sdk-fetch.ts";

/** These think before they speak and refuse a temperature. */
const THINKING_MODEL = /^(?:gpt-[5-9]|o\d)/;

/** OpenAI, or any server that speaks its chat completions at `baseUrl`. */
export function createOpenAiPort(context: { http: ModelHttp }, options: VendorOptions): ModelPort {
  const { apiKey, model, baseUrl } = options;
  let client: Promise<OpenAI> | null = null;
  const thinks = THINKING_MODEL.test(model);
  return {
    id: "openai",
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
            max_completion_tokens: request.tokensMax + (thinks ? THINKING_TOKENS_MAX : 0),
            ...(thinks ? { reasoning_effort: "low" as const } : { temperature: request.temperature }),
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

async function load(http: ModelHttp, { apiKey, baseUrl }: { apiKey: string; baseUrl: string }): Promise<OpenAI> {
  const { OpenAI } = await import("openai");
  return new OpenAI({
    apiKey,
    baseURL: baseUrl,
    // Unset, the SDK reads both from the environment.
    organization: null,
    project: null,
    fetch: sdkFetch(http),
    maxRetries: 0,
    timeout: SDK_TIMEOUT_MS,
    logLevel: "off",
  });
}
