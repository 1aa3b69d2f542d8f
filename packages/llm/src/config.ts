import { z } from "zod";
import { createGroqPort } from "./groq.ts";
import { createOpenAiPort } from "./openai.ts";
import type { ModelPort } from "./port.ts";
import type { ModelHttp } from "./sdk-fetch.ts";

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

const baseUrl = z
  .url({ error: "not a URL" })
  .refine((text) => {
    const url = URL.parse(text);
    if (url === null || url.username !== "" || url.password !== "") return false;
    return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.has(url.hostname));
  }, "use https without a user name; plain http only on this computer (127.0.0.1)")
  .transform((text) => text.replace(/\/+$/, ""));

const apiKey = z.string().regex(/^[\x21-\x7e]{8,512}$/, "an API key is 8 to 512 characters without spaces");
const model = z.string().regex(/^[\w./:-]{1,200}$/, "not the name of a model");

export const llmConfig = z.object({
  GROQ_API_KEY: apiKey.optional().describe("Key of Groq, asked first; without any key explanations are templates"),
  OPENAI_API_KEY: apiKey
    .optional()
    .describe("Key of OpenAI or of a compatible server, asked when Groq does not answer"),
  GROQ_MODEL: model.default("openai/gpt-oss-120b").describe("Model at Groq"),
  OPENAI_MODEL: model.default("gpt-5.4-mini").describe("Model at OpenAI or at the compatible server"),
  GROQ_BASE_URL: baseUrl.default("https://api.groq.com").describe("Groq's address, without /openai/v1"),
  OPENAI_BASE_URL: baseUrl
    .default("https://api.openai.com/v1")
    .describe("Address of OpenAI or of a compatible server, with its version"),
});

export type LlmConfig = z.output<typeof llmConfig>;

/** The models for which there is a key, in the order in which they are asked. */
export function configuredModels(context: { http: ModelHttp }, config: LlmConfig): ModelPort[] {
  const ports: ModelPort[] = [];
  if (config.GROQ_API_KEY !== undefined) {
    const { GROQ_API_KEY: apiKey, GROQ_MODEL: model, GROQ_BASE_URL: baseUrl } = config;
    ports.push(createGroqPort(context, { apiKey, model, baseUrl }));
  }
  if (config.OPENAI_API_KEY !== undefined) {
    const { OPENAI_API_KEY: apiKey, OPENAI_MODEL: model, OPENAI_BASE_URL: baseUrl } = config;
    ports.push(createOpenAiPort(context, { apiKey, model, baseUrl }));
  }
  return ports;
}
