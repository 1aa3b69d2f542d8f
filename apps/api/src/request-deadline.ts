import { limitedSignal } from "@cidadao/runtime/deadline";
import type { FastifyInstance, FastifyRequest } from "fastify";

declare module "fastify" {
  interface FastifyRequest {
    /** Aborts when the request has taken longer than a client should wait. */
    deadline: AbortSignal;
  }
}

const REQUEST_TIMEOUT_MS = 10_000;

/** Gives every request one signal for all it asks of others; the limit goes with the answer. */
export function useRequestDeadlines(app: FastifyInstance): void {
  const limits = new WeakMap<FastifyRequest, Disposable>();
  const never = new AbortController().signal;
  app.decorateRequest("deadline", { getter: () => never });
  app.addHook("onRequest", async (request) => {
    const limit = limitedSignal(REQUEST_TIMEOUT_MS, []);
    limits.set(request, limit);
    Object.defineProperty(request, "deadline", { value: limit.signal });
  });
  app.addHook("onResponse", async (request) => limits.get(request)?.[Symbol.dispose]());
}
