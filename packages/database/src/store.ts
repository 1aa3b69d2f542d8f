import { AppError } from "@cidadao/runtime/errors";
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
export type Store = SupabaseClient;

const REQUEST_TIMEOUT_MS = 15_000;

export function openStore(config: z.infer<typeof databaseConfig>): Store {
  return createClient(config.SUPABASE_URL, config.SUPABASE_SERVICE_ROLE_KEY, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch: boundedFetch },
  });
}

/**
 * supabase-js sets no limit of its own: a database that accepts and never answers would hold a request for ever. Callers
 * pass their own signal; one that is joined to a timeout here would keep each request in memory until the timeout.
 */
const boundedFetch: typeof fetch = (input, init) =>
  fetch(input, { ...init, signal: init?.signal ?? AbortSignal.timeout(REQUEST_TIMEOUT_MS) });

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
