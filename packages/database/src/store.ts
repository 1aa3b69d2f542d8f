import { AppError, messageOf } from "@cidadao/runtime/errors";
import { createHttpClient, type HttpClient, type HttpRequest } from "@cidadao/runtime/http-client";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { z } from "zod";

export const databaseConfig = z.object({
  SUPABASE_URL: z.url({ protocol: /^https?$/ }).describe("URL of the Supabase project, without /rest/v1"),
  SUPABASE_SERVICE_ROLE_KEY: z
    .string()
    .min(20, "use the project's service_role key, not the anon key's name")
    .describe("Key with which the services write; never in a browser"),
});

/** The one way to the database. */
export type Store = SupabaseClient & {
  /** Calls a function whose one parameter is an unnamed text, sent as it is: supabase-js makes JSON of everything. */
  callWithText: (name: string, text: string, signal: AbortSignal) => Promise<Answer<unknown>>;
};

const TIMEOUTS = { connectMs: 5_000, headersMs: 15_000, bodyMs: 15_000, totalMs: 15_000 };
/** A page of 1,000 rows is a few megabytes. */
const BYTES_MAX = 64 * 1024 * 1024;
const CONNECTIONS_MAX = 32;

export function openStore(config: z.infer<typeof databaseConfig>): Store {
  const send = storeFetch(createHttpClient({ userAgent: "cidadao-ai", connectionsPerHostMax: CONNECTIONS_MAX }));
  const { SUPABASE_URL: url, SUPABASE_SERVICE_ROLE_KEY: key } = config;
  const client = createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch: send },
  });
  return Object.assign(client, { callWithText: textCalls(send, { url, key }) });
}

/**
 * supabase-js sends through the project's own HTTP client. Left to the global fetch it has no limit: a database that
 * accepts and never answers, or stops in the middle, would hold a request for ever.
 */
function storeFetch(http: Pick<HttpClient, "request">): typeof fetch {
  const never = new AbortController().signal;
  return async (input, init) => {
    const answer = await http.request(
      {
        method: (init?.method ?? "GET") as HttpRequest["method"],
        url: input instanceof Request ? input.url : input.toString(),
        headers: Object.fromEntries(new Headers(init?.headers)),
        ...(typeof init?.body === "string" ? { body: init.body } : {}),
        bytesMax: BYTES_MAX,
        timeouts: TIMEOUTS,
        source: "store",
      },
      init?.signal ?? never,
    );
    const { "content-encoding": _encoding, "content-length": _length, ...headers } = answer.headers;
    return new Response(answer.text === "" ? null : answer.text, { status: answer.status, headers });
  };
}

/** Like supabase-js, an exchange that failed is an answer with status 0. */
function textCalls(send: typeof fetch, { url, key }: { url: string; key: string }): Store["callWithText"] {
  const base = `${url.replace(/\/$/, "")}/rest/v1/rpc`;
  const headers = { apikey: key, authorization: `Bearer ${key}`, "content-type": "text/plain" };
  return async (name, body, signal) => {
    try {
      const answer = await send(`${base}/${name}`, { method: "POST", headers, body, signal });
      const { ok, status } = answer;
      return ok
        ? { data: await answer.json(), error: null, status }
        : { data: null, error: errorIn(await answer.text()), status };
    } catch (error) {
      return { data: null, error: { message: messageOf(error) }, status: 0 };
    }
  };
}

/** PostgREST answers in JSON, what stands before it may not. */
function errorIn(text: string): NonNullable<Answer<unknown>["error"]> {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text };
  }
}

type Answer<Data> = {
  data: Data;
  error: { message: string; code?: string; details?: string | null; hint?: string | null } | null;
  status: number;
};

/** The data of an answer; `store_unavailable` when the database is away, a plain error when the question was wrong. */
export async function unwrap<Data>(question: PromiseLike<Answer<Data>>, what: string): Promise<NonNullable<Data>> {
  const { data, error, status } = await question;
  if (error) throw storeError(error, status, what);
  return data as NonNullable<Data>;
}

/** Connection lost, server starting or stopping, too many connections, or a statement cut by the server's own limit. */
const AWAY = /^(?:08|53|57|PGRST00)/;

export function storeError(error: NonNullable<Answer<unknown>["error"]>, status: number, what: string): Error {
  const away = status === 0 || status >= 502 || AWAY.test(error.code ?? "");
  const text = `${what}: ${error.message}${error.details ? ` (${error.details.split("\n")[0]})` : ""}`;
  if (away) return new AppError("store_unavailable", text, { retryAfterSeconds: 5 });
  return new Error(`${text} [${error.code ?? status}]`, { cause: error });
}
