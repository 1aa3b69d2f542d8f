import { createHmac } from "node:crypto";
import type { AlertMessage } from "@cidadao/domain/alert";
import { messageOf } from "@cidadao/runtime/errors";
import { type HttpClient, HttpError } from "@cidadao/runtime/http-client";
import type { SendOutcome } from "./channel.ts";

const BYTES_MAX = 64 * 1024;
const TIMEOUTS = { connectMs: 5_000, headersMs: 15_000, bodyMs: 10_000, totalMs: 25_000 };

/**
 * Posts one alert as JSON. The receiver recomputes the HMAC-SHA-256 of `<timestamp>.<body>` with the shared secret, and
 * refuses an old timestamp: then nobody else can send, change or replay a message. Rejects never.
 */
export async function sendSignedWebhook(
  context: { http: Pick<HttpClient, "request">; now: () => Date },
  input: { url: URL; secret: string; message: AlertMessage },
  signal: AbortSignal,
): Promise<SendOutcome> {
  const body = JSON.stringify({ type: "cidadao.alert", version: 1, alert: input.message });
  const timestamp = String(Math.floor(context.now().getTime() / 1_000));
  try {
    const { status, headers } = await context.http.request(
      {
        method: "POST",
        url: input.url.href,
        headers: {
          "content-type": "application/json",
          "idempotency-key": input.message.ids.join(","),
          "x-cidadao-timestamp": timestamp,
          "x-cidadao-signature": `v1=${signatureOf(input.secret, timestamp, body)}`,
        },
        body,
        bytesMax: BYTES_MAX,
        timeouts: TIMEOUTS,
        redirect: "manual",
        source: "signed-webhook",
      },
      signal,
    );
    if (status >= 200 && status < 300) return { kind: "sent", externalId: null };
    const problem = `HTTP ${status} from ${input.url.host}`;
    if (status === 429) {
      const seconds = Number(headers["retry-after"]);
      return { kind: "retry", afterSeconds: seconds >= 0 ? seconds : null, pause: "target", problem };
    }
    if (status >= 500 || status === 408) return { kind: "retry", afterSeconds: null, problem };
    return { kind: "failed", problem, ...(status === 404 || status === 410 ? { targetIsGone: true } : {}) };
  } catch (error) {
    const problem = messageOf(error);
    if (error instanceof HttpError && error.phase === "connect") return { kind: "retry", afterSeconds: null, problem };
    return { kind: "unknown", problem: `it may have arrived: ${problem}` };
  }
}

function signatureOf(secret: string, timestamp: string, body: string): string {
  return createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
}
