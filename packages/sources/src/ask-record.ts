import type { CacheParams } from "@cidadao/runtime/response-cache";
import type { Answer } from "./define-source.ts";
import { ask, type Door, invalid } from "./outbound.ts";

/** One question whose answer is one record, or nothing. */
export async function askRecord(
  door: Door,
  question: { path: string; params: CacheParams },
  signal: AbortSignal,
): Promise<Answer> {
  const { body, ...answered } = await ask(door, question, signal, (found) => {
    if (typeof found !== "object" || Array.isArray(found))
      throw invalid(door, `${question.path} não respondeu um registro`);
  });
  return { rows: body === null ? [] : [body], next: null, ...answered };
}
