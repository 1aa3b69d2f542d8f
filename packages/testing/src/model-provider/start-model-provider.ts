import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Behaviour, ProviderPlan, Vendor } from "./behaviour.ts";
import { evidenceOf, linkingAnswer, madeUpAnswer, obedientAnswer, truthfulAnswer } from "./compose-answer.ts";

export type ModelCallSeen = {
  vendor: Vendor;
  model: string;
  system: string;
  user: string;
  authorization: string;
  body: Record<string, unknown>;
};

export type ModelProvider = AsyncDisposable & {
  /** Without a path: Groq's base URL. OpenAI's is this and "/v1". */
  url: string;
  calls: ModelCallSeen[];
  /** Replaces the plan; its counts start again. */
  behave(plan: ProviderPlan): void;
  stop(): Promise<void>;
};

const BODY_BYTES_MAX = 1024 * 1024;

/** Groq's and OpenAI's chat completions on the loopback interface; it misbehaves when it is asked to. */
export async function startModelProvider(options: { port?: number } = {}): Promise<ModelProvider> {
  const calls: ModelCallSeen[] = [];
  let waiting: ProviderPlan = {};

  const next = (vendor: Vendor): Behaviour => {
    const planned = waiting[vendor] ?? [];
    return (planned.length > 1 ? planned.shift() : planned[0]) ?? { kind: "truthful" };
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const vendor = vendorOf(request.url ?? "");
    if (vendor === null || request.method !== "POST") return sendJson(response, { status: 404, body: { error: {} } });
    const call = readCall(vendor, request, await readBody(request));
    calls.push(call);
    act(next(vendor), call, response);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const stop = async () => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => void server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    behave: (plan) => {
      waiting = structuredClone(plan);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function vendorOf(path: string): Vendor | null {
  if (path === "/openai/v1/chat/completions") return "groq";
  return path === "/v1/chat/completions" ? "openai" : null;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new RangeError("the call is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function readCall(vendor: Vendor, request: IncomingMessage, text: string): ModelCallSeen {
  const body = JSON.parse(text) as { model: string; messages: { role: string; content: string }[] };
  const said = (role: string) => body.messages.find((message) => message.role === role)?.content ?? "";
  const authorization = request.headers.authorization ?? "";
  return { vendor, model: body.model, system: said("system"), user: said("user"), authorization, body };
}

function act(behaviour: Behaviour, call: ModelCallSeen, response: ServerResponse): void {
  const evidence = evidenceOf(call.user);
  const answer = (text: string, more: Partial<Completion> = {}) =>
    sendJson(response, { status: 200, body: completion(call, { text, ...more }) });
  const page = (body: string, type: string) => void response.writeHead(200, { "content-type": type }).end(body);
  const whole = JSON.stringify(completion(call, { text: truthfulAnswer(evidence) }));
  switch (behaviour.kind) {
    case "truthful":
      return answer(truthfulAnswer(evidence));
    case "says":
      return answer(behaviour.text);
    case "made_up_numbers":
      return answer(madeUpAnswer(evidence));
    case "links":
      return answer(linkingAnswer(evidence));
    case "obeys_attacker":
      return answer(obedientAnswer(call.user));
    case "refusal":
      return answer("", { refusal: "Não posso ajudar com isso." });
    case "cut_off":
      return answer(truthfulAnswer(evidence).slice(0, 100), { finishReason: "length" });
    case "silent":
      return answer("");
    case "stall_before_headers":
      return;
    case "stall_in_body":
      response.writeHead(200, { "content-type": "application/json", "content-length": whole.length + 1_000 });
      return void response.write(whole.slice(0, 20));
    case "drip": {
      response.writeHead(200, { "content-type": "application/json" });
      const timer = setInterval(() => void response.write(" "), behaviour.everyMs ?? 20);
      response.once("close", () => clearInterval(timer));
      return;
    }
    case "reset":
      return void response.socket?.resetAndDestroy();
    case "reset_in_body":
      response.writeHead(200, { "content-type": "application/json" });
      return void response.write(whole.slice(0, 20), () => response.socket?.resetAndDestroy());
    case "status": {
      const { status, retryAfter, code = null } = behaviour;
      // Real vendors repeat a part of the key here.
      const message = `Incorrect request: ${call.authorization}`;
      const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
      return sendJson(response, { status, headers, body: { error: { message, type: "error", code } } });
    }
    case "truncated_json":
      return page(whole.slice(0, whole.length / 2), "application/json");
    case "html":
      return page("<!doctype html><title>502 Bad Gateway</title>", "text/html");
    case "empty_body":
      return page("", "application/json");
    case "wrong_shape":
      return page('{"choices":[],"usage":null}', "application/json");
    case "huge":
      return page(
        JSON.stringify({ choices: "x".repeat((behaviour.megabytes ?? 10) * 1024 * 1024) }),
        "application/json",
      );
    case "redirect":
      return void response.writeHead(302, { location: behaviour.location }).end();
  }
}

type Completion = { text: string; finishReason: string; refusal: string | null };

function completion(call: ModelCallSeen, { text, finishReason = "stop", refusal = null }: Partial<Completion>) {
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_700_000_000,
    model: call.model,
    choices: [{ index: 0, finish_reason: finishReason, message: { role: "assistant", content: text ?? "", refusal } }],
    usage: { prompt_tokens: 321, completion_tokens: 123, total_tokens: 444 },
  };
}

function sendJson(
  response: ServerResponse,
  { status, headers = {}, body }: { status: number; headers?: Record<string, string>; body: unknown },
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}
