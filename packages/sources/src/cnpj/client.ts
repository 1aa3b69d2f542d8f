import { AppError, messageOf } from "@cidadao/runtime/errors";
import type { HttpResponse } from "@cidadao/runtime/http-client";
import type { Answer } from "../define-source.ts";
import { ask, type Backoff, type Door, invalid, openDoor, type Outbound, type Verdict } from "../outbound.ts";

/** What a register says today of a company changes slowly; a company that is not there may be registered tomorrow. */
const FOUND_SECONDS = 30 * 86_400;
const NOT_FOUND_SECONDS = 86_400;
const CALLS_AT_ONCE = 2;
/** The next register is a better second try than the same one again. */
const TRIES_MAX = 2;

export type CnpjOptions = {
  outbound: Outbound;
  openCnpjUrl: string;
  minhaReceitaUrl: string;
  brasilApiUrl: string;
  perMinute: number;
  timeoutMs: number;
  backoff?: Backoff;
};

/** The registers in the order in which they are asked. */
export type CnpjContext = { registers: Door[] };

export function createCnpjContext(options: CnpjOptions): CnpjContext {
  const { outbound, perMinute, timeoutMs } = options;
  const register = (source: string, name: string, baseUrl: string) =>
    openDoor(outbound, {
      source,
      name,
      baseUrl,
      rate: { perMinute },
      callsAtOnce: CALLS_AT_ONCE,
      timeouts: { headersMs: timeoutMs, bodyMs: timeoutMs, totalMs: timeoutMs },
      triesMax: TRIES_MAX,
      ...(options.backoff ? { backoff: options.backoff } : {}),
      judge,
    });
  return {
    registers: [
      register("opencnpj", "OpenCNPJ", options.openCnpjUrl),
      register("minhareceita", "Minha Receita", options.minhaReceitaUrl),
      register("brasilapi", "BrasilAPI", options.brasilApiUrl),
    ],
  };
}

function judge({ status }: HttpResponse): Verdict | null {
  return status === 404 ? "nothing" : null;
}

/**
 * What the first register that has the company says; `null` when at least one answered and none has it. Rejects with an
 * `AppError` when none has it and one or more could not say: a company is not missing because a register is down.
 */
export async function askRegisters(context: CnpjContext, cnpj: string, signal: AbortSignal): Promise<Answer | null> {
  const failures: AppError[] = [];
  for (const door of context.registers) {
    const question = {
      path: `/${cnpj}`,
      params: {},
      cacheTtlSeconds: (body: unknown) => (body === null ? NOT_FOUND_SECONDS : FOUND_SECONDS),
    };
    try {
      const { body, ...answered } = await ask(door, question, signal, (found) => {
        if (found !== null && (typeof found !== "object" || Array.isArray(found))) {
          throw invalid(door, "não respondeu um cadastro");
        }
      });
      if (body !== null) return { ...answered, rows: [body], next: null };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof AppError)) throw error;
      failures.push(error);
    }
  }
  if (failures.length === 0) return null;
  const whys = failures.map((failure) => messageOf(failure)).join("; ");
  const waits = failures.flatMap(({ retryAfterSeconds }) => retryAfterSeconds ?? []);
  // The first register that takes questions again is worth waiting for, and no longer.
  const options = waits.length === context.registers.length ? { retryAfterSeconds: Math.min(...waits) } : {};
  throw new AppError("source_unavailable", `Nenhum cadastro de CNPJ deu resposta: ${whys}`, options);
}
