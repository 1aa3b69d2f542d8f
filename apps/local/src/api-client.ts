import http from "node:http";

/** What the terminal shows of the API's answers. */
export type ShownInvestigation = {
  id: string;
  status: string;
  outcome: string | null;
  records: number;
  anomalies: number;
  coverage: { missing: { what: string; why: string }[] }[];
};
export type ShownEvent = {
  seq: number;
  phase: string;
  progress: number;
  message: string;
  data: Record<string, unknown>;
};
export type ShownAnomaly = {
  rank: number;
  title: string;
  reason: string;
  severity: string;
  subject: { label: string };
  agencyName: string | null;
  supplierName: string | null;
  amountAtRiskCents: number;
  explanation: { text: string; source: string; model: string | null } | null;
  evidence: { records: { label: string; url: string }[] };
};

const REQUEST_TIMEOUT_MS = 15_000;

export async function callApi<Answer>(
  baseUrl: string,
  request: { method: "GET" | "POST"; path: string; body?: unknown },
  signal: AbortSignal,
): Promise<Answer> {
  const answer = await send(baseUrl, request, AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]));
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  if (answer.statusCode! >= 300) throw new Error(`${request.method} ${request.path} → ${answer.statusCode}: ${text}`);
  return JSON.parse(text) as Answer;
}

/** The investigation's events as they come, until the last one. */
export async function* followEvents(baseUrl: string, path: string, signal: AbortSignal): AsyncGenerator<ShownEvent> {
  const answer = await send(baseUrl, { method: "GET", path }, signal);
  let rest = "";
  for await (const chunk of answer) {
    const blocks = (rest + String(chunk)).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = block.split("\n").find((line) => line.startsWith("data: "));
      if (data) yield JSON.parse(data.slice("data: ".length)) as ShownEvent;
    }
  }
}

function send(
  baseUrl: string,
  request: { method: "GET" | "POST"; path: string; body?: unknown },
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = request.body === undefined ? {} : { "content-type": "application/json" };
    const call = http.request(new URL(request.path, baseUrl), { method: request.method, headers, signal }, (answer) => {
      answer.setEncoding("utf8");
      resolve(answer);
    });
    call.once("error", reject);
    call.end(request.body === undefined ? undefined : JSON.stringify(request.body));
  });
}

const READY_POLL_MS = 50;

/** Resolves when the API says that it is ready; rejects when that takes longer than `timeoutMs`. */
export async function untilReady(baseUrl: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const health = await callApi<{ status: string }>(baseUrl, { method: "GET", path: "/health/ready" }, signal).catch(
      () => null,
    );
    if (health?.status === "ready") return;
    if (performance.now() > deadline)
      throw new Error(`The API was not ready after ${timeoutMs / 1000} s; see the logs.`);
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
}
