import { HttpError } from "@cidadao/runtime/http-client";
import { ModelError, type ModelFailure } from "./port.ts";

/** Groq answers 498 when its capacity is used up. */
const CAPACITY_EXCEEDED = 498;

/** Vendor codes worth showing: they say what to change in the configuration. A closed list, for messages repeat keys. */
const CODES = new Set([
  "billing_hard_limit_reached",
  "context_length_exceeded",
  "insufficient_quota",
  "invalid_api_key",
  "model_decommissioned",
  "model_not_found",
  "rate_limit_exceeded",
]);

type SdkError = { status?: unknown; headers?: unknown; code?: unknown; error?: unknown; cause?: unknown };

/** What an SDK throws, told by shape: the two SDKs share no class. Keeps nothing of the vendor's own words. */
export function readSdkError(error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  if (error instanceof SyntaxError) return new ModelError("invalid_answer", "the answer is not JSON");
  const { status, headers, cause } = (typeof error === "object" && error !== null ? error : {}) as SdkError;
  if (typeof status === "number") {
    const code = codeOf(error as SdkError);
    return new ModelError(failureOf(status), `HTTP ${status}${code ? ` (${code})` : ""}`, {
      retryAfterSeconds: headers instanceof Headers ? retryAfterOf(headers) : null,
    });
  }
  if (cause instanceof HttpError) {
    if (cause.code === "deadline_exceeded") return new ModelError("timeout", "no whole answer in time");
    if (cause.code === "source_invalid")
      return new ModelError("invalid_answer", "the answer is too large or a redirect");
  }
  return new ModelError("network", "the connection failed");
}

function failureOf(status: number): ModelFailure {
  if (status === 429) return "rate_limited";
  if (status === 408 || status === 409 || status === CAPACITY_EXCEEDED || status >= 500) return "server_error";
  return "rejected";
}

function codeOf(error: SdkError): string | null {
  const inner = (error.error ?? {}) as { code?: unknown; error?: { code?: unknown } };
  const code = [error.code, inner.code, inner.error?.code].find((one) => typeof one === "string" && CODES.has(one));
  return typeof code === "string" ? code : null;
}

/** Seconds or an HTTP date; `null` for anything else. */
export function retryAfterOf(headers: Headers): number | null {
  const text = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  if (!/^[A-Z][a-z]{2}, /.test(text)) return null;
  const seconds = (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}
