import { z } from "zod";
import { type ModelAnswer, ModelError, type ModelTokens } from "./port.ts";

const completion = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0) }).nullish(),
});

/** What an SDK hands over is whatever the server sent: a page, nothing, half an answer. Only a whole answer passes. */
export function readAnswer(answer: unknown): ModelAnswer {
  const parsed = completion.safeParse(answer);
  if (!parsed.success) throw new ModelError("invalid_answer", "the answer is not a chat completion");
  const { choices, usage } = parsed.data;
  const { message, finish_reason: finishReason } = choices[0]!;
  const tokens: ModelTokens = { input: usage?.prompt_tokens ?? 0, output: usage?.completion_tokens ?? 0 };
  if (message.refusal) throw new ModelError("refusal", "the model refused to answer", { tokens });
  if (finishReason === "content_filter")
    throw new ModelError("refusal", "the vendor's filter cut the answer", { tokens });
  if (finishReason === "length") throw new ModelError("cut_off", "the answer ended at the token limit", { tokens });
  if (finishReason !== "stop") throw new ModelError("invalid_answer", "the answer did not end by itself", { tokens });
  const text = message.content?.trim() ?? "";
  if (text === "") throw new ModelError("invalid_answer", "the answer is empty", { tokens });
  return { text, finishReason, tokens };
}
