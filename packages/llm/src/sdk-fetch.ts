import type { HttpClient } from "@cidadao/runtime/http-client";

export type ModelHttp = Pick<HttpClient, "request">;

/** An answer has a few hundred tokens. */
const BYTES_MAX = 1024 * 1024;
/** The caller's signal ends a call; these only keep a forgotten one from lasting for ever. */
const CALL_MS_MAX = 120_000;
const CONNECT_MS = 3_000;

/**
 * The SDKs' way out: the project's own HTTP client, so that the whole body is read under the call's signal, is bounded,
 * and follows no redirect. Left to themselves, groq-sdk 1.6 waits for a stalled body for ever.
 */
export function sdkFetch(http: ModelHttp): typeof fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : input.toString();
    const headers = Object.fromEntries(new Headers(init?.headers));
    if (typeof init?.body !== "string") throw new TypeError("the model call has no text body");
    const answer = await http.request(
      {
        method: "POST",
        url,
        headers,
        body: init.body,
        bytesMax: BYTES_MAX,
        timeouts: { connectMs: CONNECT_MS, headersMs: CALL_MS_MAX, bodyMs: CALL_MS_MAX, totalMs: CALL_MS_MAX },
        source: "llm",
        route: "/chat/completions",
      },
      init.signal ?? AbortSignal.timeout(CALL_MS_MAX),
    );
    const { "content-encoding": _encoding, "content-length": _length, ...rest } = answer.headers;
    const bodyless = answer.status === 204 || answer.status === 205 || answer.status === 304;
    return new Response(bodyless ? null : answer.text, { status: answer.status, headers: rest });
  };
}
